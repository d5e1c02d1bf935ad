package nodes

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestReadersAreCountedOnceByAllNodesAndSurviveKill has readers open a stepsy on two
// nodes, of which one is killed: what was written stays, what was lost with the node
// is counted when its reader comes again, and nothing is counted twice.
func TestReadersAreCountedOnceByAllNodesAndSurviveKill(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2, testenv.Postgres(t), "")
	author := c.makeUser(t, "sarah", unlimited, "read", "write")
	a, b := c.nodes[0], c.nodes[1]
	var made struct {
		ID   int64  `json:"id"`
		Slug string `json:"slug"`
	}
	a.as(author.Key).Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{
		"title": "Bread", "status": "published", "steps": []map[string]any{{"title": "Mix"}},
	}, &made)
	read := func(n *node, agent string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url()+"/@sarah/"+made.Slug, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", agent)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("reading is answered by %d (%v)", res.StatusCode, err)
		}
	}
	person := func(i int) string { return fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) reader %d", i) }
	views := func() (n int64) {
		t.Helper()
		var s struct {
			Views int64 `json:"views_count"`
		}
		b.as(author.Key).Must(t, http.StatusOK, "GET", fmt.Sprintf("/v1/stepsies/%d", made.ID), nil, &s)
		return s.Views
	}
	for i := range 30 {
		read(a, person(i))
		read(b, person(i))
		read(a, fmt.Sprintf("Mozilla/5.0 (compatible; Robot%d)", i))
	}
	eventually(t, "30 readers are counted", func() bool { return views() == 30 })

	// A node writes by itself what it gathered, some seconds later: nobody comes to it
	// meanwhile, and it is not asked to end. Only what came since is lost with it.
	for i := range 20 {
		read(a, person(30+i))
	}
	eventually(t, "50 readers are counted while their node is left alone", func() bool { return views() == 50 })
	for i := range 10 {
		read(a, person(50+i))
	}
	a.kill()
	if n := views(); n < 50 || n > 60 {
		t.Errorf("after a kill there are %d views, want 50 to 60", n)
	}
	if err := a.start(); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		read(a, person(i))
		read(b, person(59-i))
	}
	eventually(t, "60 readers are counted", func() bool { return views() == 60 })
	for _, n := range c.nodes {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
		if err := n.start(); err != nil {
			t.Fatal(err)
		}
	}
	if n := views(); n != 60 {
		t.Errorf("after both nodes stopped there are %d views, want 60", n)
	}
}
