package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestThreeNodesAdmitExactlyTheLimitOfAMinute asks three nodes at once for more
// than an account may have.
func TestThreeNodesAdmitExactlyTheLimitOfAMinute(t *testing.T) {
	c := newCluster(t, 3, testenv.Postgres(t), testenv.StartRedis(t).URL())
	const limit, callers, each = 300, 32, 15
	key := c.makeUser(t, "burst", map[string]any{"plan": "pro"})
	second := c.makeKey(t, "burst", "read") // of the same account

	awaitRoom(t, time.Minute, 30*time.Second)
	got := hammer(c, callers, each, func(i int) (*testenv.Caller, string) {
		if i%2 == 0 {
			return c.nodes[i%3].as(second.Key), "/v1/stepsies"
		}
		return c.nodes[i%3].as(key.Key), "/v1/me"
	})
	var remaining []int
	resets := map[string]bool{}
	refused := 0
	for _, g := range got {
		h := g.Header
		resets[h.Get("X-RateLimit-Reset")] = true
		if h.Get("X-RateLimit-Limit") != strconv.Itoa(limit) {
			t.Errorf("X-RateLimit-Limit is %q, want %d", h.Get("X-RateLimit-Limit"), limit)
		}
		switch g.Status {
		case http.StatusOK:
			n, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
			if err != nil {
				t.Errorf("X-RateLimit-Remaining: %v", err)
			}
			remaining = append(remaining, n)
		case http.StatusTooManyRequests:
			refused++
			g.isRefusal(t, "rate_limit_exceeded", "Too many requests. Please slow down.")
		default:
			t.Errorf("status %d: %s", g.Status, g.Body)
		}
	}
	if len(resets) != 1 {
		t.Fatalf("the answers are of %d minutes: %v; this machine took more than half a minute for %d requests", len(resets), slices.Collect(maps.Keys(resets)), callers*each)
	}
	if len(remaining) != limit || refused != callers*each-limit {
		t.Errorf("%d requests were admitted and %d refused, want exactly %d and %d", len(remaining), refused, limit, callers*each-limit)
	}
	// Each admitted request saw a number of its own: 299, 298 … 0.
	slices.Sort(remaining)
	for i, n := range remaining {
		if n != i {
			t.Fatalf("two requests were told the same rest, or one was left out: sorted, the %dth is %d", i, n)
		}
	}
}

// timed is an answer with the time it took.
type timed struct {
	testenv.Answer
	sent, received time.Time
}

// isRefusal checks a 429 against the contract, to the letter, and returns how many
// seconds it says to wait: in the body always, in the header up to an hour.
func (g timed) isRefusal(t *testing.T, code, message string) int64 {
	t.Helper()
	var said struct {
		Error struct {
			RetryAfter int64 `json:"retry_after"`
		}
	}
	if err := unmarshal(g.Answer, &said); err != nil {
		t.Fatal(err)
	}
	wait := said.Error.RetryAfter
	if header, same := g.Header.Get("Retry-After"), strconv.FormatInt(wait, 10); wait <= 3600 && header != same || wait > 3600 && header != "" {
		t.Errorf("Retry-After is %q, the body says %d", header, wait)
	}
	if want := fmt.Sprintf(`{"error":{"code":%q,"message":%q,"retry_after":%d}}`, code, message, wait); string(g.Body) != want {
		t.Errorf("the body is\n%s, want\n%s", g.Body, want)
	}
	if limit := g.Header.Get("X-RateLimit-Limit"); limit != "" && code == "rate_limit_exceeded" {
		if left := g.Header.Get("X-RateLimit-Remaining"); left != "0" {
			t.Errorf("X-RateLimit-Remaining is %s in a refusal", left)
		}
		reset, err := strconv.ParseInt(g.Header.Get("X-RateLimit-Reset"), 10, 64)
		if err != nil {
			t.Errorf("X-RateLimit-Reset: %v", err)
		}
		// Whole seconds, rounded up, from some moment between the two.
		if wait > reset-g.sent.Unix() || wait < reset-g.received.Unix() || wait < 1 {
			t.Errorf("Retry-After is %d, the window ends in %d to %d s", wait, reset-g.received.Unix(), reset-g.sent.Unix())
		}
	}
	if g.Header.Get("Content-Type") != "application/json" {
		t.Errorf("Content-Type is %q", g.Header.Get("Content-Type"))
	}
	return wait
}

