package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/testenv"
)

const publicURL = "https://stepsies.example"

// begin is when every test begins. It lies between two milliseconds, to see that
// what is answered has whole seconds.
var begin = time.Date(2026, time.March, 14, 15, 9, 26, 535_897_932, time.UTC)

// clock stands still until a test moves it. A clock that is broken panics, which
// is how a test makes any operation panic.
type clock struct {
	nanos  atomic.Int64
	broken atomic.Bool
}

func (c *clock) now() time.Time {
	if c.broken.Load() {
		panic("the clock of sk_" + strings.Repeat("0", 48) + " is broken")
	}
	return time.Unix(0, c.nanos.Load()).UTC()
}

func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// logText is what a server logs.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// installation is an open server on a database of its own, asked through the
// handler that the network is given.
type installation struct {
	*server.Server
	config server.Config
	clock  *clock
	logs   *logText
	handle http.Handler
	worlds int
	dead   bool // its database has been taken away
	// watch, if set, sees every request, with its body to read once more, and its answer.
	watch func(*http.Request, answer)
}

// onEachEngine runs a test on SQLite and on PostgreSQL.
func onEachEngine(t *testing.T, test func(t *testing.T, in *installation)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, "")) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, testenv.Postgres(t))) })
}

// open starts an installation; "" is SQLite in a folder of the test's.
func open(tb testing.TB, databaseURL string, change ...func(*server.Config)) *installation {
	tb.Helper()
	in := &installation{clock: &clock{}, logs: &logText{}}
	in.clock.nanos.Store(begin.UnixNano())
	in.config = server.Config{
		DataDir: tb.TempDir(), DatabaseURL: databaseURL, PublicURL: publicURL, Migrate: true,
		Log: slog.New(slog.NewTextHandler(in.logs, nil)), Now: in.clock.now,
	}
	for _, f := range change {
		f(&in.config)
	}
	in.start(tb)
	tb.Cleanup(func() {
		in.clock.broken.Store(false)
		if err := in.Close(); err != nil && !in.dead {
			tb.Errorf("close the server: %v", err)
		}
	})
	return in
}

func (in *installation) start(tb testing.TB) {
	tb.Helper()
	var err error
	if in.Server, err = server.Open(context.Background(), in.config); err != nil {
		tb.Fatal(err)
	}
	in.handle = in.Handler()
}

// restart ends the server, which writes what it has in memory, and starts another
// one on the same data.
func (in *installation) restart(tb testing.TB) {
	tb.Helper()
	if err := in.Close(); err != nil {
		tb.Fatal(err)
	}
	in.start(tb)
}

// answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request to the handler itself, without a network. Headers are given
// as "Name: value"; a second one of a name is a second line.
func (in *installation) ask(method, target, body string, headers ...string) answer {
	r := httptest.NewRequest(method, "http://stepsies.example/", strings.NewReader(body))
	path, query, _ := strings.Cut(target, "?")
	r.URL.RawQuery = query
	r.RequestURI = target
	u, err := r.URL.Parse(path)
	if err != nil {
		panic(fmt.Sprintf("the test asks for %q: %v", target, err))
	}
	// Parse resolves dots and doubled slashes, which some tests send.
	r.URL.Path, r.URL.RawPath = u.Path, u.RawPath
	if strings.Contains(path, "//") || strings.Contains(path, "/.") {
		r.URL.Path, r.URL.RawPath = path, ""
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	seen := map[string]bool{}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		name = http.CanonicalHeaderKey(name)
		if !seen[name] {
			r.Header.Del(name)
		}
		seen[name] = true
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	in.handle.ServeHTTP(w, r)
	a := answer{w.Code, w.Result().Header, w.Body.String()}
	if in.watch != nil {
		r.Body = io.NopCloser(strings.NewReader(body))
		in.watch(r, a)
	}
	return a
}

// world is what one scenario finds: users, keys and stepsies of its own, made when
// they are first named.
type world struct {
	tb     testing.TB
	in     *installation
	number int
	values map[string]string
}

func (in *installation) world(tb testing.TB) *world {
	in.worlds++
	return &world{tb: tb, in: in, number: in.worlds, values: map[string]string{}}
}

var placeholder = regexp.MustCompile(`\{[a-z_.]+\}`)

// fill replaces {names} by what they stand for in this world.
func (w *world) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string { return w.get(name[1 : len(name)-1]) })
}

func (w *world) set(name string, value any) { w.values[name] = fmt.Sprint(value) }

