package store

import (
	"context"
	"time"

	"github.com/stepsies/stepsies"
)

// MakePreviewLink lets whoever knows a token read a draft that the actor reaches for
// writing. There is one link for each stepsy: it takes the place of an earlier one.
func (s *Store) MakePreviewLink(ctx context.Context, w Write, id int64, hash TokenHash) error {
	return s.transact(ctx, w, func(t *tx) error {
		t.keysUntouched = true
		st, err := t.lockStepsy(ctx, id)
		if err != nil {
			return err
		}
		if st.Status != stepsies.StatusDraft {
			return stepsies.Conflict("This stepsy is published, so everyone can read it. Share the address of its public page instead.")
		}
		if _, err := t.exec(ctx, `insert into preview_links (stepsy_id, token_hash, created_at) values ($1, $2, $3)
			on conflict (stepsy_id) do update set token_hash = excluded.token_hash, created_at = excluded.created_at`,
			id, hash[:], stamp(t.now)); err != nil {
			return wrap(err, "make a preview link of stepsy %d", id)
		}
		return t.recordStepsy(ctx, w, stepsies.ActionLinkStepsy, st)
	})
}

// EndPreviewLink ends the preview link of a stepsy that the actor reaches for
// writing. Where there is none it changes nothing.
func (s *Store) EndPreviewLink(ctx context.Context, w Write, id int64) error {
	return s.transact(ctx, w, func(t *tx) error {
		t.keysUntouched = true
		st, err := t.lockStepsy(ctx, id)
		if err != nil {
			return err
		}
		n, err := t.exec(ctx, `delete from preview_links where stepsy_id = $1`, id)
		if err != nil || n == 0 {
			return wrap(err, "end the preview link of stepsy %d", id)
		}
		return t.recordStepsy(ctx, w, stepsies.ActionUnlinkStepsy, st)
	})
}

// PreviewLinkMade returns when the preview link of a stepsy was made, the zero time
// where it has none.
func (s *Store) PreviewLinkMade(ctx context.Context, stepsyID int64) (time.Time, error) {
	var made time.Time
	err := s.read.one(ctx, `select created_at from preview_links where stepsy_id = $1`, []any{stepsyID}, stampTo{&made})
	if err == errNoRow {
		return time.Time{}, nil
	}
	return made, wrap(err, "read the preview link of stepsy %d", stepsyID)
}

const stepsyByPreviewLink = `select ` + headColumns + `, s.steps` + stepsyTables + ` join preview_links l on l.stepsy_id = s.id
	where l.token_hash = $1 and s.deleted_at is null and u.suspended_at is null`

// StepsyByPreviewLink returns the stepsy, with its steps, that a preview link leads to:
// as a draft, or published meanwhile. While its author is suspended there is none.
func (s *Store) StepsyByPreviewLink(ctx context.Context, hash TokenHash) (stepsies.Stepsy, error) {
	var st stepsies.Stepsy
	err := errNoRow
	readErr := s.read.few(ctx, stepsyByPreviewLink, []any{hash[:]}, func(scan func(...any) error) error {
		st, err = scanStepsy(scan, true)
		return err
	})
	if readErr != nil {
		return st, wrap(readErr, "read a stepsy by its preview link")
	}
	return st, orNotFound(err, "preview link")
}
