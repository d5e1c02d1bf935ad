#!/usr/bin/env bash
# Guess: a dependency that is compiled without the race detector (go test -race
# -gcflags=DEPENDENCY=-race=false, as one does for a slow one) is merely not watched;
# the rest of the program is judged as before.
#
# Go 1.26: a correct program is then said to race. What is generic in the standard
# library, such as the tree within sync.Map, is compiled into every package that
# uses it, and the linker keeps one copy for the whole program. Where that is the copy of
# the unwatched package, the detector never sees the order that sync.Map makes, and
# reports what another goroutine reads from it.
#
# Who meets it: developers who spare SQLite in Go (modernc.org/sqlite uses sync.Map) the
# detector. What we do: scripts/test leaves out the engine's package alone, which holds
# no generic code.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir unwatched
cat >go.mod <<'MOD'
module example.com/program

go 1.26
MOD
cat >unwatched/unwatched.go <<'GO'
// Package unwatched uses a sync.Map of its own.
package unwatched

import "sync"

var seen sync.Map

// Note remembers a name.
func Note(name string) bool {
	_, known := seen.LoadOrStore(name, true)
	return known
}
GO
cat >program_test.go <<'GO'
package program

import (
	"sync"
	"testing"

	"example.com/program/unwatched"
)

// Each goroutine writes a list before it hands it over by LoadOrStore, and reads only
// what it got from there.
func TestListsAreHandedOverByAMap(t *testing.T) {
	for range 2000 {
		var lists sync.Map
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				unwatched.Note("one")
				list := make([]int, 8)
				for i := range list {
					list[i] = i
				}
				got, _ := lists.LoadOrStore("list", list)
				sum := 0
				for _, n := range got.([]int) {
					sum += n
				}
				if sum != 28 {
					t.Error(sum)
				}
			})
		}
		wait.Wait()
	}
}
GO
go version
export GOFLAGS=-mod=mod GOCACHE=${GOCACHE:-$dir/cache}
watched=0 unwatched=0
out=$(go test -race -count=1 . 2>&1) || watched=$?
echo "everything watched: exit code $watched, $(grep -c 'WARNING: DATA RACE' <<<"$out" || true) races reported"
out=$(go test -race -gcflags=example.com/program/unwatched=-race=false -count=1 . 2>&1) || unwatched=$?
echo "one dependency unwatched: exit code $unwatched, $(grep -c 'WARNING: DATA RACE' <<<"$out" || true) races reported"
grep -m3 -A3 'WARNING: DATA RACE' <<<"$out" | sed 's/0x[0-9a-f]*/0x…/; s/goroutine [0-9]*/goroutine N/' | head -3 || true
if ((watched == 0 && unwatched != 0)); then
	echo "as found: a correct program is said to race"
else
	echo "CHANGED: this does not happen any more" >&2
	exit 1
fi
