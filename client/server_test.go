package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/server"
)

// TestEveryOperationOnTheServer is the life of an installation as the SDK sees it.
func TestEveryOperationOnTheServer(t *testing.T) {
	in := open(t, server.Config{RateLimits: true})
	c := in.as(t, "admin", []client.Scope{client.ScopeAdmin})
	walkStepsies(t, c)
	walkUsers(t, c)
	walkKeys(t, in, c)
}

func walkStepsies(t *testing.T, c *client.Client) {
	ctx := t.Context()
	made, err := c.CreateStepsy(ctx, client.NewStepsy{
		Title: "Brew tea", Description: "Hot & <good>.", Category: "lifestyle", Slug: "tea", Featured: true,
		Steps: []client.StepInput{{Title: "Boil", Content: "<p>Fresh water.</p><script>alert(1)</script>"}, {Title: "Steep"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if made.ETag == "" || made.Status != client.StatusDraft || made.PublishedAt != nil || made.FeaturedAt == nil || made.User.Username != "admin" ||
		made.StepsCount != 2 || made.Steps[0].Content != "<p>Fresh water.</p>" || made.Description != "Hot & <good>." || made.AverageRating != nil {
		t.Errorf("made %+v", made)
	}
	if _, err := c.GetStepsy(ctx, made.ID, client.IfNoneMatch(made.ETag)); !errors.Is(err, client.ErrNotModified) {
		t.Errorf("an unchanged stepsy gave %v", err)
	}
	steps := append([]client.StepInput{{Title: "Fill the kettle"}}, made.StepInputs()...)
	changed, err := c.UpdateStepsy(ctx, made.ID, client.StepsyChange{
		Title: client.Set("Brew good tea"), Description: client.Null[string](), Category: client.Null[string](),
		Featured: client.Set(false), Steps: client.Set(steps),
	}, client.IfMatch(made.ETag))
	if err != nil {
		t.Fatal(err)
	}
	if changed.Title != "Brew good tea" || changed.Description != "" || changed.Category != "other" || changed.Featured || changed.ETag == made.ETag ||
		changed.Steps[1].ID != made.Steps[0].ID || changed.Steps[2].ID != made.Steps[1].ID || changed.Slug != "tea" {
		t.Errorf("changed to %+v", changed)
	}
	public, err := c.PublishStepsy(ctx, made.ID)
	if err != nil || public.Status != client.StatusPublished || public.PublishedAt == nil || public.URL != "https://stepsies.test/@admin/tea" {
		t.Errorf("published %+v, %v", public, err)
	}
	no := false
	page, err := c.ListStepsies(ctx, client.StepsyQuery{Limit: 1, Status: client.StatusPublished, Category: "other", Featured: &no, Q: "kettle",
		Sort: client.SortRecentlyPublished, UserID: "admin", IncludeSteps: true})
	if err != nil || len(page.Data) != 1 || page.Data[0].ID != made.ID || len(page.Data[0].Steps) != 3 || page.Meta.Limit != 1 || page.Meta.HasMore {
		t.Errorf("listed %+v, %v", page, err)
	}
	if draft, err := c.UnpublishStepsy(ctx, made.ID); err != nil || draft.Status != client.StatusDraft || draft.PublishedAt != nil {
		t.Errorf("unpublished %+v, %v", draft, err)
	}
	if err := c.DeleteStepsy(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetStepsy(ctx, made.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a deleted stepsy gave %v", err)
	}
	if err := c.DeleteStepsy(ctx, made.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("deleting it again gave %v", err)
	}
}

func walkUsers(t *testing.T, c *client.Client) {
	ctx := t.Context()
	me, err := c.UpdateMe(ctx, client.ProfileChange{DisplayName: client.Set("The Admin"), Bio: client.Set("Hello\nthere")})
	if err != nil || me.DisplayName != "The Admin" || me.Bio != "Hello\nthere" || me.Role != client.RoleAdmin || me.Plan != client.PlanFree {
		t.Errorf("changed the profile to %+v, %v", me, err)
	}
	me, err = c.Me(ctx)
	if err != nil || me.Key == nil || !slices.Equal(me.Key.Scopes, []client.Scope{client.ScopeAdmin}) || me.Limits.Minute == nil || me.Limits.Minute.Limit != 60 {
		t.Errorf("the profile is %+v, %v", me, err)
	}
	if w, ok := c.RateLimit(); !ok || w != *me.Limits.Minute {
		t.Errorf("the headers say %+v, the profile %+v", w, me.Limits.Minute)
	}

	minute, hour := int64(500), int64(9000)
	made, err := c.CreateUser(ctx, client.NewUser{Username: "sarahchen", Email: "sarah@example.com", DisplayName: "Sarah Chen", Bio: "b", Role: client.RoleAdmin,
		Plan: client.PlanEnterprise, Limits: &client.Limits{Minute: &minute, Hour: &hour}, Suspended: true})
	if err != nil || !made.Suspended || made.SuspendedAt == nil || made.Limits == nil || *made.Limits.Hour != hour || made.Limits.Month != nil {
		t.Fatalf("made %+v, %v", made, err)
	}
	changed, err := c.UpdateUser(ctx, "sarahchen", client.UserChange{Limits: client.Set(client.LimitsChange{Minute: client.Null[int64](), Month: client.Set(hour)}),
		Suspended: client.Set(false), Role: client.Set(client.RoleMember), Email: client.Set("chen@example.com"), DisplayName: client.Null[string]()})
	if err != nil {
		t.Fatal(err)
	}
	if l := changed.Limits; changed.Suspended || changed.DisplayName != "sarahchen" || l.Minute != nil || l.Hour == nil || *l.Hour != hour || *l.Month != hour {
		t.Errorf("changed to %+v with %+v", changed, l)
	}
	var names []string
	for u, err := range c.AllUsers(ctx, client.UserQuery{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, u.Username)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"admin", "sarahchen"}) {
		t.Errorf("the users are %v", names)
	}
	if page, err := c.ListUsers(ctx, client.UserQuery{Q: "chen@example.com"}); err != nil || len(page.Data) != 1 || page.Data[0].Plan != client.PlanEnterprise {
		t.Errorf("found %+v, %v", page, err)
	}
	if err := c.DeleteUser(ctx, "sarahchen"); err != nil {
		t.Error(err)
	}
	if _, err := c.GetUser(ctx, "sarahchen"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a deleted user gave %v", err)
	}
	if _, err := c.UpdateUser(ctx, "admin", client.UserChange{Suspended: client.Set(true)}); !errors.Is(err, client.ErrConflict) {
		t.Errorf("suspending the last admin gave %v", err)
	}
}

func walkKeys(t *testing.T, in *installation, c *client.Client) {
	ctx := t.Context()
	until := time.Now().Add(90 * 24 * time.Hour).UTC().Truncate(time.Second)
	made, err := c.CreateAPIKey(ctx, client.NewAPIKey{Name: "CI", Description: "d", Scopes: readWrite, ExpiresAt: until, UserID: "admin"})
	if err != nil || made.Status != client.KeyActive || made.ExpiresAt == nil || !made.ExpiresAt.Equal(until) || made.UserID != "admin" || made.RevokedReason != nil {
		t.Fatalf("made %+v, %v", made, err)
	}
	changed, err := c.UpdateAPIKey(ctx, made.ID, client.APIKeyChange{Name: client.Set("CD"), Scopes: client.Set([]client.Scope{client.ScopeRead}), ExpiresAt: client.Null[time.Time]()})
	if err != nil || changed.Name != "CD" || changed.ExpiresAt != nil || len(changed.Scopes) != 1 {
		t.Errorf("changed to %+v, %v", changed, err)
	}
	next, err := c.RotateAPIKey(ctx, made.ID, client.Rotation{GracePeriod: client.Set(time.Hour)})
	if err != nil || next.ID == made.ID || next.Name != "CD" || next.Key.IsZero() {
		t.Fatalf("rotated to %+v, %v", next, err)
	}
	for _, k := range []client.Secret{made.Key, next.Key} { // both live for an hour
		if _, err := newClient(t, client.WithBaseURL(in.url), client.WithAPIKey(k.Reveal())).Me(ctx); err != nil {
			t.Error(err)
		}
	}
	old, err := c.GetAPIKey(ctx, made.ID)
	if err != nil || old.Status != client.KeyExpiring || old.ExpiresAt == nil {
		t.Errorf("the old key is %+v, %v", old, err)
	}
	if gone, err := c.RevokeAPIKey(ctx, made.ID); err != nil || gone.Status != client.KeyRevoked || gone.RevokedAt == nil || *gone.RevokedReason != "revoked" {
		t.Errorf("revoked %+v, %v", gone, err)
	}
	if _, err := c.RotateAPIKey(ctx, made.ID, client.Rotation{}); !errors.Is(err, client.ErrConflict) {
		t.Errorf("rotating a revoked key gave %v", err)
	}
	if n, err := c.ReportLeakedKeys(ctx, []string{next.Key.Reveal(), "not a key"}, "https://example.com/paste"); err != nil || n != 2 {
		t.Errorf("the report gave %d, %v", n, err)
	}
	leaked, err := c.GetAPIKey(ctx, next.ID)
	if err != nil || leaked.Status != client.KeyRevoked || *leaked.RevokedReason != "leaked" || *leaked.LeakSourceURL != "https://example.com/paste" {
		t.Errorf("the leaked key is %+v, %v", leaked, err)
	}
	n := 0
	for _, err := range c.AllAPIKeys(ctx, client.APIKeyQuery{Limit: 1, UserID: "admin"}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d keys are listed", n)
	}
}

// TestPagingOverAThousandStepsies walks all of them in every order, each once.
func TestPagingOverAThousandStepsies(t *testing.T) {
	const stepsies = 1000
	in := open(t, server.Config{})
	c := in.as(t, "sarahchen", readWrite)
	inParallel(t, stepsies, func(ctx context.Context, i int) error {
		_, err := c.CreateStepsy(ctx, client.NewStepsy{Title: fmt.Sprintf("Tea %03d", i%500)}) // equal titles at page ends
		return err
	})
	for _, query := range []client.StepsyQuery{
		{}, {Sort: client.SortOldest}, {Sort: client.SortTitle, Limit: 37}, {Sort: client.SortRecentlyUpdated, IncludeSteps: true, Limit: 5000},
		{Sort: client.SortRecentlyPublished}, {Status: client.StatusDraft, Q: "tea"},
	} {
		before := in.requests.Load()
		seen := map[int64]bool{}
		for s, err := range c.AllStepsies(t.Context(), query) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[s.ID] {
				t.Fatalf("%+v: stepsy %d comes twice", query, s.ID)
			}
			seen[s.ID] = true
		}
		size := int64(client.MaxPageSize)
		if query.Limit == 37 {
			size = 37
		}
		if asked := in.requests.Load() - before; len(seen) != stepsies || asked != (stepsies+size-1)/size {
			t.Errorf("%+v: %d stepsies by %d requests", query, len(seen), asked)
		}
	}
}

// TestLimitIsWaitedOut: the server counts, refuses and says when; the SDK tells of
// it, waits that long and goes on.
func TestLimitIsWaitedOut(t *testing.T) {
	in := open(t, server.Config{RateLimits: true})
	nextMinute := time.Now().Add(time.Minute).Truncate(time.Minute)
	var waits []time.Duration
	c := in.as(t, "sarahchen", readWrite, client.WithRetryNotice(func(r client.Retry) {
		if waits = append(waits, r.Wait); !errors.Is(r.Err, client.ErrRateLimit) {
			t.Errorf("repeated after %v", r.Err)
		}
		in.setClock(nextMinute)
	}))
	const limit = 3
	if _, err := in.operator.UpdateUser(t.Context(), "sarahchen", client.UserChange{Plan: client.Set(client.PlanEnterprise),
		Limits: client.Set(client.LimitsChange{Minute: client.Set[int64](limit)})}); err != nil {
		t.Fatal(err)
	}
	in.setClock(nextMinute.Add(-time.Second)) // no more than that is waited
	for i := range int64(limit) {
		if _, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"}); err != nil {
			t.Fatal(err)
		}
		if w, ok := c.RateLimit(); !ok || w != (client.Window{Limit: limit, Remaining: limit - 1 - i, Reset: nextMinute.Unix()}) {
			t.Errorf("after %d requests the window is %+v", i+1, w)
		}
	}
	if _, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"}); err != nil {
		t.Fatal(err)
	}
	if len(waits) != 1 || waits[0] < time.Second || waits[0] > 1100*time.Millisecond {
		t.Errorf("waited %v, for a Retry-After of a second", waits)
	}

	// Who does not want to wait gets the failure at once, and is told when.
	in.setClock(nextMinute.Add(15 * time.Second))
	hasty := newClient(t, client.WithBaseURL(in.url), client.WithAPIKey(in.key(t, "sarahchen", client.ScopeRead).Key.Reveal()), client.WithMaxWait(time.Second))
	var err error
	for range limit {
		_, err = hasty.Me(t.Context())
	}
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.Code != client.ErrRateLimit || e.RetryAfter != 45*time.Second || !strings.Contains(err.Error(), "Try again in 45s.") {
		t.Errorf("got %v", err)
	}
}

// lose puts a network between that loses the answers to some writes after the
// server has carried them out, or the requests before it gets them.
func (in *installation) lose(every int64, answer bool) *atomic.Int64 {
	var n, lost atomic.Int64
	in.put(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet || n.Add(1)%every != 0 {
				next.ServeHTTP(w, r)
				return
			}
			if answer {
				next.ServeHTTP(httptest.NewRecorder(), r)
			}
			lost.Add(1)
			panic(http.ErrAbortHandler)
		})
	})
	return &lost
}

