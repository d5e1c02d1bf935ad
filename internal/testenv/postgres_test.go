package testenv

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	needAll(t, "postgres")
	first, second := Postgres(t), Postgres(t)
	if first == second {
		t.Fatal("one database was given twice")
	}
	// Its user may make tables, and sees none of another's.
	for _, address := range []string{first, second} {
		if err := execute(address, `create table t (a int)`); err != nil {
			t.Error(err)
		}
	}
	if got := ask(t, first, `select current_setting('is_superuser')`); got != "off" {
		t.Errorf("is_superuser is %q", got)
	}
	if got := ask(t, first, `select datcollate || ' ' || pg_encoding_to_char(encoding) from pg_database where datname = current_database()`); got != "C.UTF-8 UTF8" {
		t.Errorf("collation and encoding are %q", got)
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	needAll(t, "postgres")
	var address string
	t.Run("user", func(t *testing.T) {
		address = Postgres(t)
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn // left open on purpose
	})
	if err := ping(address); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("asking the dropped database: %v", err)
	}
}

func TestKilledPostgresComesBackWithWhatWasCommitted(t *testing.T) {
	needAll(t, "postgres")
	s := StartPostgres(t)
	address, err := s.CreateDatabase()
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, address, `select current_setting('fsync')`); got != "on" {
		t.Errorf("fsync is %s", got)
	}
	if err := execute(address, `create table t (a int)`); err != nil {
		t.Fatal(err)
	}
	for i, end := range []func() error{s.Kill, s.Stop, s.Kill} {
		if err := execute(address, `insert into t values (1)`); err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if s.PID() != 0 {
			t.Error("it still has a process")
		}
		if err := ping(address); err == nil {
			t.Error("a stopped cluster answers")
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, address, `select cast(count(*) as text) from t`); got != strconv.Itoa(i+1) {
			t.Errorf("after end %d there are %s rows", i+1, got)
		}
	}
	if err := s.Start(); err == nil {
		t.Error("a running cluster was started again")
	}
	if err := s.Restart(); err != nil {
		t.Error(err)
	}
}

func TestPausedPostgresIsSilentUntilResumed(t *testing.T) {
	needAll(t, "postgres")
	s := StartPostgres(t, "fsync=off")
	conn, err := pgx.Connect(t.Context(), s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), `select 1`)
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("a paused cluster answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("after it was resumed: %v", err)
	}
}

func TestTwoClustersAtOnce(t *testing.T) {
	needAll(t, "postgres")
	a, b := StartPostgres(t, "fsync=off"), StartPostgres(t, "max_connections=7")
	if a.Port() == b.Port() || a.DataDir() == b.DataDir() {
		t.Fatal("two clusters share a port or a folder")
	}
	if got := ask(t, a.URL("postgres"), `select current_setting('fsync') || ' ' || current_setting('max_connections')`); got != "off 200" {
		t.Errorf("settings of the first: %s", got)
	}
	if got := ask(t, b.URL("postgres"), `select current_setting('fsync') || ' ' || current_setting('max_connections')`); got != "on 7" {
		t.Errorf("settings of the second: %s", got)
	}
	// What one may do with its password it may not do at the other.
	if err := ping(strings.Replace(a.URL("postgres"), strconv.Itoa(a.Port()), strconv.Itoa(b.Port()), 1)); err == nil {
		t.Error("one cluster's password opens the other")
	}
	if err := a.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := ping(b.URL("postgres")); err != nil {
		t.Errorf("the end of one reached the other: %v", err)
	}
}

func TestStandbyRefusesToWrite(t *testing.T) {
	needAll(t, "postgres")
	s := StartPostgres(t, "fsync=off")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.DataDir(), "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s.URL("postgres"), `select cast(pg_is_in_recovery() as text)`); got != "true" {
		t.Errorf("pg_is_in_recovery is %s", got)
	}
}

func TestPgBouncerPoolsByTransaction(t *testing.T) {
	needAll(t, "postgres", "pgbouncer")
	direct := Postgres(t)
	pooled := PgBouncer(t, direct)
	if pooled == direct {
		t.Fatal("the pooler's address is the database's")
	}
	if err := execute(pooled, `create table t (a int)`); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, direct, `select cast(count(*) as text) from t`); got != "0" {
		t.Errorf("behind the pooler there are %s rows", got)
	}
	// More idle clients than server connections: only transaction mode serves them all.
	for range 30 {
		conn, err := pgx.Connect(t.Context(), pooled)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), `select 1`, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
}

func ask(t *testing.T, address, query string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var answer string
	if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
