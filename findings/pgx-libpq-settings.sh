#!/usr/bin/env bash
# Guess: the Go driver ignores settings of a connection string that concern libpq alone, or knows them.
#
# pgx sends every setting that it does not know to the server, as a parameter of the session. The server refuses those of libpq
# (keepalives, gssencmode, fallback_application_name) as "unrecognized configuration parameter", which reads like a fault of the
# server. tcp_user_timeout both know: libpq sets it on its own socket, by pgx the server sets it on the other end, without a word.
# The other way round timezone= and search_path= work with pgx, and psql refuses them.
#
# For our users: a connection string that hosts of databases hand out, or that worked with psql, does not start the server.
# What we do: docs/operating.md lists what may stand behind the "?", and says what the refusal means.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
export GOFLAGS='-modcacherw -mod=mod' GOTOOLCHAIN=local

bin=$(ls -d /usr/lib/postgresql/15/bin)
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; } # initdb refuses root
mkdir pg
if [ "$(id -u)" = 0 ]; then chmod 755 . && chown postgres pg; fi
as "$bin/initdb" -D "$dir/pg/data" -U app -A trust > initdb.log
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
trap 'as "$bin/pg_ctl" -D "$dir/pg/data" -m immediate -s stop || true; rm -rf "$dir"' EXIT
as "$bin/pg_ctl" -D "$dir/pg/data" -l "$dir/pg/log" -s -w -o "-p $port -k '' -c listen_addresses=127.0.0.1" start > start.log

cat > go.mod <<'MOD'
module example.com/dsn

go 1.24
MOD
go get github.com/jackc/pgx/v5@v5.12.0 2> get.log || { cat get.log; exit 1; }
cat > main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var timeout string
	conn, err := pgx.Connect(ctx, os.Args[1])
	if err == nil {
		err = conn.QueryRow(ctx, "show tcp_user_timeout").Scan(&timeout)
	}
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
		fmt.Println(refused.Message)
	} else if err != nil {
		fmt.Println("other error:", err)
	} else {
		fmt.Println("connected, the server's tcp_user_timeout is", timeout)
	}
}
GO
go build -o pgx .
{
  echo "pgx v5.12.0, $("$bin/psql" --version | cut -d. -f1)"
  for setting in keepalives=1 keepalives_idle=30 gssencmode=disable fallback_application_name=web tcp_user_timeout=5000 timezone=UTC connect_timeout=5; do
    dsn="postgres://app@127.0.0.1:$port/postgres?sslmode=disable&$setting"
    echo "$setting"
    echo "    pgx:  $(./pgx "$dsn")"
    echo "    psql: $("$bin/psql" -w -At -d "$dsn" -c 'show tcp_user_timeout' 2>&1 | sed 's/^psql: error: //; s/^\([0-9]*\)$/connected, the server'"'"'s tcp_user_timeout is \1/')"
  done
} | tee seen
diff - seen <<'END'
pgx v5.12.0, psql (PostgreSQL) 15
keepalives=1
    pgx:  unrecognized configuration parameter "keepalives"
    psql: connected, the server's tcp_user_timeout is 0
keepalives_idle=30
    pgx:  unrecognized configuration parameter "keepalives_idle"
    psql: connected, the server's tcp_user_timeout is 0
gssencmode=disable
    pgx:  unrecognized configuration parameter "gssencmode"
    psql: connected, the server's tcp_user_timeout is 0
fallback_application_name=web
    pgx:  unrecognized configuration parameter "fallback_application_name"
    psql: connected, the server's tcp_user_timeout is 0
tcp_user_timeout=5000
    pgx:  connected, the server's tcp_user_timeout is 5000
    psql: connected, the server's tcp_user_timeout is 0
timezone=UTC
    pgx:  connected, the server's tcp_user_timeout is 0
    psql: invalid URI query parameter: "timezone"
connect_timeout=5
    pgx:  connected, the server's tcp_user_timeout is 0
    psql: connected, the server's tcp_user_timeout is 0
END