// TestServerThatDiesInTheMiddle: whatever is lost, each write is carried out once.
func TestServerThatDiesInTheMiddle(t *testing.T) {
	for name, answer := range map[string]bool{"before it wrote": false, "after it wrote": true} {
		t.Run(name, func(t *testing.T) {
			const stepsies = 60
			in := open(t, server.Config{})
			c := in.as(t, "sarahchen", readWrite, client.WithMaxWait(10*time.Millisecond), client.WithRetries(10))
			lost := in.lose(3, answer)
			ids := make([]int64, stepsies)
			inParallel(t, stepsies, func(ctx context.Context, i int) error {
				s, err := c.CreateStepsy(ctx, client.NewStepsy{Title: fmt.Sprint("Tea ", i), Steps: []client.StepInput{{Title: "Boil"}}})
				if err != nil {
					return err
				}
				ids[i] = s.ID
				if s, err = c.UpdateStepsy(ctx, s.ID, client.StepsyChange{Title: client.Set(fmt.Sprint("Coffee ", i))}, client.IfMatch(s.ETag)); err != nil {
					return fmt.Errorf("the write's own success made it stale: %w", err)
				}
				_, err = c.PublishStepsy(ctx, s.ID)
				return err
			})
			n := 0
			for s, err := range c.AllStepsies(t.Context(), client.StepsyQuery{Status: client.StatusPublished, Q: "coffee"}) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; !slices.Contains(ids, s.ID) {
					t.Errorf("stepsy %d was made and not returned", s.ID)
				}
			}
			if n != stepsies || lost.Load() < stepsies {
				t.Errorf("%d stepsies of %d, %d requests lost", n, stepsies, lost.Load())
			}
			inParallel(t, stepsies, func(ctx context.Context, i int) error { return c.DeleteStepsy(ctx, ids[i]) })
		})
	}
}