// get returns the thing of that name:
//
//	author, other, boss     usernames; boss has the role admin
//	draft, public           ids of the author's stepsies; draft has two steps
//	theirs, shown           ids of the other's: a draft and a published one
//	spare                   id of a key of the author's with the scope read
//	NAME.etag               of a stepsy
//	reader, writer, key     secrets of the author: read, write, and both
//	admin                   secret of boss
func (w *world) get(name string) string {
	w.tb.Helper()
	if v, ok := w.values[name]; ok {
		return v
	}
	if of, ok := strings.CutSuffix(name, ".etag"); ok {
		return w.stepsy(w.id(of), "ETag")
	}
	switch name {
	case "author", "other", "boss":
		w.set(name, w.user(fmt.Sprintf("%s-%d", name, w.number), name == "boss"))
	case "draft":
		w.set(name, w.create("author", "A draft", false, "First", "Second"))
	case "public":
		w.set(name, w.create("author", "Published", true, "Only"))
	case "theirs":
		w.set(name, w.create("other", "Their draft", false, "Theirs"))
	case "shown":
		w.set(name, w.create("other", "Shown to all", true, "Theirs"))
	case "spare":
		id, secret := w.newKey("author", stepsies.KeyChange{Name: new("Spare")}, "read")
		w.set(name, id)
		w.set("spare_secret", secret)
	case "spare_secret":
		w.get("spare")
	case "reader", "writer", "key", "admin", "boss_reader", "boss_writer", "other_key":
		owner := map[string]string{"admin": "boss", "boss_reader": "boss", "boss_writer": "boss", "other_key": "other"}[name]
		if owner == "" {
			owner = "author"
		}
		scopes := map[string][]string{"reader": {"read"}, "boss_reader": {"read"}, "writer": {"write"}, "boss_writer": {"write"}, "admin": {"admin"}}[name]
		if scopes == nil {
			scopes = []string{"read", "write"}
		}
		id, secret := w.newKey(owner, stepsies.KeyChange{Name: new("Key " + name)}, scopes...)
		w.set(name, secret)
		w.set(name+"_id", id)
	default:
		if of, ok := strings.CutSuffix(name, "_id"); ok {
			w.get(of)
			break
		}
		w.tb.Fatalf("the test names {%s}, which is nothing", name)
	}
	return w.values[name]
}

func (w *world) id(name string) int64 {
	id, err := strconv.ParseInt(w.get(name), 10, 64)
	if err != nil {
		w.tb.Fatalf("{%s} is no id: %v", name, err)
	}
	return id
}

var operator = store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorOperator}}

func (w *world) user(name string, admin bool) string {
	role := string(stepsies.RoleMember)
	if admin {
		role = string(stepsies.RoleAdmin)
	}
	plan := string(stepsies.PlanPro)
	_, err := w.in.Store().CreateUser(context.Background(), operator, stepsies.UserChange{
		Username: new(name), Email: new(name + "@example.com"), DisplayName: new("Name of " + name), Role: &role,
	}, stepsies.AccountChange{Plan: &plan})

	w.must(err)
	return name
}

func (w *world) newKey(owner string, want stepsies.KeyChange, scopes ...string) (id int64, secret string) {
	s := stepsies.NewSecret()
	want.Scopes = &scopes
	out, err := w.in.Store().CreateAPIKey(context.Background(), operator, w.get(owner), want, s)
	w.must(err)
	return out.Value.ID, s.Reveal()
}

func (w *world) create(author, title string, published bool, steps ...string) int64 {
	want := stepsies.StepsyChange{Title: &title, Publish: published, Steps: &[]stepsies.StepChange{}}
	for _, s := range steps {
		*want.Steps = append(*want.Steps, stepsies.StepChange{Title: s, Content: stepsies.SanitisedContent("<p>" + s + "</p>")})
	}
	out, err := w.in.Store().CreateStepsy(context.Background(), operator, w.get(author), want)
	w.must(err)
	return out.Value.ID
}

// stepsy reads a stepsy over HTTP, as an admin, and returns a header of the answer.
func (w *world) stepsy(id int64, header string) string {
	a := w.in.ask("GET", fmt.Sprintf("/v1/stepsies/%d", id), "", w.bearer("admin"))
	if a.status != http.StatusOK {
		w.tb.Fatalf("read stepsy %d: %d %s", id, a.status, a.body)
	}
	return a.header.Get(header)
}

// read returns the body of a GET by an admin.
func (w *world) read(path string) string {
	w.tb.Helper()
	a := w.in.ask("GET", w.fill(path), "", w.bearer("admin"))
	if a.status != http.StatusOK {
		w.tb.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return a.body
}

func (w *world) bearer(name string) string { return "Authorization: Bearer " + w.get(name) }

func (w *world) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

// at returns the value at a dotted path of a JSON text, with numbers for the items
// of arrays: "data.0.id".
func at(tb testing.TB, text, path string) any {
	tb.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		tb.Fatalf("%.200q is not JSON: %v", text, err)
	}
	if path == "" {
		return v
	}
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[name]
			if !ok {
				tb.Fatalf("no %s of %s in %.300s", name, path, text)
			}
			v = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(in) {
				tb.Fatalf("no item %s of %s in %.300s", name, path, text)
			}
			v = in[i]
		default:
			tb.Fatalf("no %s of %s in %.300s", name, path, text)
		}
	}
	return v
}
