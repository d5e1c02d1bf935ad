package users

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/store"
)

// Bounds of wrong passwords, each within attemptWindow. A network is an IPv4 address or
// an IPv6 /64, which is what one subscriber gets: a wider one would let a neighbour shut
// its owner out, and whoever guesses from many networks meets wrongPerUser.
const (
	wrongPerNetwork = 30  // whatever the names
	wrongPerUser    = 100 // of one user, from all networks
	wrongHere       = 10  // of one user from one network; of one known browser; in one session
)

// wrongTries counts wrong passwords. A try counts before its password is looked at, so
// that many at once are bounded too, and is given back where it was right: what succeeds
// neither counts nor ends the count of what failed.
//
// What was typed is counted beside the user whom it names, and only the count of what
// was typed is told: if the name and the address of one user were seen to count
// together, anybody could find out that they belong together, and that they exist.
type wrongTries struct{ network, here, everywhere *ratelimit.AddressLimiter }

func newWrongTries(shared *ratelimit.Redis, now func() time.Time) wrongTries {
	return wrongTries{
		network:    limiter("wrong-network", wrongPerNetwork, shared, now),
		here:       limiter("wrong-here", wrongHere, shared, now),
		everywhere: limiter("wrong-user", wrongPerUser, shared, now),
	}
}

// try is one password that is about to be looked at.
type try struct {
	taken []taken
	// refused says that the right password must be answered like a wrong one.
	refused bool
}

type taken struct {
	of      *ratelimit.AddressLimiter
	name    string
	verdict ratelimit.Verdict
}

func (t *try) take(ctx context.Context, of *ratelimit.AddressLimiter, name string) ratelimit.Verdict {
	v := of.TakeName(ctx, name)
	if v.Allowed {
		t.taken = append(t.taken, taken{of, name, v})
	}
	return v
}

// giveBack uncounts the try, from the nth count on.
func (t *try) giveBack(ctx context.Context, from int) {
	for _, c := range t.taken[from:] {
		c.of.GiveBackName(ctx, c.name, c.verdict)
	}
	t.taken = t.taken[:from]
}

// signIn counts a try to sign in, or refuses it. Browser is that of a browser in which
// the user has signed in before, "" for any other.
func (w wrongTries) signIn(ctx context.Context, address, login string, who store.SignIn, browser string) (*try, error) {
	t := &try{}
	if browser != "" {
		if v := t.take(ctx, w.here, "browser "+browser); !v.Allowed {
			return nil, stepsies.TooManyRequests(v.RetryAfter)
		}
		return t, nil
	}
	network := ratelimit.Network(address)
	typed := fmt.Sprintf("typed %d %s", who.Round, strings.TrimSpace(login))
	for _, c := range []taken{{of: w.network, name: network}, {of: w.here, name: network + " " + typed}, {of: w.everywhere, name: typed}} {
		if v := t.take(ctx, c.of, c.name); !v.Allowed {
			t.giveBack(ctx, 0) // a refused try counts nowhere
			return nil, stepsies.TooManyRequests(v.RetryAfter)
		}
	}
	user := fmt.Sprintf("user %d %d", who.Round, who.User.ID)
	if who.User.ID == 0 {
		user = "nobody " + login // for the same work
	}
	told := len(t.taken)
	if !t.take(ctx, w.here, network+" "+user).Allowed || !t.take(ctx, w.everywhere, user).Allowed {
		t.giveBack(ctx, told)
		t.refused = true
	}
	return t, nil
}

// session counts a try of whoever is signed in to say their password once more.
func (w wrongTries) session(ctx context.Context, id int64) (*try, error) {
	t := &try{}
	if v := t.take(ctx, w.here, fmt.Sprint("session ", id)); !v.Allowed {
		return nil, stepsies.TooManyRequests(v.RetryAfter)
	}
	return t, nil
}
