package store

import (
	"context"
	"fmt"

	"github.com/stepsies/stepsies"
)

// maxSlugTries bounds the numbers tried behind a slug before chance is asked.
const maxSlugTries = 10_000

// freeSlug returns the stepsy's slug, with the lowest number behind it that makes
// it free among its author's.
func (t *tx) freeSlug(ctx context.Context, s stepsies.Stepsy) (string, error) {
	taken := map[string]bool{}
	// Numbered slugs share the beginning that the longest number leaves.
	stem := s.Slug[:min(len(s.Slug), stepsies.MaxSlugLength-len(fmt.Sprint("-", maxSlugTries)))]
	err := t.each(ctx, `select slug from stepsies where user_id = $1 and slug >= $2 and slug < $3 and id <> $4 and deleted_at is null`,
		[]any{s.UserID, stem, stem + "~", s.ID}, func(scan func(...any) error) error {
			var slug string
			err := scan(&slug)
			taken[slug] = true
			return err
		})
	if err != nil {
		return "", wrap(err, "find a free slug")
	}
	for n := 1; n <= maxSlugTries; n++ {
		if slug := stepsies.NumberedSlug(s.Slug, n); !taken[slug] {
			return slug, nil
		}
	}
	return "", stepsies.Conflict("There are too many stepsies with this title. Choose a slug of your own.")
}

// moveSlug remembers a slug that a stepsy leaves, so that it can redirect, and
// forgets that the new one ever led elsewhere.
func (t *tx) moveSlug(ctx context.Context, before, after stepsies.Stepsy) error {
	if before.Slug == after.Slug {
		return nil
	}
	if _, err := t.exec(ctx, `delete from slug_history where user_id = $1 and slug = $2`, after.UserID, after.Slug); err != nil {
		return wrap(err, "take slug %s", after.Slug)
	}
	_, err := t.exec(ctx, `insert into slug_history (user_id, slug, stepsy_id, created_at) values ($1, $2, $3, $4)
		on conflict (user_id, slug) do update set stepsy_id = excluded.stepsy_id, created_at = excluded.created_at`,
		before.UserID, before.Slug, before.ID, stamp(t.now))
	return wrap(err, "remember slug %s", before.Slug)
}

// StepsyBySlug returns an author's stepsy by its present slug, or by one that it
// had before; the caller compares the slug to know which.
func (s *Store) StepsyBySlug(ctx context.Context, username, slug string, access stepsies.Access) (stepsies.Stepsy, error) {
	u, err := s.User(ctx, username)
	if err != nil {
		return stepsies.Stepsy{}, orNotFound(err, "stepsy")
	}
	var id int64
	err = s.read.one(ctx, `select id from stepsies where user_id = $1 and slug = $2 and deleted_at is null`, []any{u.ID, slug}, &id)
	if err == errNoRow {
		err = s.read.one(ctx, `select stepsy_id from slug_history where user_id = $1 and slug = $2`, []any{u.ID, slug}, &id)
	}
	if err != nil {
		return stepsies.Stepsy{}, orNotFound(err, "stepsy")
	}
	return s.Stepsy(ctx, id, access)
}
