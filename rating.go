package stepsies

import "time"

// Bounds of a rating.
const (
	MinStars         = 1
	MaxStars         = 5
	MaxRatingComment = 1_000 // characters
)

// Rating is what a reader thinks of a stepsy. Its comment is for the author alone.
type Rating struct {
	ID, StepsyID int64
	Stars        int // MinStars to MaxStars
	Comment      string
	CreatedAt    time.Time
	UpdatedAt    time.Time // when the reader last changed it
}

// NewRating returns a rating, or all that is wrong with it.
func NewRating(stars int, comment string) (Rating, error) {
	r := Rating{Stars: stars}
	var bad Problems
	if stars < MinStars || stars > MaxStars {
		bad.Add("stars", "must be a whole number from %d to %d", MinStars, MaxStars)
	}
	var err error
	r.Comment, err = prose(comment, MaxRatingComment)
	bad.AddErr("comment", err)
	return r, bad.Err()
}
