package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/stepsies/stepsies"
)

// maxSlugTries bounds the numbers that are tried behind a slug.
const maxSlugTries = 10_000

// freeSlug returns the stepsy's slug, with the lowest number behind it that makes
// it free among its author's (see takenSlugs). It looks at the candidates and at nothing else, so
// that it costs the same however many stepsies begin alike.
func (t *tx) freeSlug(ctx context.Context, s stepsies.Stepsy) (string, error) {
	for first, n := 1, 1; first <= maxSlugTries; first, n = first+n, min(n*8, 512) {
		candidates := make([]string, n)
		for i := range candidates {
			candidates[i] = stepsies.NumberedSlug(s.Slug, first+i)
		}
		taken, err := t.takenSlugs(ctx, s, candidates)
		if err != nil {
			return "", wrap(err, "find a free slug")
		}
		for _, slug := range candidates {
			if !taken[slug] {
				t.foundSlug = slug
				return slug, nil
			}
		}
	}
	return "", stepsies.Conflict("There are too many stepsies with this title. Choose a slug of your own.")
}

// takenSlugs returns which of the candidates others of the author's stepsies have, or
// had, where the old address leads readers to what is published: it is only taken from
// them where somebody wants that very slug.
func (t *tx) takenSlugs(ctx context.Context, s stepsies.Stepsy, candidates []string) (map[string]bool, error) {
	query, args := takenSlugsQuery(s, candidates)
	taken := map[string]bool{}
	err := t.each(ctx, query, args, func(scan func(...any) error) error {
		var slug string
		err := scan(&slug)
		taken[slug] = true
		return err
	})
	return taken, err
}

func takenSlugsQuery(s stepsies.Stepsy, candidates []string) (string, []any) {
	args := []any{s.UserID, s.ID}
	holes := make([]string, len(candidates))
	for i, slug := range candidates {
		args = append(args, slug)
		holes[i] = fmt.Sprintf("$%d", len(args))
	}
	in := strings.Join(holes, ", ")
	return `select slug from stepsies where user_id = $1 and id <> $2 and deleted_at is null and slug in (` + in + `)
		union all
		select h.slug from slug_history h join stepsies s on s.id = h.stepsy_id
		where h.user_id = $1 and h.slug in (` + in + `) and h.stepsy_id <> $2 and s.status = 'published' and s.deleted_at is null`, args
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

const (
	presentSlug = `select id from stepsies where user_id = $1 and slug = $2 and deleted_at is null`
	earlierSlug = `select stepsy_id from slug_history where user_id = $1 and slug = $2`
)

// StepsyBySlug returns an author's stepsy by its present slug, or by one that it
// had before; the caller compares the slug to know which.
func (s *Store) StepsyBySlug(ctx context.Context, username, slug string, access stepsies.Access) (stepsies.Stepsy, error) {
	if _, err := stepsies.ParseSlug(slug); err != nil {
		return stepsies.Stepsy{}, stepsies.NotFound("stepsy")
	}
	u, err := s.User(ctx, username)
	if err != nil {
		return stepsies.Stepsy{}, orNotFound(err, "stepsy")
	}
	var id int64
	err = s.read.one(ctx, presentSlug, []any{u.ID, slug}, &id)
	if err == errNoRow {
		err = s.read.one(ctx, earlierSlug, []any{u.ID, slug}, &id)
	}
	if err != nil {
		return stepsies.Stepsy{}, orNotFound(err, "stepsy")
	}
	return s.Stepsy(ctx, id, access)
}
