package store

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/testenv"
)

// fakePostgres speaks enough of the protocol to answer every query with one row. It
// stands for servers that cannot be installed here.
func fakePostgres(t *testing.T, row ...string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerAsPostgres(conn, row)
		}
	}()
	return "postgres://stepsies:not-a-secret@" + listener.Addr().String() + "/stepsies?sslmode=disable"
}

func answerAsPostgres(conn net.Conn, row []string) {
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}})
	ready := func() error {
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		return backend.Flush()
	}
	if ready() != nil {
		return
	}
	for {
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if _, ok := message.(*pgproto3.Query); !ok {
			return
		}
		description, data := &pgproto3.RowDescription{}, &pgproto3.DataRow{}
		for _, value := range row {
			description.Fields = append(description.Fields, pgproto3.FieldDescription{Name: []byte("f"), DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1})
			data.Values = append(data.Values, []byte(value))
		}
		backend.Send(description)
		backend.Send(data)
		backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		if ready() != nil {
			return
		}
	}
}

func TestServersThatWouldForgetARevocationAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row  []string
		says string // "" is taken
	}{
		"too old":          {[]string{"140012", "14.12 (Debian 14.12-1)", "f", "on", "UTF8"}, "PostgreSQL 14.12 (Debian 14.12-1) is too old; upgrade it to 15 or newer"},
		"ancient":          {[]string{"90624", "9.6.24", "f", "on", "UTF8"}, "PostgreSQL 9.6.24 is too old"},
		"the oldest":       {[]string{"150000", "15.0", "f", "on", "UTF8"}, ""},
		"newer":            {[]string{"190001", "19.1", "f", "remote_apply", "UTF8"}, ""},
		"a standby":        {[]string{"150004", "15.4", "t", "on", "UTF8"}, "is a standby; connect to the primary"},
		"without commit":   {[]string{"150004", "15.4", "f", "off", "UTF8"}, "synchronous_commit is off"},
		"another encoding": {[]string{"150004", "15.4", "f", "on", "SQL_ASCII"}, "encoding is SQL_ASCII"},
		"no PostgreSQL":    {[]string{"PgSomething", "", "", "", ""}, "version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), Config{URL: fakePostgres(t, c.row...)})
			if err == nil {
				s.Close()
			}
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("opened with %v, want %q", err, c.says)
			}
		})
	}
}

func TestRealStandbyIsRefused(t *testing.T) {
	t.Parallel()
	server := testenv.StartPostgres(t, "fsync=off")
	address, err := server.CreateDatabase()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(server.DataDir(), "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if other, err := Open(t.Context(), Config{URL: address}); err == nil || !strings.Contains(err.Error(), "is a standby; connect to the primary") {
		if other != nil {
			other.Close()
		}
		t.Errorf("a standby was opened: %v", err)
	}
	// One that a running program comes back to after a failover is no better.
	_, err = s.LookUpKeys(t.Context(), []stepsies.KeyHash{{}})
	wantCode(t, err, stepsies.CodeUnavailable)
}

func TestErrorsOfTheDatabaseAddressShowNoPassword(t *testing.T) {
	t.Parallel()
	good, err := url.Parse(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	const password = "hunter2 Pa%ss:w@rd/"
	with := func(change func(u *url.URL)) string {
		u := *good
		u.User = url.UserPassword("stepsies", password)
		change(&u)
		return u.String()
	}
	for name, address := range map[string]string{
		"wrong password":  with(func(u *url.URL) {}),
		"unknown user":    with(func(u *url.URL) { u.User = url.UserPassword("nobody", password) }),
		"nobody listens":  with(func(u *url.URL) { u.Host = "127.0.0.1:1" }),
		"unknown host":    with(func(u *url.URL) { u.Host = "no-such-host.invalid" }),
		"no port":         with(func(u *url.URL) { u.Host = "127.0.0.1:port" }),
		"not escaped":     "postgres://stepsies:" + password + "@127.0.0.1:5432/x",
		"unknown setting": with(func(u *url.URL) { u.RawQuery = "sslmode=sometimes" }),
		"another scheme":  "mysql://stepsies:hunter2@127.0.0.1/x",
		"words":           "host=127.0.0.1 port=1 user=stepsies password=hunter2",
	} {
		s, err := Open(t.Context(), Config{URL: address})
		if err == nil {
			s.Close()
			t.Errorf("%s: it was opened", name)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), url.QueryEscape(password)) {
			t.Errorf("%s: the error shows the password", name)
		}
	}
}

// TestLostDatabaseIsUnavailableUntilItIsBack: never "no such key", and never an
// internal error.
func TestLostDatabaseIsUnavailableUntilItIsBack(t *testing.T) {
	t.Parallel()
	server := testenv.StartPostgres(t, "fsync=off")
	address, err := server.CreateDatabase()
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, "postgres", Config{URL: address, MaxConns: 4})
	u := f.member(t, "sarah")
	k, secret := f.key(t, u, "read")
	asks := func(want stepsies.Code) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		found, err := f.LookUpKeys(ctx, []stepsies.KeyHash{secret.Hash()})
		wantCode(t, err, want)
		if want == "" && len(found) != 1 {
			t.Errorf("%d keys are found", len(found))
		}
		wantCode(t, second(f.APIKey(ctx, k.ID, of(u))), want)
		wantCode(t, second(f.UpdateAPIKey(ctx, by(u), k.ID, stepsies.KeyChange{Name: ptr("n " + string(want))})), want)
		wantCode(t, f.Ping(ctx), want)
	}
	asks("")
	for _, loss := range []struct {
		end, back func() error
	}{{server.Stop, server.Start}, {server.Kill, server.Start}} {
		if err := loss.end(); err != nil {
			t.Fatal(err)
		}
		asks(stepsies.CodeUnavailable)
		if err := loss.back(); err != nil {
			t.Fatal(err)
		}
		asks("")
	}
	// A server that does not answer at all ends with the caller's deadline or ours.
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = f.LookUpKeys(ctx, []stepsies.KeyHash{secret.Hash()})
	wantCode(t, err, stepsies.CodeUnavailable)
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	asks("")
	// A refused password is the operator's mistake and no answer about a key either.
	operator, err := Open(t.Context(), Config{URL: server.AdminURL("postgres")})
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	admin := &fixture{Store: operator}
	admin.raw(t, `alter role stepsies password 'another'`)
	admin.raw(t, `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'stepsies'`)
	asks(stepsies.CodeUnavailable)
}
