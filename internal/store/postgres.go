package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stepsies/stepsies"
)

// minPostgres is the oldest server version that the suite has run on, as
// server_version_num writes it.
const minPostgres = 150000

var postgresEngine = engine{
	name:        "postgres",
	searchValue: "array_to_tsvector(string_to_array($%d, ' '))",
	searchMatch: "words @@ cast($%d as tsquery)",
	searchQuery: func(words []string) string {
		terms := make([]string, len(words))
		for i, w := range words {
			terms[i] = `'` + w + `':*` // words hold letters, digits and marks only
		}
		return strings.Join(terms, " & ")
	},
	explain: "explain (format json) ",
	// How often the words stand decides which index is the cheaper one.
	fresh:     []any{pgx.QueryExecModeExec},
	forUpdate: " for update",
	judging: map[bool]judging{
		false: {
			gate:    ` cross join pg_advisory_xact_lock_shared(-cast($1 as bigint)) as gate`,
			key:     ` for share of u, k`,
			session: ` for share of u for key share of s`, // it ends by being deleted; being seen is no end
		},
		true: {
			gate:    ` cross join pg_advisory_xact_lock(-cast($1 as bigint)) as gate`,
			key:     ` for update of u, a for share of k`,
			session: ` for update of u, a for key share of s`,
		},
	},
	lockWait: "set local lock_timeout = '10s'",
}

// CheckURL reports whether the address of a PostgreSQL can be read. What it says
// repeats nothing of it, since it may hold a password.
func CheckURL(address string) error {
	if _, err := pgx.ParseConfig(address); err != nil {
		return errUnreadableURL
	}
	return nil
}

var errUnreadableURL = &stepsies.Error{Code: stepsies.CodeBadRequest, Message: "the address of the database cannot be read; write it as postgres://user:password@host:5432/database"}

// openPostgres opens a pool through database/sql. Each new connection is asked
// whether it leads to a primary that keeps what it commits.
func (s *Store) openPostgres(ctx context.Context, c Config) error {
	s.engine = postgresEngine
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return errUnreadableURL
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 3 * time.Second
	}
	config.ValidateConnect = validatePostgres
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if !strings.Contains(c.URL, "default_query_exec_mode") {
		pooled, err := behindPooler(ctx, config)
		if err != nil {
			return fmt.Errorf("connect to PostgreSQL: %w", redactURL(err, config))
		}
		if pooled {
			// A pooler in transaction mode loses prepared statements between transactions.
			config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		}
	}
	db := stdlib.OpenDB(*config)
	conns := c.MaxConns
	if conns <= 0 {
		conns = 20
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	s.write = newPool(db, postgresEngine.prepare)
	s.read = s.write
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", redactURL(err, config))
	}
	return nil
}

// behindPooler reports whether another program stands between us and PostgreSQL:
// PgBouncer makes up the process id that a connection announces.
func behindPooler(ctx context.Context, config *pgx.ConnConfig) (bool, error) {
	conn, err := pgconn.ConnectConfig(ctx, &config.Config)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }()
	results, err := conn.Exec(ctx, "select pg_backend_pid()").ReadAll()
	if err != nil {
		return false, err
	}
	return string(results[0].Rows[0][0]) != fmt.Sprint(conn.PID()), nil
}

// validatePostgres refuses a server that is too old, that is a standby (it would
// accept keys that the primary has revoked) or that forgets commits.
func validatePostgres(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, `select current_setting('server_version_num'), current_setting('server_version'),
		pg_is_in_recovery(), current_setting('synchronous_commit'), current_setting('server_encoding')`).ReadAll()
	if err != nil {
		return err
	}
	row := results[0].Rows[0]
	var version int
	if _, err := fmt.Sscan(string(row[0]), &version); err != nil {
		return fmt.Errorf("read the version of PostgreSQL: %w", err)
	}
	switch {
	case version < minPostgres:
		return fmt.Errorf("PostgreSQL %s is too old; upgrade it to 15 or newer", row[1])
	case string(row[2]) == "t":
		return fmt.Errorf("this PostgreSQL is a standby; connect to the primary")
	case string(row[3]) == "off":
		return fmt.Errorf("synchronous_commit is off, so that a revocation could be forgotten; run: alter database … set synchronous_commit = on")
	case string(row[4]) != "UTF8":
		return fmt.Errorf("the database's encoding is %s; create it with encoding UTF8", row[4])
	}
	return nil
}

// redactURL keeps a password out of what a failed connection says.
func redactURL(err error, c *pgx.ConnConfig) error {
	if c.Password == "" || !strings.Contains(err.Error(), c.Password) {
		return err
	}
	return fmt.Errorf("%s", strings.ReplaceAll(err.Error(), c.Password, "[redacted]"))
}
