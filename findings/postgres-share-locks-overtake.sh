#!/usr/bin/env bash
# Guess: whoever waits for a lock of a row in PostgreSQL stands in line, so that an update that waits for a reader with FOR SHARE comes before
# the readers that ask later, and waits for that one alone.
#
# A later FOR SHARE is given at once, since it goes with the lock that is held: it passes the update that waits. As long as such readers
# overlap, the update waits for all of them. Advisory locks (like those of tables) do stand in line: there the later reader waits behind the
# one who wants the lock alone.
#
# For our users: every write by a key shares the rows that give its right, until it is made. Enough writes at the same time would hold
# up the key's own revocation: with 8 writers of 3 ms each one update waited up to 5 s.
# What we do: all pass an advisory lock of the user before the rows; see docs/decisions/0020-a-write-is-judged-twice.md.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
bin=/usr/lib/postgresql/15/bin # of Debian's package postgresql-15
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; } # initdb refuses root
mkdir pg
if [ "$(id -u)" = 0 ]; then chmod 755 . && chown postgres pg; fi
as "$bin/initdb" -D "$dir/pg/data" -U app -A trust > initdb.log
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
trap 'as "$bin/pg_ctl" -D "$dir/pg/data" -m immediate -s stop || true; rm -rf "$dir"' EXIT
as "$bin/pg_ctl" -D "$dir/pg/data" -l "$dir/pg/log" -s -w -o "-p $port -k '' -c listen_addresses=127.0.0.1" start > start.log
psql=("$bin/psql" -qAtX "postgres://app@127.0.0.1:$port/postgres?sslmode=disable")
"${psql[@]}" -c 'create table keys (id int primary key, revoked bool not null); insert into keys values (1, false)'

declare -A to
open() { # connections that stay, each with a transaction; a lock that is not given within 2 s fails
  for name in "$@"; do
    mkfifo "$name"
    PGAPPNAME=$name "${psql[@]}" < "$name" > "$name.out" 2>&1 &
    exec {fd}> "$name"
    to[$name]=$fd
    echo "begin; set local lock_timeout = '$([ "$name" = later ] && echo 2s || echo 60s)';" >&"$fd"
  done
}
tell() { echo "$2; \\echo $3" >&"${to[$1]}"; } # has a connection do something and say so
said() { for _ in $(seq 600); do grep -qs "$2" "$1.out" && return; sleep 0.05; done; cat "$1.out"; return 1; }
waits() { [ "$("${psql[@]}" -c "select wait_event_type from pg_stat_activity where application_name = '$1'")" = Lock ]; }
until_waits() { for _ in $(seq 600); do waits "$1" && return; sleep 0.05; done; return 1; }

line_up() { # share, and what wants it alone
  open writer revocation later
  tell writer "$1" given; said writer given
  tell revocation "$2" given; until_waits revocation
  tell later "$1" asked; said later asked
  if grep -q 'lock timeout' later.out; then echo "  a writer that comes later waits behind it"; else echo "  a writer that comes later goes first"; fi
  tell writer commit ended; said writer ended
  if grep -q 'lock timeout' later.out; then said revocation given; echo "  the revocation goes on with the end of the first writer"
  else until_waits revocation; echo "  the first writer has ended, and the revocation waits for the later one"; fi
  for name in later writer revocation; do
    echo 'commit; \q' >&"${to[$name]}"
    fd=${to[$name]}
    exec {fd}>&-
  done
  wait $(jobs -p)
  rm writer* revocation* later*
}
{
  "$bin/postgres" --version | grep -o 'PostgreSQL) [0-9]*'
  echo 'FOR SHARE, and an update that waits:'
  line_up 'select from keys where id = 1 for share' 'update keys set revoked = true where id = 1'
  echo 'pg_advisory_xact_lock_shared, and pg_advisory_xact_lock that waits:'
  line_up 'select from pg_advisory_xact_lock_shared(1)' 'select from pg_advisory_xact_lock(1)'
} | tee seen
diff - seen <<'END'
PostgreSQL) 15
FOR SHARE, and an update that waits:
  a writer that comes later goes first
  the first writer has ended, and the revocation waits for the later one
pg_advisory_xact_lock_shared, and pg_advisory_xact_lock that waits:
  a writer that comes later waits behind it
  the revocation goes on with the end of the first writer
END