func TestSecretThatWasLostOnTheWay(t *testing.T) {
	in := open(t, server.Config{})
	c := in.as(t, "admin", []client.Scope{client.ScopeAdmin}, client.WithMaxWait(time.Millisecond))
	in.lose(2, true)
	want := client.NewAPIKey{Name: "CI", Scopes: []client.Scope{client.ScopeRead}}
	if first, err := c.CreateAPIKey(t.Context(), want); err != nil || first.Key.IsZero() {
		t.Fatalf("got %v, %v", first, err)
	}
	lost, err := c.CreateAPIKey(t.Context(), want)
	if !errors.Is(err, client.ErrSecretLost) || lost == nil || !strings.Contains(err.Error(), fmt.Sprint("revoke key ", lost.ID)) {
		t.Fatalf("got %v, %v", lost, err)
	}
	if k, err := c.RevokeAPIKey(t.Context(), lost.ID); err != nil || k.Name != "CI" {
		t.Errorf("revoked %v, %v", k, err)
	}
}

func TestStaleVersionIsNotOverwritten(t *testing.T) {
	in := open(t, server.Config{})
	c := in.as(t, "sarahchen", readWrite)
	mine, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateStepsy(t.Context(), mine.ID, client.StepsyChange{Title: client.Set("Theirs")}); err != nil {
		t.Fatal(err)
	}
	_, err = c.UpdateStepsy(t.Context(), mine.ID, client.StepsyChange{Title: client.Set("Mine")}, client.IfMatch(mine.ETag))
	if e, ok := errors.AsType[*client.Error](err); !errors.Is(err, client.ErrPreconditionFailed) || !ok || e.Status != http.StatusPreconditionFailed {
		t.Errorf("got %v", err)
	}
	now, err := c.GetStepsy(t.Context(), mine.ID)
	if err != nil || now.Title != "Theirs" {
		t.Errorf("now it is %+v, %v", now, err)
	}
	if _, err := c.UpdateStepsy(t.Context(), mine.ID, client.StepsyChange{Title: client.Set("Mine")}, client.IfMatch(now.ETag)); err != nil {
		t.Errorf("after reading it again: %v", err)
	}
}

