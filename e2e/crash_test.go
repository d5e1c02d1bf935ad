package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestAnsweredWritesSurviveKill kills the server, by SIGKILL and in the middle of
// writes, over and over. Each time all writes that were answered are there, whole,
// and whatever was not answered is there whole or not at all.
func TestAnsweredWritesSurviveKill(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	onEachEngine(t, func(t *testing.T, in *installation) {
		record := newWriteRecord(in.makeAdmin(t))
		for range rounds {
			s := in.serve(t)
			record.verify(t, s)
			record.writeUntil(t, s, s.kill, 0)
		}
		s := in.serve(t)
		record.verify(t, s)
		s.stop(t)
		record.verifyActivity(t, in)
	})
}

// TestAnsweredWritesSurviveTheDeathOfPostgreSQL kills every process of PostgreSQL
// in the middle of writes. The server stays, says 503 meanwhile, and goes on by
// itself once PostgreSQL is back.
func TestAnsweredWritesSurviveTheDeathOfPostgreSQL(t *testing.T) {
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	postgres := testenv.StartPostgres(t)
	address, err := postgres.CreateDatabase()
	if err != nil {
		t.Fatal(err)
	}
	in := postgresInstallation(t, address)
	record := newWriteRecord(in.makeAdmin(t))
	s := in.serve(t)
	for range rounds {
		record.writeUntil(t, s, func() {
			if err := postgres.Kill(); err != nil {
				t.Fatal(err)
			}
		}, http.StatusServiceUnavailable)
		c := s.as(t, record.key)
		if got := c.Status(t, "/v1/me"); got != http.StatusServiceUnavailable {
			t.Errorf("without a database a key gets status %d, want 503", got)
		}
		if got := c.Status(t, "/readyz"); got != http.StatusServiceUnavailable {
			t.Errorf("without a database /readyz says %d, want 503", got)
		}
		if err := postgres.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the server found PostgreSQL again", func() bool { return c.Status(t, "/v1/me") == http.StatusOK })
		record.verify(t, s)
	}
	s.stop(t)
	record.verifyActivity(t, in)
}

// TestSilentDatabaseIsUnavailableAndNeverUnauthorized: PostgreSQL keeps its
// connections open and answers nobody.
func TestSilentDatabaseIsUnavailableAndNeverUnauthorized(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for the deadlines of requests")
	}
	postgres := testenv.StartPostgres(t)
	address, err := postgres.CreateDatabase()
	if err != nil {
		t.Fatal(err)
	}
	in := postgresInstallation(t, address)
	key := in.makeAdmin(t)
	s := in.serve(t)
	c := s.as(t, key)
	if got := c.Status(t, "/v1/me"); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	if err := postgres.Pause(); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	for path, want := range map[string]int{"/v1/me": 503, "/v1/stepsies": 503, "/readyz": 503, "/healthz": 200} {
		if got := c.Status(t, path); got != want {
			t.Errorf("%s gets status %d, want %d", path, got, want)
		}
	}
	t.Logf("four requests were answered within %v", time.Since(before))
	if got := s.as(t, "sk_malformed").Status(t, "/v1/me"); got != http.StatusUnauthorized {
		t.Errorf("a malformed key, which costs no question to the database, gets status %d", got)
	}
	in.run(t, "user", "list").failure(t, 1, "PostgreSQL")
	if err := postgres.Resume(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server goes on", func() bool { return c.Status(t, "/v1/me") == http.StatusOK })
	s.stop(t)
}
