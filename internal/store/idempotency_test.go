package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var idempotency = []guarantee{
	{"SameRequestGivesTheFirstAnswer", testReplay},
	{"EveryWriteCanBeReplayed", testReplayEveryWrite},
	{"AnotherBodyRouteOrUserIsNotTheSameRequest", testNotTheSame},
	{"FailedWriteIsNotRemembered", testFailureNotRemembered},
	{"AnswerIsForgottenAfterADay", testForgotten},
	{"SecondRequestWaitsForTheFirst", testConcurrentOnce},
	{"SecondRequestRunsWhereTheFirstFailed", testConcurrentOnceFails},
	{"StalledRequestIsAConflictForTheSecond", testStalledOnce},
	{"TwentyAtOnceMakeOneStepsy", testManyOnce},
}

func once(u stepsies.User, key, body string) Write {
	w := by(u)
	w.Once = &Once{UserID: u.ID, Key: key, Route: "POST /v1/stepsies", Body: sha256.Sum256([]byte(body))}
	return w
}

func testReplay(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	want := stepsies.StepsyChange{Title: ptr("Title 日本"), Steps: steps("<b>", "two"), Featured: ptr(true), Publish: true}
	first, err := f.CreateStepsy(ctx, once(u, "k", "body"), "sarah", want)
	if err != nil || first.Replayed {
		t.Fatalf("first: %+v (%v)", first, err)
	}
	f.clock.forward(time.Hour)
	if _, err := f.UpdateStepsy(ctx, by(u), first.Value.ID, stepsies.StepsyChange{Title: ptr("Changed since")}); err != nil {
		t.Fatal(err)
	}
	rows := f.count(t, `select count(*) from activity`)
	again, err := f.CreateStepsy(ctx, once(u, "k", "body"), "sarah", want)
	if err != nil || !again.Replayed || !reflect.DeepEqual(again.Value, first.Value) {
		t.Errorf("replayed %+v (%v), want %+v", again, err, first.Value)
	}
	if n := f.count(t, `select count(*) from stepsies`); n != 1 {
		t.Errorf("there are %d stepsies, want 1", n)
	}
	if f.count(t, `select count(*) from activity`) != rows {
		t.Error("a replay was recorded as a change")
	}
}

// testReplayEveryWrite sends each kind of write twice.
func testReplayEveryWrite(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.user(t, "sarah", stepsies.RoleAdmin)
	made := f.stepsy(t, u, "Title")
	k, _ := f.key(t, u, "read")
	key := 0
	twice := func(what string, call func(w Write) (any, bool, error)) {
		t.Helper()
		key++
		w := once(u, strings.Repeat("k", key), what)
		first, replayed, err := call(w)
		if err != nil || replayed {
			t.Fatalf("%s: %+v %v (%v)", what, first, replayed, err)
		}
		f.clock.forward(time.Minute)
		again, replayed, err := call(w)
		if err != nil || !replayed || !reflect.DeepEqual(again, first) {
			t.Errorf("%s again: %+v %v (%v), want %+v", what, again, replayed, err, first)
		}
	}
	twice("create a user", func(w Write) (any, bool, error) {
		out, err := f.CreateUser(ctx, w, stepsies.UserChange{Username: ptr("new"), Email: ptr("new@example.com")},
			stepsies.AccountChange{Plan: ptr("enterprise"), Limits: &stepsies.Limits{Hour: 3}})
		return out.Value, out.Replayed, err
	})
	twice("update a user", func(w Write) (any, bool, error) {
		out, err := f.UpdateUser(ctx, w, "new", stepsies.UserChange{Suspended: ptr(true)})
		return out.Value, out.Replayed, err
	})
	twice("create a key", func(w Write) (any, bool, error) {
		out, err := f.CreateAPIKey(ctx, w, "sarah", stepsies.KeyChange{Name: ptr("n"), Scopes: &[]string{"admin"}, ExpiresAt: ptr(epoch.Add(time.Hour))}, stepsies.NewSecret())
		return out.Value, out.Replayed, err
	})
	twice("update a key", func(w Write) (any, bool, error) {
		out, err := f.UpdateAPIKey(ctx, w, k.ID, stepsies.KeyChange{Name: ptr("m")})
		return out.Value, out.Replayed, err
	})
	twice("rotate a key", func(w Write) (any, bool, error) {
		out, err := f.RotateAPIKey(ctx, w, k.ID, time.Hour, stepsies.NewSecret())
		return out.Value, out.Replayed, err
	})
	twice("revoke a key", func(w Write) (any, bool, error) {
		out, err := f.RevokeAPIKey(ctx, w, k.ID)
		return out.Value, out.Replayed, err
	})
	// Before If-Match is looked at: the second one names a version that is gone.
	twice("update a stepsy", func(w Write) (any, bool, error) {
		w.Match = version(1)
		out, err := f.UpdateStepsy(ctx, w, made.ID, stepsies.StepsyChange{Title: ptr("New")})
		return out.Value, out.Replayed, err
	})
	twice("publish", func(w Write) (any, bool, error) {
		out, err := f.PublishStepsy(ctx, w, made.ID)
		return out.Value, out.Replayed, err
	})
	twice("unpublish", func(w Write) (any, bool, error) {
		out, err := f.UnpublishStepsy(ctx, w, made.ID)
		return out.Value, out.Replayed, err
	})
	if n := f.count(t, `select count(*) from api_keys`); n != 3 {
		t.Errorf("there are %d keys, want 3", n)
	}
}