func TestEndedKeySaysWhatToDo(t *testing.T) {
	in := open(t, server.Config{})
	in.user(t, "sarahchen", client.RoleMember)
	for name, end := range map[string]func(*client.CreatedKey) error{
		"revoked": func(k *client.CreatedKey) error {
			_, err := in.operator.RevokeAPIKey(t.Context(), k.ID)
			return err
		},
		"expired": func(k *client.CreatedKey) error {
			_, err := in.operator.UpdateAPIKey(t.Context(), k.ID, client.APIKeyChange{ExpiresAt: client.Set(time.Now().Add(time.Minute))})
			in.setClock(time.Now().Add(2 * time.Minute))
			return err
		},
		"suspended": func(k *client.CreatedKey) error {
			_, err := in.operator.UpdateUser(t.Context(), "sarahchen", client.UserChange{Suspended: client.Set(true)})
			return err
		},
	} {
		if _, err := in.operator.UpdateUser(t.Context(), "sarahchen", client.UserChange{Suspended: client.Set(false)}); err != nil {
			t.Fatal(err)
		}
		k := in.key(t, "sarahchen", readWrite...)
		c := newClient(t, client.WithBaseURL(in.url), client.WithAPIKey(k.Key.Reveal()))
		if _, err := c.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := end(k); err != nil {
			t.Fatal(err)
		}
		before := in.requests.Load()
		_, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"})
		if !errors.Is(err, client.ErrUnauthorized) || !strings.Contains(err.Error(), "revoked or expired: create a new one in the dashboard's Developer tab") ||
			strings.Contains(err.Error(), k.Key.Reveal()[:20]) {
			t.Errorf("a %s key gave %v", name, err)
		}
		if n := in.requests.Load() - before; n != 1 {
			t.Errorf("a %s key was tried %d times", name, n)
		}
	}
}

