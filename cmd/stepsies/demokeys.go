package main

import (
	"context"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// demoKey is a key that the demo shows, with what became of it.
type demoKey struct {
	name, description string
	scopes            []string
	daysOld           int
	expiresIn         time.Duration // from now on; 0: never
	revokedDaysAgo    int           // 0: not revoked
	lastUsed          time.Duration // ago
	from              string        // address of the last use
	perDay            []int64       // requests on each of the last days, oldest first
	refused           int64         // since its end
}

// demoKeys are one of each kind that the Developer tab knows how to show.
var demoKeys = []demoKey{
	{
		name: "Public dashboard", description: "Screen in the lobby", scopes: []string{"read"},
		daysOld: 264, lastUsed: 94 * 24 * time.Hour, from: "198.51.100.24",
	},
	{
		name: "CI Pipeline", description: "Published the handbook on every merge", scopes: []string{"read", "write"},
		daysOld: 190, revokedDaysAgo: 5, lastUsed: 5*24*time.Hour + time.Minute, from: "192.0.2.41",
		perDay:  []int64{22, 31, 27, 9, 4, 30, 35, 28, 33, 24, 6, 3, 29, 38, 36, 31, 27, 8, 2, 33, 30, 34, 26, 21, 19},
		refused: 14,
	},
	{
		name: "Zapier Integration", description: "Drafts from support tickets", scopes: []string{"write"},
		daysOld: 85, expiresIn: 5*24*time.Hour + 4*time.Hour, lastUsed: 3 * time.Minute, from: "203.0.113.7",
		perDay: []int64{13, 17, 15, 25, 21, 9, 7, 19, 23, 27, 24, 11, 8, 22, 26, 30, 28, 25, 12, 10, 24, 29, 31, 27, 26, 13, 9, 28, 32, 18},
	},
}

// seedKeys makes the keys of the demo, with how they were used.
func seedKeys(ctx context.Context, s *store.Store, clock *demoClock, username string) error {
	defer clock.daysAgo(0)
	for _, d := range demoKeys {
		clock.daysAgo(d.daysOld)
		want := stepsies.KeyChange{Name: &d.name, Description: &d.description, Scopes: &d.scopes}
		if d.expiresIn > 0 {
			end := time.Now().Add(d.expiresIn)
			want.ExpiresAt = &end
		}
		made, err := s.CreateAPIKey(ctx, operatorWrite, username, want, stepsies.NewSecret())
		if err != nil {
			return err
		}
		if d.revokedDaysAgo > 0 {
			clock.daysAgo(d.revokedDaysAgo)
			if _, err := s.RevokeAPIKey(ctx, operatorWrite, made.Value.ID); err != nil {
				return err
			}
		}
		if err := s.RecordKeyUse(ctx, d.uses(made.Value.ID, time.Now())); err != nil {
			return err
		}
	}
	return nil
}

// uses is what the key's users did, day by day up to its last one.
func (d demoKey) uses(id int64, now time.Time) []store.KeyUse {
	last := now.Add(-d.lastUsed)
	uses := []store.KeyUse{{KeyID: id, Day: store.Day(last), LastUsed: last, LastUsedIP: d.from}}
	for i, n := range d.perDay {
		uses = append(uses, store.KeyUse{KeyID: id, Day: store.Day(last) - int64(len(d.perDay)-1-i), Requests: n})
	}
	for i := range d.refused {
		day := now.Add(-time.Duration(i) * 8 * time.Hour)
		uses = append(uses, store.KeyUse{KeyID: id, Day: store.Day(day), Refusals: 1, LastRefused: day.Add(-3 * time.Minute)})
	}
	return uses
}