func testNotTheSame(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	title := stepsies.StepsyChange{Title: ptr("Title")}
	if _, err := f.CreateStepsy(t.Context(), once(sarah, "k", "body"), "sarah", title); err != nil {
		t.Fatal(err)
	}
	_, err := f.CreateStepsy(t.Context(), once(sarah, "k", "another body"), "sarah", title)
	wantCode(t, err, stepsies.CodeValidation)
	if e, ok := errors.AsType[*stepsies.Error](err); !ok || len(e.Problems) != 1 || e.Problems[0].Field != "Idempotency-Key" {
		t.Errorf("%v does not name the header", err)
	}
	route := once(sarah, "k", "another body")
	route.Once.Route = "POST /v1/stepsies/1/publish"
	for what, w := range map[string]Write{"another key": once(sarah, "K", "body"), "another route": route, "another user": once(mike, "k", "body")} {
		if out, err := f.CreateStepsy(t.Context(), w, w.Actor.Username, title); err != nil || out.Replayed {
			t.Errorf("%s: replayed %v (%v)", what, out.Replayed, err)
		}
	}
}

func testFailureNotRemembered(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	_, err := f.CreateStepsy(t.Context(), once(u, "k", "body"), "sarah", stepsies.StepsyChange{Title: ptr("")})
	wantCode(t, err, stepsies.CodeValidation)
	if n := f.count(t, `select count(*) from idempotency_records`); n != 0 {
		t.Errorf("%d failed writes are remembered", n)
	}
	out, err := f.CreateStepsy(t.Context(), once(u, "k", "another body"), "sarah", stepsies.StepsyChange{Title: ptr("Title")})
	if err != nil || out.Replayed {
		t.Errorf("after a failure: replayed %v (%v)", out.Replayed, err)
	}
}

func testForgotten(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	create := func(body string) (Outcome[stepsies.Stepsy], error) {
		return f.CreateStepsy(t.Context(), once(u, "k", body), "sarah", stepsies.StepsyChange{Title: ptr("Title")})
	}
	first, err := create("body")
	if err != nil {
		t.Fatal(err)
	}
	f.clock.forward(IdempotencyLifetime - time.Millisecond)
	if again, err := create("body"); err != nil || !again.Replayed {
		t.Errorf("before the day is over: replayed %v (%v)", again.Replayed, err)
	}
	f.clock.forward(time.Millisecond)
	second, err := create("another body")
	if err != nil || second.Replayed || second.Value.ID == first.Value.ID {
		t.Errorf("after a day: %+v (%v)", second, err)
	}
	if again, err := create("another body"); err != nil || !again.Replayed || again.Value.ID != second.Value.ID {
		t.Errorf("the new answer is not remembered: %+v (%v)", again, err)
	}
}

// inTheMiddle begins an idempotent write whose end waits for release, and reports how
// it ended.
func (f *fixture) inTheMiddle(t *testing.T, w Write, failure error) (release func(), ended <-chan error) {
	t.Helper()
	begun, gate, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := write(context.WithoutCancel(t.Context()), f.Store, w, func(t2 *tx) (string, error) {
			close(begun)
			<-gate
			return "the first answer", failure
		})
		done <- err
	}()
	<-begun
	return func() { close(gate) }, done
}

// secondNode is where a second request with the same key arrives, and waiting
// returns once it stands behind the first one: on another node with PostgreSQL,
// where it waits for a lock in the database, and in this process with SQLite, where
// nobody else can.
func (f *fixture) secondNode(t *testing.T) (node *Store, ctx context.Context, waiting func()) {
	t.Helper()
	if f.engine == "sqlite" {
		ctx := &watched{Context: context.WithoutCancel(t.Context()), asked: make(chan struct{})}
		return f.Store, ctx, func() { <-ctx.asked }
	}
	return f.open(t), context.WithoutCancel(t.Context()), func() {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if f.count(t, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) >= 1 {
				return
			}
		}
		t.Fatal("nobody waits")
	}
}

