package nodes

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// What a history is judged by: a sequential model of one user and their keys.
// Users share nothing, so a history is linearizable when each user's part is.

// maxKeys is how many keys a user of the model may have.
const maxKeys = 8

type userState struct {
	suspended bool
	keys      [maxKeys]keyState
}

type keyState struct {
	exists, revoked bool
	scopes          scopes
	expires         int64 // Unix nanoseconds, 0 for never
	inexact         bool  // expires is known to lie in the past or far ahead, and no more
}

// scopes is a set of read and write.
type scopes uint8

const (
	readScope scopes = 1 << iota
	writeScope
)

func scopesOf(names []string) (s scopes) {
	for _, n := range names {
		s |= map[string]scopes{"read": readScope, "write": writeScope}[n]
	}
	return s
}

func (s scopes) names() (names []string) {
	if s&readScope != 0 {
		names = append(names, "read")
	}
	if s&writeScope != 0 {
		names = append(names, "write")
	}
	return names
}

// kind is what an operation does.
type kind uint8

const (
	useRead  kind = iota // a request that needs the scope read
	useWrite             // one that needs write, and changes nothing
	look                 // an admin reads the key
	create
	revoke
	setScopes
	setExpiry
	rotateNow   // without grace: the old key ends
	rotateLater // with a grace that outlasts the test
	suspend
	unsuspend
)

func (k kind) String() string {
	return [...]string{"use for reading", "use for writing", "look at", "create", "revoke", "set scopes of",
		"set expiry of", "rotate now", "rotate later", "suspend", "unsuspend"}[k]
}

// operation is what a client asked, and saw. What could not be known when it was
// asked is zero until it is answered.
type operation struct {
	kind      kind
	user      int
	key, next int    // of the user; next is the successor of a rotation
	scopes    scopes // wanted
	expires   int64  // wanted
	node      string // that it was sent to, for people

	call, end int64 // Unix nanoseconds; end is math.MaxInt64 without an answer
	result    result
}

// result is what an answer says.
type result struct {
	status  int // 0: no answer, or one that leaves open whether it was done
	scopes  scopes
	expires int64
	revoked bool
}

func (o *operation) open() bool { return o.result.status == 0 }

// clockSlack is how far the clock of a node may seem to differ from the tests' own,
// which is read once and goes on by itself.
const clockSlack = int64(200 * time.Millisecond)

// longAgo stands for an expiry in the past, whichever.
const longAgo = -int64(time.Hour)

// step applies an operation to the state before it and reports whether the model
// could have answered like that. An operation without an answer may be put at any
// place after its call, also after all others, where it does no harm.
func (s userState) step(o *operation) (bool, userState) {
	k := &s.keys[o.key]
	r := o.result
	switch o.kind {
	case useRead, useWrite:
		return s.mayAnswer(k, o), s
	case look:
		return r.status == 200 && k.exists && k.shows(r), s
	case suspend, unsuspend:
		s.suspended = o.kind == suspend
		return o.open() || r.status == 200, s
	case create:
		*k = keyState{exists: true, scopes: r.scopes, expires: r.expires}
		return r.status == 201 && r.scopes == o.scopes && r.expires == o.expires, s
	}
	if k.revoked && o.kind != revoke {
		return o.open() || r.status == 409, s
	}
	before := k.scopes
	switch o.kind {
	case revoke:
		k.revoked = true
	case setScopes:
		k.scopes = o.scopes
	case setExpiry:
		k.expires, k.inexact = o.expires, false
	case rotateNow:
		k.expires, k.inexact = longAgo, true
	case rotateLater:
		if end := o.call + int64(time.Hour); k.expires == 0 || k.expires > end {
			k.expires, k.inexact = end, true
		}
	}
	switch {
	case o.open():
		return true, s
	case o.kind == rotateNow || o.kind == rotateLater:
		s.keys[o.next] = keyState{exists: true, scopes: r.scopes, expires: r.expires}
		return r.status == 201 && r.scopes == before, s
	}
	return r.status == 200 && k.shows(r), s
}

// shows reports whether an answer describes the key as it is.
func (k *keyState) shows(r result) bool {
	return r.revoked == k.revoked && r.scopes == k.scopes && (k.inexact || r.expires == k.expires)
}

