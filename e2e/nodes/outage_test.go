package nodes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// answerWithin is how long a client may wait while the database does not answer.
const answerWithin = 5 * time.Second

// TestOutagesOfRedisAndPostgreSQLAreSurvived kills and hangs each of them under
// load. A good key is never told that it is none, a bad one never let in; without
// Redis everything goes on; without PostgreSQL the answer is 503, soon; and
// nothing has to be restarted afterwards.
func TestOutagesOfRedisAndPostgreSQLAreSurvived(t *testing.T) {
	postgres, redis := testenv.StartPostgres(t), testenv.StartRedis(t)
	database, err := postgres.CreateDatabase()
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, 2, database, redis.URL())
	c.outages = true
	l := startLoad(t, c)

	l.during("everything is there", func() { time.Sleep(time.Second) })
	l.during("Redis is killed", func() {
		l.do(redis.Kill)
		l.until("the nodes do without Redis", c.all(http.StatusOK, "degraded"))
		time.Sleep(time.Second)
	})
	l.during("Redis is started, empty", func() {
		l.do(redis.Start)
		l.until("the nodes are back to Redis", c.all(http.StatusOK, "ready"))
	})
	l.during("Redis hangs", func() {
		l.do(redis.Pause)
		l.until("the nodes do without Redis", c.all(http.StatusOK, "degraded"))
		time.Sleep(time.Second)
		l.do(redis.Resume)
		l.until("the nodes are back to Redis", c.all(http.StatusOK, "ready"))
	})
	l.during("PostgreSQL is killed", func() {
		l.do(postgres.Kill)
		l.until("no node is ready", c.all(http.StatusServiceUnavailable, "database"))
		l.until("every node answers 503", l.everyNodeAnswers(http.StatusServiceUnavailable))
		time.Sleep(time.Second)
	})
	l.during("PostgreSQL is started", func() {
		l.do(postgres.Start)
		l.until("the nodes are ready", c.all(http.StatusOK, "ready"))
		l.until("every node answers 200", l.everyNodeAnswers(http.StatusOK))
	})
	l.during("PostgreSQL hangs", func() {
		l.do(postgres.Pause)
		// After a second nothing is on its way that had begun before.
		time.Sleep(time.Second)
		hung := time.Now()
		for _, n := range c.nodes {
			asked := time.Now()
			if status, _ := n.ready(); status != http.StatusServiceUnavailable || time.Since(asked) > answerWithin {
				t.Errorf("/readyz said %d after %v, want 503 within %v", status, time.Since(asked), answerWithin)
			}
		}
		manyKeysAreAnsweredInTime(t, c)
		l.until("no node is ready", c.all(http.StatusServiceUnavailable, "database"))
		l.until("every node answers 503", l.everyNodeAnswers(http.StatusServiceUnavailable))
		l.hung, l.resumed = hung, time.Now()
		l.do(postgres.Resume)
		l.until("the nodes are ready", c.all(http.StatusOK, "ready"))
		l.until("every node answers 200", l.everyNodeAnswers(http.StatusOK))
	})
	l.during("everything is there again", func() { time.Sleep(time.Second) })
	l.stop()
	l.judge()
}

// all reports whether every node's /readyz has this status and begins so.
func (c *cluster) all(status int, text string) func() bool {
	return func() bool {
		for _, n := range c.nodes {
			if s, said := n.ready(); s != status || !strings.HasPrefix(said, text) {
				return false
			}
		}
		return true
	}
}

