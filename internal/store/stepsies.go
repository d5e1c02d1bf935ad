package store

import (
	"context"
	"time"

	"github.com/stepsies/stepsies"
)

const headColumns = `s.id, s.user_id, u.username, u.display_name, u.suspended_at, s.slug, s.title, s.description, s.category, s.status,
	s.published_at, s.featured_at, s.steps_count, s.next_step_id, s.version, s.created_at, s.updated_at, s.deleted_at,
	coalesce(c.views, 0), coalesce(c.completions, 0), coalesce(c.ratings, 0), coalesce(c.stars, 0)`

const stepsyTables = ` from stepsies s join users u on u.id = s.user_id left join stepsy_counts c on c.stepsy_id = s.id`

const stepsyByID = `select ` + headColumns + `, s.steps` + stepsyTables + ` where s.id = $1 and s.deleted_at is null`

// scanStepsy scans headColumns, and the steps behind them where withSteps is set.
func scanStepsy(scan func(...any) error, withSteps bool) (s stepsies.Stepsy, err error) {
	var suspended time.Time
	dest := []any{&s.ID, &s.UserID, &s.Username, &s.DisplayName, stampTo{&suspended}, &s.Slug, &s.Title, &s.Description, &s.Category, &s.Status,
		stampTo{&s.PublishedAt}, stampTo{&s.FeaturedAt}, &s.StepsCount, &s.NextStepID, &s.Version,
		stampTo{&s.CreatedAt}, stampTo{&s.UpdatedAt}, stampTo{&s.DeletedAt}, &s.Views, &s.Completions, &s.Ratings, &s.Stars}
	var steps []byte
	if withSteps {
		dest = append(dest, &steps)
	}
	err = scan(dest...)
	s.AuthorSuspended = !suspended.IsZero()
	if err != nil || !withSteps {
		return s, err
	}
	s.Steps, err = decodeSteps(steps)
	return s, wrap(err, "stepsy %d", s.ID)
}

func readStepsy(ctx context.Context, q querier, id int64, lock string) (stepsies.Stepsy, error) {
	var s stepsies.Stepsy
	err := errNoRow
	readErr := q.few(ctx, stepsyByID+lock, []any{id},
		func(scan func(...any) error) error {
			s, err = scanStepsy(scan, true)
			return err
		})
	if readErr != nil {
		return s, wrap(readErr, "read stepsy %d", id)
	}
	return s, orNotFound(err, "stepsy")
}

// Stepsy returns a stepsy with its steps, if the access reaches it for reading.
func (s *Store) Stepsy(ctx context.Context, id int64, access stepsies.Access) (stepsies.Stepsy, error) {
	found, err := readStepsy(ctx, s.read, id, "")
	if err == nil && !found.VisibleTo(access) {
		return stepsies.Stepsy{}, stepsies.NotFound("stepsy")
	}
	return found, err
}

// CreateStepsy makes a stepsy for the author. A slug made from the title gets a
// number where it is taken; a wanted slug that is taken is a conflict.
func (s *Store) CreateStepsy(ctx context.Context, w Write, author string, want stepsies.StepsyChange) (Outcome[stepsies.Stepsy], error) {
	return s.writeStepsy(ctx, w.onUser(author), func(t *tx) (stepsies.Stepsy, error) {
		u, err := t.lockUser(ctx, author)
		if err != nil {
			return stepsies.Stepsy{}, err
		}
		made, err := stepsies.NewStepsy(u, want, t.now)
		if err != nil {
			return made, err
		}
		if want.Slug == nil || *want.Slug == "" {
			if made.Slug, err = t.freeSlug(ctx, made); err != nil {
				return made, err
			}
		}
		steps, err := encodeSteps(made.Steps)
		if err != nil {
			return made, err
		}
		if err := t.one(ctx, `insert into stepsies (user_id, slug, title, title_key, description, category, status, published_at, published_key, featured_at,
				steps_count, next_step_id, version, created_at, updated_at, steps)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) returning id`,
			[]any{made.UserID, made.Slug, made.Title, stepsies.Fold(made.Title), made.Description, made.Category, string(made.Status),
				stamp(made.PublishedAt), publishedKey(made), stamp(made.FeaturedAt), made.StepsCount, made.NextStepID, made.Version,
				stamp(made.CreatedAt), stamp(made.UpdatedAt), steps}, &made.ID); err != nil {
			return made, wrap(t.slugTakenMeanwhile(err, made.Slug), "create a stepsy")
		}
		if err := t.index(ctx, made); err != nil {
			return made, err
		}
		if _, err := t.exec(ctx, `delete from slug_history where user_id = $1 and slug = $2`, made.UserID, made.Slug); err != nil {
			return made, err
		}
		return made, t.recordStepsy(ctx, w, stepsies.ActionCreateStepsy, made)
	})
}