// hammer sends n requests by each of a number of callers at once.
func hammer(c *cluster, callers, n int, of func(i int) (*testenv.Caller, string)) []timed {
	var wait sync.WaitGroup
	got := make([]timed, callers*n)
	var next atomic.Int64
	for i := range callers {
		who, path := of(i)
		wait.Go(func() {
			defer who.HTTP.CloseIdleConnections()
			for range n {
				g := timed{sent: time.Now()}
				a, err := who.Send("GET", path, nil)
				if err != nil {
					a.Body = []byte(err.Error())
				}
				g.Answer, g.received = a, time.Now()
				got[next.Add(1)-1] = g
			}
		})
	}
	wait.Wait()
	return got
}

// awaitRoom waits for the next window where less than room is left of this one.
func awaitRoom(t *testing.T, window, room time.Duration) {
	t.Helper()
	if left := time.Until(time.Now().Truncate(window).Add(window)); left < room {
		t.Logf("waiting %v for a new window to begin", left.Round(time.Second))
		time.Sleep(left + 50*time.Millisecond)
	}
}

// TestMonthlyQuotaIsExactOverThreeNodesAndSaysSo uses up a month.
func TestMonthlyQuotaIsExactOverThreeNodesAndSaysSo(t *testing.T) {
	redis := testenv.StartRedis(t)
	c := newCluster(t, 3, testenv.Postgres(t), redis.URL())
	const quota = 40
	key := c.makeUser(t, "monthly", map[string]any{"plan": "enterprise", "limits": map[string]any{"month": quota}})
	got := hammer(c, 8, 10, func(i int) (*testenv.Caller, string) { return c.nodes[i%3].as(key.Key), "/v1/me" })
	admitted := 0
	now := time.Now().UTC()
	end := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	for _, g := range got {
		for name := range g.Header {
			if len(name) > 12 && name[:12] == "X-Ratelimit-" {
				t.Errorf("an account without a limit of the minute got %s", name)
			}
		}
		if g.Status == http.StatusOK {
			admitted++
			continue
		}
		if g.Status != http.StatusTooManyRequests {
			t.Fatalf("status %d: %s", g.Status, g.Body)
		}
		wait := g.isRefusal(t, "quota_exceeded", "The quota of this month is used up. The next one begins on "+end.Format("2 January 2006")+" (UTC); a larger plan lifts it at once.")
		if wait > end.Unix()-g.sent.Unix() || wait < end.Unix()-g.received.Unix() {
			t.Errorf("retry_after is %d, the month ends in %d s", wait, end.Unix()-g.sent.Unix())
		}
	}
	if admitted != quota {
		t.Errorf("%d requests were admitted, the quota is %d", admitted, quota)
	}
	// A restart of the nodes and of Redis alike forgets nothing of a month: the
	// database has it.
	if err := each(c.nodes, func(n *node) error {
		return n.stop()
	}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(redis.Restart(), each(c.nodes, (*node).start)); err != nil {
		t.Fatal(err)
	}
	if status := c.nodes[1].as(key.Key).Status(t, "/v1/me"); status != http.StatusTooManyRequests {
		t.Errorf("after a restart of all nodes and of an empty Redis: status %d, want 429", status)
	}
}

// windows is what /v1/me shows of the limits.
type windows struct {
	Limits struct{ Minute, Hour, Month *window }
}

type window struct{ Limit, Remaining, Reset int64 }

// stores are the two ways of counting: one node on SQLite in memory, and two nodes
// on PostgreSQL by Redis. Each has its cluster for all of its tests.
func onEachStore(t *testing.T, test func(t *testing.T, c *cluster)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { test(t, newCluster(t, 1, "", "")) })
	t.Run("redis", func(t *testing.T) { test(t, newCluster(t, 2, testenv.Postgres(t), testenv.StartRedis(t).URL())) })
}

func TestLimitsByMemoryAndByRedis(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *cluster) {
		last := c.nodes[len(c.nodes)-1]
		t.Run("me shows three windows", func(t *testing.T) { meShowsThreeWindows(t, c, last) })
		t.Run("what counts", func(t *testing.T) { whatCounts(t, c, last) })
		t.Run("a refused request consumes nothing", func(t *testing.T) { refusalConsumesNothing(t, c, last) })
		t.Run("the plan changes in the middle", func(t *testing.T) { planChangesInTheMiddle(t, c, last) })
	})
}

