package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestStandbyAndForgetfulDatabaseAreRefused: a standby would accept keys that the
// primary has revoked, and without synchronous_commit a crash would bring revoked
// keys back. Neither is used, not even by a server that was there before.
func TestStandbyAndForgetfulDatabaseAreRefused(t *testing.T) {
	t.Parallel()
	postgres := testenv.StartPostgres(t, "fsync=off")
	address, err := postgres.CreateDatabase()
	if err != nil {
		t.Fatal(err)
	}
	in := postgresInstallation(t, address)
	key := in.makeAdmin(t)

	db := in.open(t)
	database := address[strings.LastIndex(address, "/")+1:]
	database, _, _ = strings.Cut(database, "?")
	if _, err := db.Exec(`alter database ` + database + ` set synchronous_commit = off`); err != nil {
		t.Fatal(err)
	}
	in.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 1, "synchronous_commit")
	if _, err := db.Exec(`alter database ` + database + ` reset synchronous_commit`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s := in.serve(t)
	c := s.as(t, key)
	if got := c.Status(t, "/v1/me"); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	if err := postgres.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(postgres.DataDir(), "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Start(); err != nil {
		t.Fatal(err)
	}
	if got := c.Status(t, "/v1/me"); got != http.StatusServiceUnavailable {
		t.Errorf("on a standby a key gets status %d, want 503", got)
	}
	for _, args := range []string{"serve --listen 127.0.0.1:0", "migrate", "user list"} {
		in.run(t, strings.Fields(args)...).failure(t, 1, "standby", "primary")
	}
}