// watched is a context that tells when somebody begins to wait for its end as well
// as for something else.
type watched struct {
	context.Context
	once  sync.Once
	asked chan struct{}
}

func (w *watched) Done() <-chan struct{} {
	w.once.Do(func() { close(w.asked) })
	return w.Context.Done()
}

func testConcurrentOnce(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	w := once(u, "k", "body")
	release, ended := f.inTheMiddle(t, w, nil)
	node, ctx, waiting := f.secondNode(t)
	second := make(chan Outcome[string], 1)
	failed := make(chan error, 1)
	go func() {
		out, err := write(ctx, node, w, func(t2 *tx) (string, error) { return "the second answer", nil })
		failed <- err
		second <- out
	}()
	waiting()
	release()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err, out := <-failed, <-second; err != nil || !out.Replayed || out.Value != "the first answer" {
		t.Errorf("the second one got %+v (%v)", out, err)
	}
}

func testConcurrentOnceFails(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	w := once(u, "k", "body")
	failure := errors.New("on purpose")
	release, ended := f.inTheMiddle(t, w, failure)
	node, ctx, waiting := f.secondNode(t)
	second := make(chan error, 1)
	go func() {
		out, err := write(ctx, node, w, func(t2 *tx) (string, error) { return "the second answer", nil })
		if err == nil && (out.Replayed || out.Value != "the second answer") {
			err = errors.New("got " + out.Value)
		}
		second <- err
	}()
	waiting()
	release()
	if err := <-ended; !errors.Is(err, failure) {
		t.Errorf("the first one ended with %v", err)
	}
	if err := <-second; err != nil {
		t.Errorf("the second one: %v", err)
	}
}

// testStalledOnce shortens the wait. Whatever has stalled the first request, its
// repetition is told that it still runs, and not that the database is away.
func testStalledOnce(t *testing.T, f *fixture) {
	f.Store.turns.wait = 50 * time.Millisecond
	u := f.member(t, "sarah")
	w := once(u, "k", "body")
	release, ended := f.inTheMiddle(t, w, nil)
	_, err := write(t.Context(), f.Store, w, func(t2 *tx) (string, error) { return "", errors.New("it ran twice") })
	wantCode(t, err, stepsies.CodeConflict)
	release()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	out, err := write(t.Context(), f.Store, w, func(t2 *tx) (string, error) { return "", errors.New("it ran twice") })
	if err != nil || !out.Replayed || out.Value != "the first answer" {
		t.Errorf("afterwards: %+v (%v)", out, err)
	}
}

func testManyOnce(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	nodes := []*Store{f.Store}
	if f.engine != "sqlite" {
		nodes = append(nodes, f.open(t))
	}
	var wg sync.WaitGroup
	outs, errs := make([]Outcome[stepsies.Stepsy], 20), make([]error, 20)
	for i := range outs {
		wg.Go(func() {
			outs[i], errs[i] = nodes[i%len(nodes)].CreateStepsy(t.Context(), once(u, "k", "body"), "sarah", stepsies.StepsyChange{Title: ptr("Title")})
		})
	}
	wg.Wait()
	fresh := 0
	for i, out := range outs {
		if errs[i] != nil || out.Value.ID != outs[0].Value.ID {
			t.Errorf("%d: stepsy %d (%v), want %d", i, out.Value.ID, errs[i], outs[0].Value.ID)
		}
		if !out.Replayed {
			fresh++
		}
	}
	if n := f.count(t, `select count(*) from stepsies`); n != 1 || fresh != 1 {
		t.Errorf("%d stepsies were made by %d of the requests", n, fresh)
	}
}

// TestIdempotentRequestThatRunsOnAnotherNodeIsAConflict shortens the time for which
// PostgreSQL lets the second request wait.
func TestIdempotentRequestThatRunsOnAnotherNodeIsAConflict(t *testing.T) {
	t.Parallel()
	f := postgresFixture(t)
	other := f.open(t)
	other.engine.lockWait = "set local lock_timeout = '50ms'"
	u := f.member(t, "sarah")
	w := once(u, "k", "body")
	release, ended := f.inTheMiddle(t, w, nil)
	_, err := write(t.Context(), other, w, func(t2 *tx) (string, error) { return "", errors.New("it ran twice") })
	wantCode(t, err, stepsies.CodeConflict)
	release()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
