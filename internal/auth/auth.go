// Package auth says who is calling: it turns a bearer key into a Principal, keeps
// note of when keys were used, and checks passwords.
package auth

import (
	"context"
	"log/slog"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// Principal is who makes a request, and how far they reach.
type Principal struct {
	Actor  stepsies.Actor
	User   stepsies.User   // zero for the operator; of a key's user, what a look-up reads
	Key    stepsies.APIKey // zero for the operator
	Scopes stepsies.Scopes // what the key carries and its user may do now
}

// Operator is whoever came through the socket in the data folder. It has all of
// scope admin and no user of its own.
func Operator() Principal {
	return Principal{
		Actor:  stepsies.Actor{Kind: stepsies.ActorOperator},
		Scopes: stepsies.ScopesOf(stepsies.ScopeAdmin),
	}
}

// IsOperator reports whether the principal came through the socket.
func (p Principal) IsOperator() bool { return p.Actor.Kind == stepsies.ActorOperator }

// Write is a change that the principal makes by an operation which needs the scope.
func (p Principal) Write(scope stepsies.Scope) store.Write {
	return store.Write{Actor: p.Actor, Right: store.Right{Scope: scope}}
}

// Access is how far the principal reached when they were let in. What a write reaches
// is found out by the store.
func (p Principal) Access() stepsies.Access {
	return stepsies.Access{UserID: p.User.ID, AccountID: p.User.Account.ID, Everyone: p.Scopes.Allow(stepsies.ScopeAdmin)}
}

// Keys authenticates API keys.
type Keys struct {
	lookups *lookups
	usage   *Usage
	now     func() time.Time
}

// NewKeys returns an authenticator on the store that notes uses in usage.
func NewKeys(s *store.Store, usage *Usage, now func() time.Time) *Keys {
	return &Keys{lookups: newLookups(s.LookUpKeys), usage: usage, now: now}
}

// Observe has fn told of every look-up: how many keys it asked for and how long
// it took. It must be called before the first request.
func (k *Keys) Observe(fn func(keys int, took time.Duration, err error)) { k.lookups.observe = fn }

// Authenticate returns the principal of a request by its Authorization headers
// and its client address, and notes that the key was used. The error is
// stepsies.Unauthorized for every key that does not work, whatever the cause, and
// has the code unavailable where the database could not be asked: a failure is
// never an answer about a key.
func (k *Keys) Authenticate(ctx context.Context, headers []string, ip string) (Principal, error) {
	now := k.now() // the request's, however long the look-up takes
	b, err := k.judge(ctx, headers, now)
	switch {
	case err == nil:
		k.usage.accepted(b.Key.ID, ip, now)
	case b.Key.ID != 0:
		k.usage.refused(b.Key.ID, now)
	}
	return principal(b, ip, err)
}

// Judge does the same and notes nothing: for what is done on behalf of a request that
// was authenticated before.
func (k *Keys) Judge(ctx context.Context, headers []string, ip string) (Principal, error) {
	b, err := k.judge(ctx, headers, k.now())
	return principal(b, ip, err)
}

// judge finds the bearer of a key and says whether it works. That of a known key which
// does not is returned with the error.
func (k *Keys) judge(ctx context.Context, headers []string, now time.Time) (store.Bearer, error) {
	secret, ok := ParseBearer(headers)
	if !ok {
		return store.Bearer{}, stepsies.Unauthorized()
	}
	b, found, err := k.lookups.find(ctx, secret.Hash())
	switch {
	case err != nil:
		return store.Bearer{}, stepsies.Unavailable(err)
	case !found:
		return store.Bearer{}, stepsies.Unauthorized()
	case !b.Works(now):
		return b, stepsies.Unauthorized()
	}
	return b, nil
}

func principal(b store.Bearer, ip string, err error) (Principal, error) {
	if err != nil {
		return Principal{}, err
	}
	return Principal{
		Actor: stepsies.Actor{
			Kind: stepsies.ActorKey, UserID: b.User.ID, Username: b.User.Username,
			KeyID: b.Key.ID, KeyName: b.Key.Name, IP: ip,
		},
		User: b.User, Key: b.Key, Scopes: b.Key.Scopes.Holdable(b.User.Role),
	}, nil
}

// LogValue names the principal by its ids.
func (p Principal) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("user", p.User.ID), slog.Int64("key", p.Key.ID))
}
