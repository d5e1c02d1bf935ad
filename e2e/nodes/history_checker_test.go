package nodes

import (
	"math"
	"testing"
	"time"
)

// TestTheCheckerKnowsAFaultWhenItSeesOne judges short histories whose verdict is
// known. Each begins with a key that can read and write.
func TestTheCheckerKnowsAFaultWhenItSeesOne(t *testing.T) {
	const s = int64(time.Second)
	both := readScope | writeScope
	made := op(create, 0, 1, 201, func(o *operation) { o.scopes, o.result.scopes = both, both })
	ok := func(call, end int64) *operation {
		return op(useRead, call, end, 200, func(o *operation) { o.result.scopes = both })
	}
	refused := func(call, end int64) *operation { return op(useRead, call, end, 401, nil) }
	revoked := op(revoke, 10, 20, 200, func(o *operation) { o.result = result{200, both, 0, true} })
	narrowed := op(setScopes, 10, 20, 200, func(o *operation) { o.scopes, o.result.scopes = readScope, readScope })
	lost := op(revoke, 10, math.MaxInt64, 0, nil)
	expiring := op(setExpiry, 10, 20, 200, func(o *operation) { o.expires, o.result = 9*s, result{200, both, 9 * s, false} })
	rotated := op(rotateNow, 10, 20, 201, func(o *operation) { o.next, o.result.scopes = 1, both })
	successor := op(useRead, 30, 31, 200, func(o *operation) { o.key, o.result.scopes = 1, both })
	suspended := op(suspend, 10, 20, 200, nil)

	for _, c := range []struct {
		name    string
		history []*operation
		legal   bool
	}{
		{"used, revoked, refused", []*operation{made, ok(2, 3), revoked, refused(21, 22)}, true},
		{"accepted after its revocation returned", []*operation{made, revoked, ok(21, 22)}, false},
		{"accepted while its revocation is under way", []*operation{made, ok(11, 19), revoked, refused(12, 13)}, true},
		{"accepted by a request that began before the revocation returned", []*operation{made, revoked, ok(19, 500)}, true},
		{"accepted after another was refused, while its revocation is under way", []*operation{made, refused(11, 12), ok(13, 14), revoked}, false},
		{"refused without a cause", []*operation{made, refused(2, 3)}, false},
		{"a revocation without an answer that was done", []*operation{made, lost, refused(50, 51)}, true},
		{"a revocation without an answer that was not done", []*operation{made, lost, ok(50, 51)}, true},
		{"a revocation without an answer that came and went", []*operation{made, lost, refused(50, 51), ok(52, 53)}, false},
		{"a scope that was taken away", []*operation{made, narrowed, op(useWrite, 21, 22, 403, nil)}, true},
		{"a scope that was taken away and used", []*operation{made, narrowed, op(useWrite, 21, 22, 404, nil)}, false},
		{"a scope that was taken away and shown", []*operation{made, narrowed, ok(21, 22)}, false},
		{"used before it expires", []*operation{made, expiring, ok(8*s, 8*s+5)}, true},
		{"used after it expired", []*operation{made, expiring, ok(10*s, 10*s+5)}, false},
		{"refused before it expires", []*operation{made, expiring, refused(8*s, 8*s+5)}, false},
		{"refused after it expired", []*operation{made, expiring, refused(10*s, 10*s+5)}, true},
		{"rotated, and the successor used", []*operation{made, rotated, successor, refused(30, 31)}, true},
		{"rotated, and the old key used", []*operation{made, rotated, ok(30, 31)}, false},
		{"its user suspended", []*operation{made, suspended, refused(21, 22)}, true},
		{"its user suspended, and the key used", []*operation{made, suspended, ok(21, 22)}, false},
		{"its user suspended and let go on", []*operation{made, suspended, op(unsuspend, 30, 40, 200, nil), ok(41, 42)}, true},
		{"shown as live after its revocation", []*operation{made, revoked, op(look, 30, 31, 200, func(o *operation) { o.result.scopes = both })}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := verdict(c.history)
			if (text == "") != c.legal {
				t.Errorf("linearizable: %t, want %t\n%s", text == "", c.legal, text)
			}
		})
	}
}

func op(k kind, call, end int64, status int, more func(*operation)) *operation {
	o := &operation{kind: k, call: call, end: end, node: "a node"}
	o.result.status = status
	if more != nil {
		more(o)
	}
	return o
}
