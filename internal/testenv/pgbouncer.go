package testenv

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// pgbouncerConfig pools by transaction. Twenty server connections are fewer than
// tests open, so that a client does lose its connection between transactions.
const pgbouncerConfig = `[databases]
* = host=%s port=%s

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
`

// PgBouncer starts a PgBouncer in transaction mode before the database at a URL
// that Postgres or PostgresServer gave, and returns the URL through it. It ends
// with the test.
func PgBouncer(tb testing.TB, postgresURL string) string {
	tb.Helper()
	target, err := url.Parse(postgresURL)
	if err != nil {
		tb.Fatal("testenv: the address of the database cannot be read")
	}
	s, err := newPgBouncer(target)
	check(tb, err)
	tb.Cleanup(func() {
		if err := s.remove(); err != nil {
			tb.Errorf("testenv: %v", err)
		}
	})
	return through(target, s)
}

// through returns the address of a database by way of a pooler.
func through(target *url.URL, pooler *service) string {
	u := *target
	u.Host = pooler.addr()
	return u.String()
}

func newPgBouncer(target *url.URL) (*service, error) {
	program, err := find("pgbouncer")
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
	folder, err := sup.makeFolder("pgbouncer", owner)
	if err != nil {
		return nil, err
	}
	password, _ := target.User.Password()
	users := fmt.Sprintf("%q %q\n", target.User.Username(), password)
	if err := writeFor(owner, filepath.Join(folder, "users"), users); err != nil {
		return nil, err
	}
	s := &service{name: "pgbouncer", folder: folder, user: owner, stopSignal: syscall.SIGINT}
	s.ready = func() error { return ping(through(target, s)) }
	config := filepath.Join(folder, "pgbouncer.ini")
	s.args = []string{program, config}
	for range 3 {
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = writeFor(owner, config, fmt.Sprintf(pgbouncerConfig, target.Hostname(), target.Port(), s.port)); err != nil {
			break
		}
		if err = s.start(); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(folder))
}