func meShowsThreeWindows(t *testing.T, c *cluster, last *node) {
	key := c.makeUser(t, "three", map[string]any{"plan": "pro"})
	awaitRoom(t, time.Minute, 20*time.Second)
	awaitRoom(t, time.Hour, 20*time.Second)
	first, other := c.nodes[0].as(key.Key), last.as(key.Key)
	for range 3 {
		first.Must(t, http.StatusOK, "GET", "/v1/stepsies", nil)
	}
	var me windows
	other.Must(t, http.StatusOK, "GET", "/v1/me", nil, &me)
	now := time.Now().UTC()
	ends := []time.Time{now.Truncate(time.Minute).Add(time.Minute), now.Truncate(time.Hour).Add(time.Hour),
		time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)}
	for i, w := range []*window{me.Limits.Minute, me.Limits.Hour, me.Limits.Month} {
		limit := []int64{300, 10_000, 50_000}[i]
		if w == nil || *w != (window{limit, limit - 4, ends[i].Unix()}) {
			t.Errorf("window %d is %+v, want limit %d, 4 less remaining, and the end %d", i, w, limit, ends[i].Unix())
		}
	}
}

// left is what the account has left of its minute, which this request counts in.
func left(t *testing.T, c *testenv.Caller) int64 {
	t.Helper()
	var me windows
	c.Must(t, http.StatusOK, "GET", "/v1/me", nil, &me)
	if me.Limits.Minute == nil {
		t.Fatal("the account has no limit of the minute")
	}
	return me.Limits.Minute.Remaining
}

