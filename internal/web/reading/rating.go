package reading

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// Bounds of what readers send, for each client address.
const (
	ratingsPerAddress = 30
	reachedPerAddress = 3_000
	readingWindow     = time.Hour
)

// ratingForm is what a reader thinks of a stepsy.
type ratingForm struct {
	Given    bool // the reader has rated it before
	Stars    int
	Comment  string
	Problems map[string]string
	Notice   string
}

// readerCookie is how a browser is known that has rated something. It is set when
// someone rates, and holds a random number and nothing else.
const (
	readerCookie     = "stepsies_reader"
	readerCookieSize = 16
	readerCookieLife = 365 * 24 * time.Hour
)

// ratingReader returns by what the ratings of whoever asks are known, and false
// where they have rated nothing yet.
func (p *Pages) ratingReader(q *page.Request) (store.RatingReader, bool) {
	if q.SignedIn() {
		return sha256.Sum256([]byte("user " + strconv.FormatInt(q.Session.User.ID, 10))), true
	}
	c, err := q.Cookie(p.CookieName(readerCookie))
	if err != nil {
		return store.RatingReader{}, false
	}
	if b, err := base64.RawURLEncoding.DecodeString(c.Value); err != nil || len(b) != readerCookieSize {
		return store.RatingReader{}, false
	}
	return sha256.Sum256([]byte("browser " + c.Value)), true
}

// newRatingReader makes a browser known from now on.
func (p *Pages) newRatingReader(q *page.Request) store.RatingReader {
	b := make([]byte, readerCookieSize)
	_, _ = rand.Read(b) // never fails
	value := base64.RawURLEncoding.EncodeToString(b)
	http.SetCookie(q.W, p.Cookie(readerCookie, value, int(readerCookieLife/time.Second)))
	return sha256.Sum256([]byte("browser " + value))
}

// readerWrite is the actor of what a reader leaves: whoever is signed in, or nobody
// that we know.
func readerWrite(q *page.Request) store.Write {
	if q.SignedIn() {
		return q.Write()
	}
	return store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: q.IP}}
}

var errOwnRating = &stepsies.Error{Code: stepsies.CodeForbidden, Message: "This stepsy is your own. Its readers rate it."}

// Rate keeps a reader's rating, in the place of an earlier one.
func (p *Pages) Rate(q *page.Request) error {
	s, ok, err := p.readStepsy(q, "/rating")
	if err != nil || !ok {
		return err
	}
	if isAuthor(q, s) {
		return errOwnRating
	}
	stars, _ := strconv.Atoi(q.PostFormValue("stars"))
	comment := page.LineBreaks(q.PostFormValue("comment"))
	rating, err := stepsies.NewRating(stars, comment)
	if stars == 0 {
		err = stepsies.Invalid("stars", "Choose one to five stars.")
	}
	if problems := page.FieldErrors(err); problems != nil {
		v, err := p.viewOf(q, s)
		if err != nil {
			return err
		}
		v.Rating.Stars, v.Rating.Comment, v.Rating.Problems = stars, comment, problems
		return q.Render(http.StatusUnprocessableEntity, stepsyPage(p.pageOf(q, s, s.Title), v))
	}
	if err != nil {
		return err
	}
	if v := p.ratings.Take(q.Context(), q.IP); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	reader, known := p.ratingReader(q)
	if !known {
		reader = p.newRatingReader(q)
	}
	if _, err := p.Store.RateStepsy(q.Context(), readerWrite(q), s.ID, reader, rating); err != nil {
		return err
	}
	q.Notice(page.RatedNotice)
	return q.Redirect(page.PublicPath(s) + "#rate")
}

// newReadingLimits bounds what one address can send about reading, and how many
// ratings. Both are shared by all nodes where there is Redis.
func newReadingLimits(shared *ratelimit.Redis, now func() time.Time) (reached, ratings *ratelimit.AddressLimiter) {
	return ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "reached", Limit: reachedPerAddress, Window: readingWindow, Now: now}),
		ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "rating", Limit: ratingsPerAddress, Window: readingWindow, Shared: shared, Now: now})
}
