package nodes

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestThreeNodesStartAtOnceOnAnEmptyDatabase lets three nodes migrate one database,
// directly and through a pooler that gives each transaction another connection.
func TestThreeNodesStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	for name, address := range map[string]func(tb testing.TB) string{
		"PostgreSQL": testenv.Postgres,
		"PgBouncer":  func(tb testing.TB) string { return testenv.PgBouncer(tb, testenv.Postgres(tb)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3, address(t), "") // fails where one of them does
			for _, n := range c.nodes {
				c.root.At(n.url()).Must(t, http.StatusOK, "GET", "/v1/me", nil)
			}
			if out := c.run(t, "migrate", "--log-level", "warn"); !strings.Contains(out, "at this program's version") {
				t.Errorf("migrate said %q", out)
			}
		})
	}
}

// TestNodesWorkThroughPgBouncer runs what clients do through two nodes that share
// twenty connections in transaction mode, from many callers at once, so that no
// caller's transactions stay on one connection.
func TestNodesWorkThroughPgBouncer(t *testing.T) {
	c := newCluster(t, 2, testenv.PgBouncer(t, testenv.Postgres(t)), testenv.StartRedis(t).URL())
	var callers sync.WaitGroup
	errs := make(chan error, 16)
	for i := range 16 {
		key := c.makeUser(t, fmt.Sprintf("pooled%d", i), unlimited)
		callers.Go(func() {
			for range 3 {
				if err := coreFlow(c, fmt.Sprintf("pooled%d", i), key); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	callers.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

// coreFlow writes, finds, publishes and deletes a stepsy, and makes, edits, rotates
// and revokes keys, each step through another node than the one before.
func coreFlow(c *cluster, user string, key madeKey) error {
	one, other := c.nodes[0].as(key.Key), c.nodes[1].as(key.Key)
	defer one.HTTP.CloseIdleConnections()
	defer other.HTTP.CloseIdleConnections()
	admin := c.root.At(c.nodes[1].url())
	var made struct {
		ID   int64
		Slug string
	}
	type list struct {
		Data []struct{ ID int64 }
	}
	var found list
	var next, after madeKey
	steps := []map[string]string{{"title": "First", "content": "<p>Boil the <b>kettle</b></p>"}}
	path := func() string { return fmt.Sprintf("/v1/stepsies/%d", made.ID) }
	keyPath := func(k *madeKey) func() string { return func() string { return fmt.Sprintf("/v1/api-keys/%d", k.ID) } }
	then := func(p func() string, more string) func() string { return func() string { return p() + more } }
	fixed := func(p string) func() string { return func() string { return p } }
	for _, step := range []struct {
		who    *testenv.Caller
		status int
		method string
		path   func() string
		body   any
		into   any
	}{
		{once(one, rand.Text()), http.StatusCreated, "POST", fixed("/v1/stepsies"), map[string]any{"title": "Make tea", "steps": steps}, &made},
		{other, http.StatusOK, "GET", path, nil, nil},
		{other, http.StatusOK, "PATCH", path, map[string]any{"description": "With milk"}, nil},
		{one, http.StatusOK, "POST", then(path, "/publish"), nil, nil},
		{other, http.StatusOK, "GET", fixed("/v1/stepsies?q=kettle&status=published"), nil, &found},
		{one, http.StatusOK, "GET", fixed("/v1/stepsies?limit=5&sort=title"), nil, nil},
		{other, http.StatusOK, "POST", then(path, "/unpublish"), nil, nil},
		{one, http.StatusNoContent, "DELETE", path, nil, nil},
		{other, http.StatusNotFound, "GET", path, nil, nil},
		{one, http.StatusOK, "PATCH", fixed("/v1/me"), map[string]any{"bio": "Drinks tea"}, nil},
		{c.root, http.StatusCreated, "POST", fixed("/v1/api-keys"), map[string]any{"name": "more", "scopes": []string{"read"}, "user_id": user}, &next},
		{admin, http.StatusOK, "PATCH", keyPath(&next), map[string]any{"scopes": []string{"read", "write"}}, nil},
		{c.root, http.StatusCreated, "POST", then(keyPath(&next), "/rotate"), map[string]any{"grace_period_seconds": 0}, &after},
		{admin, http.StatusOK, "POST", then(keyPath(&after), "/revoke"), nil, nil},
		{admin, http.StatusOK, "PATCH", fixed("/v1/users/" + user), map[string]any{"display_name": "Of the pool"}, nil},
	} {
		into := []any{}
		if step.into != nil {
			into = append(into, step.into)
		}
		if err := step.who.Want(step.status, step.method, step.path(), step.body, into...); err != nil {
			return err
		}
	}
	if len(found.Data) != 1 || found.Data[0].ID != made.ID {
		return fmt.Errorf("a search found %v, want %d alone", found.Data, made.ID)
	}
	for _, dead := range []madeKey{next, after} {
		for _, who := range []*testenv.Caller{one, other} {
			if err := who.With(dead.Key).Want(http.StatusUnauthorized, "GET", "/v1/me", nil); err != nil {
				return err
			}
		}
	}
	return nil
}