func TestMissingScopeIsNamed(t *testing.T) {
	in := open(t, server.Config{})
	reader := in.as(t, "reader", []client.Scope{client.ScopeRead})
	writer := in.as(t, "writer", []client.Scope{client.ScopeWrite})
	_, create := reader.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"})
	_, list := writer.ListStepsies(t.Context(), client.StepsyQuery{})
	_, users := writer.ListUsers(t.Context(), client.UserQuery{})
	for want, err := range map[client.Scope]error{client.ScopeWrite: create, client.ScopeRead: list, client.ScopeAdmin: users} {
		if e, ok := errors.AsType[*client.Error](err); !ok || e.Code != client.ErrForbidden || e.Scope != want || !strings.Contains(err.Error(), "the scope "+string(want)) {
			t.Errorf("without the scope %s: %v", want, err)
		}
	}
}

// TestNewerServerIsUnderstood adds fields to every object of every answer.
func TestNewerServerIsUnderstood(t *testing.T) {
	in := open(t, server.Config{RateLimits: true})
	c := in.as(t, "admin", []client.Scope{client.ScopeAdmin})
	in.put(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			body := rec.Body.Bytes()
			var v any
			if json.Unmarshal(body, &v) == nil {
				body, _ = json.Marshal(withMore(v))
			}
			for name, values := range rec.Header() {
				if name != "Content-Length" {
					w.Header()[name] = values
				}
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(body)
		})
	})
	walkStepsies(t, c)
	walkUsers(t, c)
	walkKeys(t, in, c)
}