// mayAnswer reports whether a use of the key may be answered like that. When
// exactly a node looked at its clock between the two ends of the operation is not
// known.
func (s *userState) mayAnswer(k *keyState, o *operation) bool {
	works := k.exists && !k.revoked && !s.suspended
	switch {
	case o.result.status == 401:
		return !works || k.expires != 0 && o.end >= k.expires-clockSlack
	case !works || k.expires != 0 && o.call >= k.expires+clockSlack:
		return false
	}
	needs := readScope
	if o.kind == useWrite {
		needs = writeScope
	}
	if o.result.status == 403 {
		return k.scopes&needs == 0
	}
	// The profile also shows with which scopes the key was let in.
	return k.scopes&needs != 0 && (o.kind == useWrite || o.result.scopes == k.scopes)
}

var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[int][]porcupine.Operation{}
		for _, p := range history {
			user := p.Input.(*operation).user
			parts[user] = append(parts[user], p)
		}
		var out [][]porcupine.Operation
		for _, part := range parts {
			out = append(out, part)
		}
		return out
	},
	Init: func() any { return userState{} },
	Step: func(state, input, _ any) (bool, any) {
		ok, next := state.(userState).step(input.(*operation))
		return ok, next
	},
}

// checkWithin bounds the search for an order. It is generous: a minute of history
// takes well under a second.
const checkWithin = 2 * time.Minute

// verdict returns "" for a linearizable history, else the operations up to the
// first answer that no order explains.
func verdict(history []*operation) string {
	switch porcupine.CheckOperationsTimeout(model, asOperations(history, math.MaxInt64), checkWithin) {
	case porcupine.Ok:
		return ""
	case porcupine.Unknown:
		return fmt.Sprintf("the search for an order took longer than %v", checkWithin)
	}
	for _, part := range byUser(history) {
		if porcupine.CheckOperations(model, asOperations(part, math.MaxInt64)) {
			continue
		}
		return explain(part)
	}
	return "not linearizable"
}

func byUser(history []*operation) map[int][]*operation {
	parts := map[int][]*operation{}
	for _, o := range history {
		parts[o.user] = append(parts[o.user], o)
	}
	return parts
}

// asOperations is a history as it stood at a time: what had not been answered by
// then is open.
func asOperations(history []*operation, until int64) []porcupine.Operation {
	var out []porcupine.Operation
	for _, o := range history {
		if o.call > until {
			continue
		}
		if o.end > until {
			if o.kind <= look || o.kind == create {
				continue // it changed nothing that anyone knew of
			}
			cut := *o
			cut.end, cut.result = math.MaxInt64, result{}
			o = &cut
		}
		out = append(out, porcupine.Operation{Input: o, Call: o.call, Return: o.end})
	}
	return out
}

// explain finds the first answer with which the history of a user cannot be
// explained any more, and tells what led to it.
func explain(part []*operation) string {
	slices.SortFunc(part, func(a, b *operation) int { return cmp.Compare(a.end, b.end) })
	first := sort.Search(len(part), func(i int) bool {
		return !porcupine.CheckOperations(model, asOperations(part, part[i].end))
	})
	if first == len(part) {
		first--
	}
	var text strings.Builder
	start := part[0].call
	fmt.Fprintf(&text, "user %d: no order of the operations explains the last of these answers:\n", part[first].user)
	for _, o := range part[max(0, first-40) : first+1] {
		if o.key != part[first].key && o.kind != suspend && o.kind != unsuspend {
			continue
		}
		fmt.Fprintf(&text, "  %9.3f to %9.3f ms  %-15s key %d through %s", float64(o.call-start)/1e6, float64(o.end-start)/1e6, o.kind, o.key, o.node)
		if o.kind == setScopes {
			fmt.Fprintf(&text, " to %v", o.scopes.names())
		}
		if o.kind == setExpiry {
			fmt.Fprintf(&text, " to %.3f ms", float64(o.expires-start)/1e6)
		}
		fmt.Fprintf(&text, " → %d\n", o.result.status)
	}
	return text.String()
}
