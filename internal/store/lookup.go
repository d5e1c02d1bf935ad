package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// Bearer is what a key stands for: the key and the user whom it lets act, with
// the account's limits. Only what a request needs is read.
type Bearer struct {
	Hash stepsies.KeyHash
	Key  stepsies.APIKey
	User stepsies.User
}

// MaxLookup is how many keys one look-up may ask for.
const MaxLookup = 64

// lookupSizes are the lengths to which a list of hashes is filled up, so that
// there are few statements and they stay prepared.
var lookupSizes = []int{1, 4, 16, MaxLookup}

var lookupQueries = func() map[int]string {
	queries := map[int]string{}
	for _, n := range lookupSizes {
		holes := make([]string, n)
		for i := range holes {
			holes[i] = fmt.Sprintf("$%d", i+1)
		}
		queries[n] = `select k.hash, k.id, k.name, k.scopes, k.hint, k.created_at, k.expires_at, k.revoked_at,
				u.id, u.username, u.role, u.suspended_at, a.id, a.plan, a.limit_minute, a.limit_hour, a.limit_month
			from api_keys k join users u on u.id = k.user_id join accounts a on a.id = u.account_id
			where k.hash in (` + strings.Join(holes, ", ") + `)`
	}
	return queries
}()

// Works reports whether the key may be used at now: it has not ended, and its user
// is not suspended.
func (b Bearer) Works(now time.Time) bool {
	status := b.Key.Status(now)
	return status != stepsies.KeyRevoked && status != stepsies.KeyExpired && !b.User.Suspended()
}

// LookUpKeys returns the bearers of at most MaxLookup keys, whatever the keys are
// worth; unknown ones are missing. It sees every commit that was made before it
// was called, on any node: it reads the one primary outside any transaction, or,
// with SQLite, what every write of this process would have made forgotten.
func (s *Store) LookUpKeys(ctx context.Context, hashes []stepsies.KeyHash) ([]Bearer, error) {
	if len(hashes) == 0 || len(hashes) > MaxLookup {
		return nil, fmt.Errorf("look up keys: %d hashes, want 1 to %d", len(hashes), MaxLookup)
	}
	if s.bearers == nil {
		return s.lookUpKeys(ctx, hashes, nil)
	}
	known, missing, generation := s.bearers.take(hashes, make([]Bearer, 0, len(hashes)), s.clock())
	if len(missing) == 0 {
		return known, nil
	}
	found, err := s.lookUpKeys(ctx, missing, known)
	if err == nil {
		s.bearers.keep(found[len(known):], s.clock(), generation)
	}
	return found, err
}

func (s *Store) lookUpKeys(ctx context.Context, hashes []stepsies.KeyHash, found []Bearer) ([]Bearer, error) {
	size := lookupSizes[slices.IndexFunc(lookupSizes, func(n int) bool { return n >= len(hashes) })]
	args := make([]any, size)
	for i := range args {
		args[i] = hashes[min(i, len(hashes)-1)][:]
	}
	err := s.read.few(ctx, lookupQueries[size], args, func(scan func(...any) error) error {
		var b Bearer
		var hash []byte
		var scopes string
		if err := scan(&hash, &b.Key.ID, &b.Key.Name, &scopes, &b.Key.Hint, stampTo{&b.Key.CreatedAt}, stampTo{&b.Key.ExpiresAt}, stampTo{&b.Key.RevokedAt},
			&b.User.ID, &b.User.Username, &b.User.Role, stampTo{&b.User.SuspendedAt}, &b.User.Account.ID,
			&b.User.Plan, &b.User.OwnLimits.Minute, &b.User.OwnLimits.Hour, &b.User.OwnLimits.Month); err != nil {
			return err
		}
		var err error
		if b.Key.Scopes, err = stepsies.ParseScopes(strings.Fields(scopes)); err != nil {
			return fmt.Errorf("scopes of key %d: %w", b.Key.ID, err)
		}
		copy(b.Hash[:], hash)
		b.Key.UserID, b.Key.Username = b.User.ID, b.User.Username
		found = append(found, b)
		return nil
	})
	return found, wrap(err, "look up keys")
}