func withMore(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			v[name] = withMore(field)
		}
		v["of_the_future"] = map[string]any{"id": []any{1, "two"}}
	case []any:
		for i := range v {
			v[i] = withMore(v[i])
		}
	}
	return v
}

// trickle is a network on which bytes come a few at a time.
type trickle struct{ net.Conn }

func (c trickle) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(len(p), 7)]) }

func (c trickle) Write(p []byte) (n int, err error) {
	for part := range slices.Chunk(p, 11) {
		var m int
		m, err = c.Conn.Write(part)
		if n += m; err != nil {
			break
		}
	}
	return n, err
}

func TestSlowNetwork(t *testing.T) {
	in := open(t, server.Config{})
	slow := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return trickle{conn}, err
	}}
	t.Cleanup(slow.CloseIdleConnections)
	c := in.as(t, "sarahchen", readWrite, client.WithTransport(slow))
	content := "<p>" + strings.Repeat("tea and more tea ", 5000) + "</p>"
	made, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea", Steps: []client.StepInput{{Title: "Boil", Content: content}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetStepsy(t.Context(), made.ID)
	if err != nil || len(got.Steps) != 1 || len(got.Steps[0].Content) < 80_000 || !bytes.Equal([]byte(got.Steps[0].Content), []byte(made.Steps[0].Content)) {
		t.Errorf("got %d bytes, %v", len(fmt.Sprint(got)), err)
	}
}

// TestStalledAnswerIsGivenUpAndAskedForAgain: the server has written and its
// answer stands still half-way.
func TestStalledAnswerIsGivenUpAndAskedForAgain(t *testing.T) {
	in := open(t, server.Config{})
	c := in.as(t, "sarahchen", readWrite, client.WithTimeout(250*time.Millisecond), client.WithMaxWait(time.Millisecond), client.WithRetries(20))
	var once sync.Once
	in.put(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			stall := false
			once.Do(func() { stall = true })
			if !stall {
				next.ServeHTTP(w, r)
				return
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(rec.Code)
			_, _ = io.CopyN(w, rec.Body, 20)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
	})
	made, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"})
	if err != nil {
		t.Fatal(err)
	}
	page, err := c.ListStepsies(t.Context(), client.StepsyQuery{})
	if err != nil || len(page.Data) != 1 || page.Data[0].ID != made.ID {
		t.Errorf("there is %+v, %v", page, err)
	}
}