func whatCounts(t *testing.T, c *cluster, last *node) {
	key := c.makeUser(t, "counted", map[string]any{"plan": "pro"}, "read")
	awaitRoom(t, time.Minute, 20*time.Second)
	first, other := c.nodes[0].as(key.Key), last.as(key.Key)
	writer := c.makeKey(t, "counted", "read", "write")
	var made struct{ ID int }
	first.With(writer.Key).Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": "Counted"}, &made)
	path := fmt.Sprintf("/v1/stepsies/%d", made.ID)
	a, err := first.Send("GET", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	before := left(t, other)
	conditional := *first
	conditional.Header = http.Header{"If-None-Match": {a.Header.Get("ETag")}}
	for _, request := range []struct {
		who          *testenv.Caller
		method, path string
		body         any
		status       int
	}{
		{first, "POST", "/v1/stepsies", "{}", http.StatusForbidden},
		{first, "GET", "/v1/stepsies/999999999", nil, http.StatusNotFound},
		{&conditional, "GET", path, nil, http.StatusNotModified},
		{first, "GET", "/v1/stepsies?limit=0", nil, http.StatusBadRequest},
		{first.With(writer.Key), "POST", "/v1/stepsies", "{}", http.StatusUnprocessableEntity},
	} {
		a, err := request.who.Send(request.method, request.path, request.body)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != request.status {
			t.Fatalf("%s %s: status %d, want %d: %s", request.method, request.path, a.Status, request.status, a.Body)
		}
		if a.Header.Get("X-RateLimit-Remaining") == "" {
			t.Errorf("a %d has no X-RateLimit-Remaining", a.Status)
		}
		if now := left(t, other); now != before-2 { // that one and left's own
			t.Errorf("after a %d the account has %d left of %d, want 2 less", a.Status, now, before)
		} else {
			before = now
		}
	}
	// What nobody is behind counts for nobody, and shows no window.
	for _, bad := range []string{"", "nonsense", keyLike()} {
		a, err := first.With(bad).Send("GET", "/v1/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != http.StatusUnauthorized || a.Header.Get("X-RateLimit-Limit") != "" {
			t.Errorf("status %d with X-RateLimit-Limit %q, want 401 without", a.Status, a.Header.Get("X-RateLimit-Limit"))
		}
	}
	if now := left(t, other); now != before-1 {
		t.Errorf("after three 401s the account has %d left of %d, want 1 less", now, before)
	}
	// Nor does a route that there is not.
	if a, err := first.Send("GET", "/v1/nothing", nil); err != nil || a.Status != http.StatusNotFound || a.Header.Get("X-RateLimit-Limit") != "" {
		t.Errorf("an unknown route: status %d, %v", a.Status, err)
	}
}

func refusalConsumesNothing(t *testing.T, c *cluster, last *node) {
	limits := map[string]any{"minute": 5, "hour": 1000, "month": 1000}
	key := c.makeUser(t, "refused", map[string]any{"plan": "enterprise", "limits": limits})
	awaitRoom(t, time.Minute, 20*time.Second)
	first, other := c.nodes[0].as(key.Key), last.as(key.Key)
	for range 5 {
		first.Must(t, http.StatusOK, "GET", "/v1/me", nil)
	}
	for range 10 {
		other.Must(t, http.StatusTooManyRequests, "GET", "/v1/me", nil)
	}
	limits["minute"] = 100
	c.root.Must(t, http.StatusOK, "PATCH", "/v1/users/refused", map[string]any{"limits": limits})
	var me windows
	other.Must(t, http.StatusOK, "GET", "/v1/me", nil, &me)
	if m, h, month := me.Limits.Minute.Remaining, me.Limits.Hour.Remaining, me.Limits.Month.Remaining; m != 94 || h != 994 || month != 994 {
		t.Errorf("after 5 admitted and 10 refused requests, and this one: %d, %d and %d left, want 94, 994 and 994", m, h, month)
	}
}

func planChangesInTheMiddle(t *testing.T, c *cluster, last *node) {
	key := c.makeUser(t, "grows", map[string]any{"plan": "free"})
	awaitRoom(t, time.Minute, 20*time.Second)
	first, other := c.nodes[0].as(key.Key), last.as(key.Key)
	shows := func(plan string, limit, remaining string, status int) {
		t.Helper()
		if plan != "" {
			c.root.Must(t, http.StatusOK, "PATCH", "/v1/users/grows", map[string]any{"plan": plan})
		}
		a, err := other.Send("GET", "/v1/stepsies", nil)
		if err != nil {
			t.Fatal(err)
		}
		if h := a.Header; a.Status != status || h.Get("X-RateLimit-Limit") != limit || h.Get("X-RateLimit-Remaining") != remaining {
			t.Errorf("plan %q: status %d, limit %q, remaining %q; want %d, %q, %q", plan, a.Status, h.Get("X-RateLimit-Limit"), h.Get("X-RateLimit-Remaining"), status, limit, remaining)
		}
	}
	for range 59 {
		first.Must(t, http.StatusOK, "GET", "/v1/stepsies", nil)
	}
	shows("", "60", "0", http.StatusOK)
	shows("", "60", "0", http.StatusTooManyRequests)
	shows("pro", "300", "239", http.StatusOK) // at once; what was used stays used
	shows("free", "60", "0", http.StatusTooManyRequests)
	shows("enterprise", "", "", http.StatusOK)
}

// TestRateLimitsOffLimitsNoAccountAndShowsNothing starts nodes with and without
// Redis; limits that are off need none.
func TestRateLimitsOffLimitsNoAccountAndShowsNothing(t *testing.T) {
	c := newCluster(t, 1, "", "", "--rate-limits", "off")
	key := c.makeUser(t, "free", map[string]any{"plan": "free"})
	who := c.nodes[0].as(key.Key)
	for range 80 { // a free account has 60 a minute
		a, err := who.Send("GET", "/v1/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != http.StatusOK || a.Header.Get("X-RateLimit-Limit") != "" {
			t.Fatalf("status %d with X-RateLimit-Limit %q", a.Status, a.Header.Get("X-RateLimit-Limit"))
		}
		var me struct{ Limits json.RawMessage }
		if err := json.Unmarshal(a.Body, &me); err != nil {
			t.Fatal(err)
		}
		if string(me.Limits) != `{"minute":null,"hour":null,"month":null}` {
			t.Fatalf("limits are %s", me.Limits)
		}
	}
	if status, text := c.nodes[0].ready(); status != http.StatusOK || text != "ready" {
		t.Errorf("readyz says %d %q", status, text)
	}
	// Leak reports ask for no key and cost the database all the same.
	anyone := c.nodes[0].as("")
	for i := range 61 {
		a, err := anyone.Send("POST", "/leaked-keys", map[string]any{"keys": []string{"not a key"}})
		if err != nil {
			t.Fatal(err)
		}
		want := http.StatusAccepted
		if i == 60 {
			want = http.StatusTooManyRequests
		}
		if a.Status != want {
			t.Fatalf("leak report %d of an address gets status %d, want %d", i+1, a.Status, want)
		}
	}
}
