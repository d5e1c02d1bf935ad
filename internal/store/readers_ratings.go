package store

import (
	"context"

	"github.com/stepsies/stepsies"
)

// RatingReader is a hash of who rates: of what their browser keeps, or of who is
// signed in.
type RatingReader [32]byte

// RateStepsy keeps what a reader thinks of a stepsy that they can read. A reader
// has one rating of it; a later one takes its place. Anyone may rate; who does it in
// their own name is judged, so that none is left in the name of who is signed out.
func (s *Store) RateStepsy(ctx context.Context, w Write, stepsyID int64, reader RatingReader, r stepsies.Rating) (stepsies.Rating, error) {
	err := s.transact(ctx, w, func(t *tx) error {
		t.keysUntouched = true
		st, err := readStepsy(ctx, t, stepsyID, "")
		if err == nil && !st.VisibleTo(stepsies.Access{}) {
			err = stepsies.NotFound("stepsy")
		}
		if err != nil {
			return err
		}
		r.StepsyID, r.CreatedAt, r.UpdatedAt = stepsyID, t.now, t.now
		change := Counts{StepsyID: stepsyID, Ratings: 1, Stars: int64(r.Stars)}
		n, err := t.exec(ctx, `insert into ratings (stepsy_id, reader, stars, comment, created_at, updated_at)
			values ($1, $2, $3, $4, $5, $5) on conflict (stepsy_id, reader) do nothing`, stepsyID, reader[:], r.Stars, r.Comment, stamp(t.now))
		if err != nil {
			return wrap(err, "rate stepsy %d", stepsyID)
		}
		old, err := readRating(ctx, t, stepsyID, reader, t.s.engine.forUpdate)
		if err != nil {
			return err
		}
		r.ID, r.CreatedAt = old.ID, old.CreatedAt
		if n == 0 {
			change.Ratings, change.Stars = 0, int64(r.Stars-old.Stars)
			if _, err := t.exec(ctx, `update ratings set stars = $2, comment = $3, updated_at = $4 where id = $1`,
				old.ID, r.Stars, r.Comment, stamp(t.now)); err != nil {
				return wrap(err, "change rating %d", old.ID)
			}
		}
		return t.addCounts(ctx, []Counts{change})
	})
	return r, err
}

func readRating(ctx context.Context, q querier, stepsyID int64, reader RatingReader, lock string) (stepsies.Rating, error) {
	r := stepsies.Rating{StepsyID: stepsyID}
	err := q.one(ctx, `select id, stars, comment, created_at, updated_at from ratings where stepsy_id = $1 and reader = $2`+lock,
		[]any{stepsyID, reader[:]}, &r.ID, &r.Stars, &r.Comment, stampTo{&r.CreatedAt}, stampTo{&r.UpdatedAt})
	return r, orNotFound(err, "rating")
}

// RatingOf returns a reader's rating of a stepsy, NotFound without one.
func (s *Store) RatingOf(ctx context.Context, stepsyID int64, reader RatingReader) (stepsies.Rating, error) {
	return readRating(ctx, s.read, stepsyID, reader, "")
}

// ListRatings returns the ratings of a stepsy, newest first.
func (s *Store) ListRatings(ctx context.Context, stepsyID int64, p Page) (Paged[stepsies.Rating], error) {
	var q conditions
	q.where("stepsy_id = $%d", stepsyID)
	return pageByID(ctx, s, p, &q, `select id, stars, comment, created_at, updated_at from ratings`, "id", func(scan func(...any) error) (stepsies.Rating, int64, error) {
		r := stepsies.Rating{StepsyID: stepsyID}
		err := scan(&r.ID, &r.Stars, &r.Comment, stampTo{&r.CreatedAt}, stampTo{&r.UpdatedAt})
		return r, r.ID, err
	})
}
