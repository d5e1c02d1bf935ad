package testenv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// FastVariable is the environment variable that, set to "1", takes fsync from the
// cluster that Postgres shares: several times faster to make databases in, and
// good for every test but those of durability, which start a cluster of their own.
const FastVariable = "TESTENV_FAST"

// PostgresServer is a PostgreSQL cluster of its own, for tests that stop, kill or
// change it. It accepts up to 200 connections, with a password, from 127.0.0.1 and
// through a socket in its folder. Its methods may be called from any goroutine.
type PostgresServer struct {
	service
	data      string
	password  string
	databases atomic.Int64
}

// sharedPostgres is the cluster that the tests of one process share.
var sharedPostgres = sync.OnceValues(func() (*PostgresServer, error) {
	if os.Getenv(FastVariable) == "1" {
		return newPostgres("fsync=off", "full_page_writes=off")
	}
	return newPostgres()
})

// Postgres returns the URL of a new, empty database in a cluster that all tests of
// the process share. The URL's user owns the database and is no superuser. The
// database is dropped when the test ends.
func Postgres(tb testing.TB) string {
	tb.Helper()
	s, err := sharedPostgres()
	check(tb, err)
	url, err := s.CreateDatabase()
	check(tb, err)
	tb.Cleanup(func() {
		if err := s.dropDatabase(url); err != nil {
			tb.Errorf("testenv: %v", err)
		}
	})
	return url
}

// StartPostgres makes and starts a cluster for one test, which writes durably
// unless a setting such as "fsync=off" says otherwise; settings are those of
// postgresql.conf. It is removed when the test ends.
func StartPostgres(tb testing.TB, settings ...string) *PostgresServer {
	tb.Helper()
	s, err := newPostgres(settings...)
	check(tb, err)
	tb.Cleanup(func() {
		if err := s.remove(); err != nil {
			tb.Errorf("testenv: %v", err)
		}
	})
	return s
}

// newPostgres makes a cluster and starts it.
func newPostgres(settings ...string) (*PostgresServer, error) {
	programs, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	sup, err := theSupervisor()
	if err != nil {
		return nil, err
	}
	folder, err := sup.makeFolder("postgres", owner)
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{data: filepath.Join(folder, "data"), password: rand.Text()}
	s.service = service{name: "postgres", folder: folder, user: owner, stopSignal: syscall.SIGINT, ready: s.answers}
	if err := s.initialise(filepath.Join(programs, "initdb")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	// Another process may take the port between its choice and its use.
	for range 3 {
		if s.port, err = freePort(); err != nil {
			break
		}
		s.args = []string{filepath.Join(programs, "postgres"), "-D", s.data, "-k", folder, "-p", strconv.Itoa(s.port),
			"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "shared_buffers=32MB"}
		for _, setting := range settings {
			s.args = append(s.args, "-c", setting)
		}
		if err = s.start(); err == nil {
			break
		}
	}
	if err == nil {
		err = s.createOwner()
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// initialise runs initdb. Locale C.UTF-8 is what the program's collation tests expect.
func (s *PostgresServer) initialise(initdb string) error {
	passwords := filepath.Join(s.folder, "password")
	if err := writeFor(s.user, passwords, s.password); err != nil {
		return err
	}
	defer os.Remove(passwords)
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, initdb, "--pgdata", s.data, "--username", "postgres", "--pwfile", passwords,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions")
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

// createOwner makes the user that owns the databases of tests.
func (s *PostgresServer) createOwner() error {
	// rand.Text holds letters and digits only.
	return s.administer(`create role stepsies login password '` + s.password + `'`)
}

// Start starts the cluster after Stop or Kill and returns once it answers.
func (s *PostgresServer) Start() error {
	// After Kill nothing runs on this data any more. The pid that the lock file
	// names may be some other process by now, which PostgreSQL would wait for.
	if s.pid() == 0 {
		if err := os.Remove(filepath.Join(s.data, "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.start()
}

// Stop ends the cluster as a "fast" shutdown does: clients are cut off and
// everything is written.
func (s *PostgresServer) Stop() error { return s.stop() }

// Kill ends every process of the cluster by SIGKILL, as the loss of the machine's
// power would but for what the operating system still writes.
func (s *PostgresServer) Kill() error { return s.kill() }

// Restart is Stop and Start, on the same port.
func (s *PostgresServer) Restart() error { return errors.Join(s.Stop(), s.Start()) }

// Pause stops the cluster's processes without ending them: connections stay open
// and nobody answers, until Resume.
func (s *PostgresServer) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *PostgresServer) Resume() error { return s.signal(syscall.SIGCONT) }

// Port returns the loopback port, which is the same after a restart.
func (s *PostgresServer) Port() int { return s.port }

// PID returns the process id of the postmaster, 0 while it is stopped.
func (s *PostgresServer) PID() int { return s.pid() }

// DataDir returns the data folder, for tests that look or write into it.
func (s *PostgresServer) DataDir() string { return s.data }

// URL returns the address of a database, as the plain user who owns those that
// CreateDatabase makes. It holds the password.
func (s *PostgresServer) URL(database string) string { return s.url("stepsies", database) }

// AdminURL returns the address of a database as the cluster's superuser.
func (s *PostgresServer) AdminURL(database string) string { return s.url("postgres", database) }

func (s *PostgresServer) url(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, s.password), Host: s.addr(), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// CreateDatabase makes an empty database and returns its URL.
func (s *PostgresServer) CreateDatabase() (string, error) {
	name := "test_" + strconv.FormatInt(s.databases.Add(1), 10)
	if err := s.administer(`create database ` + name + ` owner stepsies template template0`); err != nil {
		return "", err
	}
	return s.URL(name), nil
}

// dropDatabase removes a database with the connections to it that a test left open.
func (s *PostgresServer) dropDatabase(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("drop a database: its address cannot be read")
	}
	return s.administer(`drop database ` + u.Path[1:] + ` with (force)`)
}

// answers reports whether the cluster takes a connection and a statement.
func (s *PostgresServer) answers() error { return ping(s.AdminURL("postgres")) }

// administer runs one statement as the superuser.
func (s *PostgresServer) administer(statement string) error {
	return execute(s.AdminURL("postgres"), statement)
}

// ping connects to a database and asks it one thing.
func ping(address string) error { return execute(address, `select 1`) }

// execute runs one statement in a connection of its own.
func execute(address, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return errors.New("the address of the database cannot be read")
	}
	config.ConnectTimeout = 5 * time.Second
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("run a statement: %w", err)
	}
	return nil
}