// UpdateStepsy changes a stepsy that the actor reaches for writing, and publishes it in
// the same write where that is wanted.
func (s *Store) UpdateStepsy(ctx context.Context, w Write, id int64, want stepsies.StepsyChange) (Outcome[stepsies.Stepsy], error) {
	fromTitle := want.Slug != nil && *want.Slug == ""
	var before stepsies.Stepsy
	rule := func(st *stepsies.Stepsy, t *tx) error {
		before = *st
		if err := st.Change(want, t.now); err != nil {
			return err
		}
		if fromTitle && st.Slug != before.Slug {
			var err error
			if st.Slug, err = t.freeSlug(ctx, *st); err != nil {
				return err
			}
			if st.Slug == before.Slug && sameButSlug(before, want) {
				*st = before
			}
		}
		return t.moveSlug(ctx, before, *st)
	}
	if fromTitle {
		w = w.onStepsy(id) // those who look for a free slug of an author take turns
	}
	return s.writeStepsy(ctx, w, func(t *tx) (stepsies.Stepsy, error) {
		st, err := t.changeStepsy(ctx, w, id, rule)
		if err == nil && !st.SameText(before) {
			err = t.recordStepsy(ctx, w, stepsies.ActionUpdateStepsy, st)
		}
		if err == nil && st.Status != before.Status {
			w.Quiet = false
			err = t.recordStepsy(ctx, w, stepsies.ActionPublishStepsy, st)
		}
		return st, err
	})
}

// sameButSlug reports whether a change asks for nothing but a slug.
func sameButSlug(before stepsies.Stepsy, want stepsies.StepsyChange) bool {
	want.Slug = nil
	after := before
	return after.Change(want, before.UpdatedAt) == nil && after.Version == before.Version
}

// PublishStepsy makes a stepsy public; doing it twice changes nothing.
func (s *Store) PublishStepsy(ctx context.Context, w Write, id int64) (Outcome[stepsies.Stepsy], error) {
	return s.changeStepsy(ctx, w, id, stepsies.ActionPublishStepsy, func(st *stepsies.Stepsy, t *tx) error {
		_, err := st.Publish(t.now)
		return err
	})
}

// UnpublishStepsy makes a stepsy a draft again; doing it twice changes nothing.
func (s *Store) UnpublishStepsy(ctx context.Context, w Write, id int64) (Outcome[stepsies.Stepsy], error) {
	return s.changeStepsy(ctx, w, id, stepsies.ActionUnpublishStepsy, func(st *stepsies.Stepsy, t *tx) error {
		st.Unpublish(t.now)
		return nil
	})
}

// DeleteStepsy moves a stepsy to its author's trash. Its slugs, present and old, are free
// at once; the old ones that nobody takes lead to it again when it is put back.
func (s *Store) DeleteStepsy(ctx context.Context, w Write, id int64) error {
	return s.transact(ctx, w, func(t *tx) error {
		t.keysUntouched = true
		st, err := t.lockMatching(ctx, w, id)
		if err != nil {
			return err
		}
		if err := t.run(ctx, []any{id}, `delete from stepsy_search where rowid = $1`, `delete from preview_links where stepsy_id = $1`); err != nil {
			return wrap(err, "delete stepsy %d", id)
		}
		if _, err := t.exec(ctx, `update stepsies set deleted_at = $2 where id = $1`, id, stamp(t.now)); err != nil {
			return wrap(err, "delete stepsy %d", id)
		}
		return t.recordStepsy(ctx, w, stepsies.ActionDeleteStepsy, st)
	})
}

