// Package racy has races in it, to see that they are reported. No pattern of packages
// meets it here.
package racy

import (
	"database/sql"
	"sync"
	"testing"

	_ "modernc.org/sqlite"
)

// counter is what is written without a lock.
type counter struct{ n int }

func TestWritesOfTwoGoroutinesRace(t *testing.T) {
	var c counter
	twice(func() { c.n++ })
	t.Log(c.n)
}

func TestWritesAroundAQueryRace(t *testing.T) {
	var c counter
	twice(func() {
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = db.Close() }()
		c.n++
		var one int
		if err := db.QueryRow("select 1").Scan(&one); err != nil || one != 1 {
			t.Errorf("got %d, %v", one, err)
		}
	})
	t.Log(c.n)
}

func twice(f func()) {
	var all sync.WaitGroup
	for range 2 {
		all.Go(f)
	}
	all.Wait()
}
