package nodes

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestASlowWriteIsDoneAndItsConnectionGoesOn lets a write wait in the database
// for longer than five seconds, which is longer than libraries on the way think
// that a request takes. It is answered in the end, and so are those that follow it
// on the same connection.
func TestASlowWriteIsDoneAndItsConnectionGoesOn(t *testing.T) {
	database := testenv.Postgres(t)
	c := newCluster(t, 1, database, "")
	key := c.makeUser(t, "patient", unlimited)
	who := c.nodes[0].as(key.Key)
	who.HTTP.Transport = &http.Transport{MaxConnsPerHost: 1}

	ctx := context.Background()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	held, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Exec(ctx, `select id from users where username = 'patient' for update`); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		written <- who.Want(http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": "It takes its time"})
	}()
	time.Sleep(6 * time.Second)
	if err := held.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	who.Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": "The next one"})
	who.Must(t, http.StatusOK, "GET", "/v1/stepsies", nil)
}
