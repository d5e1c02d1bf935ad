package page

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
)

// OnceField is the hidden field of a form that must not be carried out twice: by a
// reload, by the back button, by a second click.
const OnceField = "once"

// onceAge is how long such a form can be sent. It is shorter than its record is
// kept, so that a form that was sent is known for as long as it can be sent again.
const onceAge = store.IdempotencyLifetime - time.Hour

// NewOnce is the value of the field for a new form.
func NewOnce(now time.Time) string {
	token, _ := auth.NewToken()
	return fmt.Sprintf("%d.%s", now.Unix(), token)
}

var errOldForm = stepsies.BadRequest("This form is too old to be sent. Open its page again and fill it in once more.")

// Once is the promise to carry out the form of this request a single time,
// whatever else it says when it comes again.
func (q *Request) Once(form string) (*store.Once, error) {
	value := q.PostFormValue(OnceField)
	made, token, _ := strings.Cut(value, ".")
	seconds, err := strconv.ParseInt(made, 10, 64)
	_, ok := auth.ParseToken(token)
	if err != nil || !ok || q.site.Now().Sub(time.Unix(seconds, 0)).Abs() > onceAge {
		return nil, errOldForm
	}
	return &store.Once{UserID: q.Session.User.ID, Key: value, Route: "form " + form, Body: sha256.Sum256(nil)}, nil
}