func (t *tx) lockStepsy(ctx context.Context, id int64) (stepsies.Stepsy, error) {
	st, err := readStepsy(ctx, t, id, t.lock("s"))
	if err == nil && !st.ChangeableBy(t.access) {
		return st, stepsies.NotFound("stepsy")
	}
	return st, err
}

// lockMatching is lockStepsy for a write that may ask for a version.
func (t *tx) lockMatching(ctx context.Context, w Write, id int64) (stepsies.Stepsy, error) {
	st, err := t.lockStepsy(ctx, id)
	if err == nil && w.Match != nil {
		err = w.Match(st)
	}
	return st, err
}

// changeStepsy runs a rule on a stepsy, stores what became of it and records the action,
// if anything changed.
func (s *Store) changeStepsy(ctx context.Context, w Write, id int64, action stepsies.Action,
	rule func(*stepsies.Stepsy, *tx) error) (Outcome[stepsies.Stepsy], error) {
	return s.writeStepsy(ctx, w, func(t *tx) (stepsies.Stepsy, error) {
		version := int64(0)
		st, err := t.changeStepsy(ctx, w, id, func(st *stepsies.Stepsy, t *tx) error {
			version = st.Version
			return rule(st, t)
		})
		if err == nil && st.Version != version {
			err = t.recordStepsy(ctx, w, action, st)
		}
		return st, err
	})
}

// changeStepsy runs a rule on a stepsy and stores what became of it, if anything.
func (t *tx) changeStepsy(ctx context.Context, w Write, id int64,
	rule func(*stepsies.Stepsy, *tx) error) (stepsies.Stepsy, error) {
	st, err := t.lockMatching(ctx, w, id)
	if err != nil {
		return st, err
	}
	version := st.Version
	if err := rule(&st, t); err != nil {
		return st, err
	}
	if st.Version == version {
		return st, nil
	}
	steps, err := encodeSteps(st.Steps)
	if err != nil {
		return st, err
	}
	if _, err := t.exec(ctx, `update stepsies set slug = $2, title = $3, title_key = $4, description = $5, category = $6, status = $7,
			published_at = $8, published_key = $9, featured_at = $10, steps_count = $11, next_step_id = $12, version = $13, updated_at = $14, steps = $15
		where id = $1`,
		st.ID, st.Slug, st.Title, stepsies.Fold(st.Title), st.Description, st.Category, string(st.Status),
		stamp(st.PublishedAt), publishedKey(st), stamp(st.FeaturedAt), st.StepsCount, st.NextStepID, st.Version, stamp(st.UpdatedAt), steps); err != nil {
		return st, wrap(t.slugTakenMeanwhile(err, st.Slug), "update stepsy %d", id)
	}
	return st, t.index(ctx, st)
}

// writeStepsy is write for results that are stepsies, whose steps have a form of
// their own in JSON.
func (s *Store) writeStepsy(ctx context.Context, w Write, fn func(t *tx) (stepsies.Stepsy, error)) (Outcome[stepsies.Stepsy], error) {
	var made stepsies.Stepsy
	out, err := write(ctx, s, w, func(t *tx) (stepsyRecord, error) {
		t.keysUntouched = true
		var err error
		if made, err = fn(t); err != nil || w.Once == nil {
			return stepsyRecord{}, err
		}
		return recordOf(made)
	})
	if err == nil && out.Replayed {
		made, err = out.Value.stepsy()
	}
	return Outcome[stepsies.Stepsy]{Value: made, Replayed: out.Replayed}, err
}

func (t *tx) recordStepsy(ctx context.Context, w Write, action stepsies.Action, s stepsies.Stepsy) error {
	row := stepsies.Activity{Action: action, OwnerID: s.UserID, TargetID: s.ID, Name: s.Title}
	if w.Quiet {
		if said, err := t.saidJustNow(ctx, w, row); err != nil || said {
			return err
		}
	}
	return t.record(ctx, w, row)
}