// manyKeysAreAnsweredInTime sends a thousand requests with as many keys at once.
func manyKeysAreAnsweredInTime(t *testing.T, c *cluster) {
	t.Helper()
	var wait sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	var slowest time.Duration
	for i := range 1000 {
		wait.Go(func() {
			who := &testenv.Caller{URL: c.nodes[i%len(c.nodes)].url(), Key: keyLike(), HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
			began := time.Now()
			a, err := who.Send("GET", "/v1/me", nil)
			if err != nil {
				t.Errorf("a request got no answer while the database hangs: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[a.Status]++
			slowest = max(slowest, time.Since(began))
		})
	}
	wait.Wait()
	t.Logf("  1,000 requests at once with 1,000 keys: statuses %v, the slowest after %v", statuses, slowest.Round(time.Millisecond))
	if statuses[http.StatusServiceUnavailable] != 1000 || slowest > answerWithin {
		t.Errorf("while the database hangs: statuses %v, the slowest after %v; want 503 within %v", statuses, slowest, answerWithin)
	}
}

// load is clients at work while services come and go.
type load struct {
	t       *testing.T
	c       *cluster
	good    madeKey
	done    chan struct{}
	clients sync.WaitGroup
	phases  []phase
	hung    time.Time // from here on, until resumed, the database did not answer
	resumed time.Time

	mu      sync.Mutex
	got     []sample
	created []int64 // stepsies whose creation was answered with 201
}

type phase struct {
	name       string
	begin, end time.Time
	notes      []string
}

type sample struct {
	client string
	sent   time.Time
	took   time.Duration
	status int // 0: no answer
	err    error
}

// startLoad starts readers and a writer with good keys and with limits far away, a
// reader with a limit that it meets, and one whose key is revoked.
func startLoad(t *testing.T, c *cluster) *load {
	l := &load{t: t, c: c, done: make(chan struct{})}
	far := map[string]any{"plan": "enterprise", "limits": map[string]any{"minute": 1_000_000, "hour": 1_000_000, "month": 1_000_000}}
	l.good = c.makeUser(t, "good", far)
	near := c.makeUser(t, "near", map[string]any{"plan": "enterprise", "limits": map[string]any{"minute": 20}})
	dead := c.makeUser(t, "dead", unlimited)
	c.root.Must(t, http.StatusOK, "POST", fmt.Sprintf("/v1/api-keys/%d/revoke", dead.ID), nil)
	for _, n := range c.nodes {
		for range 2 {
			l.client("reader", n.as(l.good.Key), "GET", "/v1/stepsies?limit=1", nil)
		}
		l.client("writer", n.as(l.good.Key), "POST", "/v1/stepsies", map[string]any{"title": "Written in an outage"})
		l.client("limited", n.as(near.Key), "GET", "/v1/me", nil)
		l.client("dead key", n.as(dead.Key), "GET", "/v1/me", nil)
	}
	return l
}

// allowed is what each client may be answered, and with the database away 503.
var allowed = map[string][]int{
	"reader": {http.StatusOK}, "writer": {http.StatusCreated},
	"limited": {http.StatusOK, http.StatusTooManyRequests}, "dead key": {http.StatusUnauthorized},
}

func (l *load) client(name string, who *testenv.Caller, method, path string, body any) {
	l.clients.Go(func() {
		defer who.HTTP.CloseIdleConnections()
		for {
			select {
			case <-l.done:
				return
			case <-time.After(15 * time.Millisecond):
			}
			s := sample{client: name, sent: time.Now()}
			var made struct{ ID int64 }
			a, err := who.Send(method, path, body)
			s.took, s.status, s.err = time.Since(s.sent), a.Status, err
			if a.Status == http.StatusCreated {
				if err := unmarshal(a, &made); err != nil {
					s.err = err
				}
			}
			l.mu.Lock()
			l.got = append(l.got, s)
			if made.ID != 0 {
				l.created = append(l.created, made.ID)
			}
			l.mu.Unlock()
		}
	})
}

func (l *load) stop() {
	close(l.done)
	l.clients.Wait()
}

func (l *load) during(name string, what func()) {
	l.phases = append(l.phases, phase{name: name, begin: time.Now()})
	what()
	l.phases[len(l.phases)-1].end = time.Now()
}

func (l *load) do(what func() error) {
	l.t.Helper()
	if err := what(); err != nil {
		l.t.Fatal(err)
	}
}

// until waits for something and notes how long that took.
func (l *load) until(what string, holds func() bool) {
	l.t.Helper()
	began := time.Now()
	eventually(l.t, what, holds)
	p := &l.phases[len(l.phases)-1]
	p.notes = append(p.notes, fmt.Sprintf("%s after %v", what, time.Since(began).Round(time.Millisecond)))
}

// everyNodeAnswers reports whether every node answers a good key like that.
func (l *load) everyNodeAnswers(status int) func() bool {
	return func() bool {
		for _, n := range l.c.nodes {
			a, err := (&testenv.Caller{URL: n.url(), Key: l.good.Key, HTTP: brief}).Send("GET", "/v1/me", nil)
			if err != nil || a.Status != status {
				return false
			}
		}
		return true
	}
}

// judge looks at every answer, and logs the figures.
func (l *load) judge() {
	t := l.t
	for _, p := range l.phases {
		statuses, slowest, wrong := map[int]int{}, time.Duration(0), map[string]int{}
		databaseAway := strings.HasPrefix(p.name, "PostgreSQL")
		for _, s := range l.got {
			if s.sent.Before(p.begin) || !s.sent.Before(p.end) {
				continue
			}
			statuses[s.status]++
			slowest = max(slowest, s.took)
			if s.err != nil || !slices.Contains(allowed[s.client], s.status) && !(databaseAway && s.status == http.StatusServiceUnavailable) {
				// What began just before an outage meets it too.
				if s.status == http.StatusServiceUnavailable && s.sent.Add(s.took).After(p.end) {
					continue
				}
				wrong[fmt.Sprintf("the %s got status %d, %v", s.client, s.status, s.err)]++
			}
		}
		t.Logf("%s (%v): %s, the slowest answer after %v", p.name, p.end.Sub(p.begin).Round(100*time.Millisecond), inWords(statuses), slowest.Round(time.Millisecond))
		for _, note := range p.notes {
			t.Logf("  %s", note)
		}
		for what, n := range wrong {
			t.Errorf("while %s, %d times: %s", p.name, n, what)
		}
	}
	for _, s := range l.got {
		if s.sent.After(l.hung) && s.sent.Before(l.resumed) && s.took > answerWithin {
			t.Errorf("while the database hung, the %s was answered %d after %v, want within %v", s.client, s.status, s.took, answerWithin)
		}
	}
	for _, id := range l.created {
		l.c.nodes[0].as(l.good.Key).Must(t, http.StatusOK, "GET", fmt.Sprintf("/v1/stepsies/%d", id), nil)
	}
	if t.Failed() {
		for i, n := range l.c.nodes {
			for text, times := range n.loggedErrors(t) {
				t.Logf("node %d logged %d times: %.300s", i, times, text)
			}
		}
	}
	t.Logf("all %d stepsies whose creation was answered are there", len(l.created))
	if len(l.created) == 0 {
		t.Error("nothing was written")
	}
}

func inWords(statuses map[int]int) string {
	var words []string
	for _, s := range slices.Sorted(maps.Keys(statuses)) {
		words = append(words, fmt.Sprintf("%d × %d", statuses[s], s))
	}
	return strings.Join(words, ", ")
}

// loggedErrors counts the errors in a node's log.
func (n *node) loggedErrors(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(n.log)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range bytes.Lines(text) {
		var entry struct{ Level, Msg, Route, Error string }
		if json.Unmarshal(line, &entry) == nil && entry.Error != "" {
			counts[entry.Level+" "+entry.Msg+" "+entry.Route+": "+entry.Error]++
		}
	}
	return counts
}
