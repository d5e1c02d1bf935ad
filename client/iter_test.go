package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"testing"

	"github.com/stepsies/stepsies/client"
)

// shelf serves n things in pages, as each of the three lists does. The cursor is
// the number of the next thing.
func shelf(n int, item func(i int) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		from, _ := strconv.Atoi(r.FormValue("cursor"))
		page := client.Page[any]{Data: []any{}, Meta: client.PageMeta{Limit: limit}}
		for i := from; i < min(from+limit, n); i++ {
			page.Data = append(page.Data, item(i))
		}
		if from+limit < n {
			page.Meta.HasMore, page.Meta.NextCursor = true, strconv.Itoa(from+limit)
		}
		body, _ := json.Marshal(page)
		respond(200, string(body))(w, r)
	}
}

func count[T any](t *testing.T, items iter.Seq2[T, error], id func(T) string) int {
	t.Helper()
	n := 0
	for item, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		if id(item) != fmt.Sprint(n) {
			t.Fatalf("item %d is %s", n, id(item))
		}
		n++
	}
	return n
}

func TestIteratorsWalkAllPages(t *testing.T) {
	for _, n := range []int{0, 1, 100, 101, 1000} {
		requests := max(1, (n+99)/100)
		rec := record(shelf(n, func(i int) any { return client.Stepsy{ID: int64(i)} }))
		c := connect(t, rec)
		stepsies := c.AllStepsies(t.Context(), client.StepsyQuery{Q: "tea", IncludeSteps: true})
		for range 2 { // a sequence can be ranged over again
			if got := count(t, stepsies, func(s client.Stepsy) string { return fmt.Sprint(s.ID) }); got != n {
				t.Errorf("%d stepsies instead of %d", got, n)
			}
		}
		got := rec.requests()
		if len(got) != 2*requests {
			t.Errorf("%d requests for two rounds over %d stepsies", len(got), n)
		}
		for i, r := range got {
			want := "include=steps&limit=100&q=tea"
			if page := i % requests; page > 0 {
				want = fmt.Sprintf("cursor=%d00&%s", page, want)
			}
			if r.Query != want {
				t.Errorf("request %d asks for %s, not %s", i, r.Query, want)
			}
		}
	}
	keys := connect(t, shelf(250, func(i int) any { return client.APIKey{ID: int64(i)} }))
	if n := count(t, keys.AllAPIKeys(t.Context(), client.APIKeyQuery{UserID: "sarahchen"}), func(k client.APIKey) string { return fmt.Sprint(k.ID) }); n != 250 {
		t.Errorf("%d keys", n)
	}
	users := connect(t, shelf(250, func(i int) any { return client.User{Username: fmt.Sprint(i)} }))
	if n := count(t, users.AllUsers(t.Context(), client.UserQuery{Limit: 7}), func(u client.User) string { return u.Username }); n != 250 {
		t.Errorf("%d users", n)
	}
}

func TestIteratorPageSizeIsBounded(t *testing.T) {
	for limit, want := range map[int]string{0: "100", -3: "100", 1: "1", 99: "99", 100: "100", 5000: "100"} {
		rec := record(respond(200, `{"data":[],"meta":{}}`))
		for range connect(t, rec).AllUsers(t.Context(), client.UserQuery{Limit: limit}) {
			t.Error("an empty list has an item")
		}
		if got := rec.requests()[0].Query; got != "limit="+want {
			t.Errorf("a limit of %d became %s", limit, got)
		}
	}
}

func TestIteratorBeginsAtTheCursorAndStopsWhenTheLoopDoes(t *testing.T) {
	rec := record(shelf(1000, func(i int) any { return client.Stepsy{ID: int64(i)} }))
	var got []int64
	for s, err := range connect(t, rec).AllStepsies(t.Context(), client.StepsyQuery{Limit: 10, Cursor: "20"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.ID)
		if len(got) == 10 {
			break
		}
	}
	if fmt.Sprint(got) != "[20 21 22 23 24 25 26 27 28 29]" || len(rec.requests()) != 1 {
		t.Errorf("got %v by %d requests", got, len(rec.requests()))
	}
}

func TestIteratorStopsOnError(t *testing.T) {
	full := shelf(1000, func(i int) any { return client.Stepsy{ID: int64(i)} })
	rec := record(full, full, fail(403, client.ErrForbidden), full)
	items, failures := 0, 0
	for s, err := range connect(t, rec).AllStepsies(t.Context(), client.StepsyQuery{}) {
		if err != nil {
			failures++
			if !errors.Is(err, client.ErrForbidden) || s.ID != 0 {
				t.Errorf("got %v with %+v", err, s)
			}
			continue
		}
		items++
	}
	if items != 200 || failures != 1 || len(rec.requests()) != 3 {
		t.Errorf("%d items, %d failures, %d requests", items, failures, len(rec.requests()))
	}
}

func TestIteratorHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for s, err := range connect(t, shelf(1000, func(i int) any { return client.Stepsy{ID: int64(i)} })).AllStepsies(ctx, client.StepsyQuery{}) {
		if last = err; s.ID == 99 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended with %v", last)
	}
}

// TestIteratorEndsOnPagesThatLeadNowhere protects a program from a server that
// would have it turn in circles.
func TestIteratorEndsOnPagesThatLeadNowhere(t *testing.T) {
	n := 0
	for name, test := range map[string]struct {
		answer   http.HandlerFunc
		requests int
	}{
		"no cursor":   {respond(200, `{"data":[{"id":1}],"meta":{"has_more":true,"next_cursor":null}}`), 1},
		"same cursor": {respond(200, `{"data":[{"id":1}],"meta":{"has_more":true,"next_cursor":"a"}}`), 2},
		"only empty pages": {func(w http.ResponseWriter, r *http.Request) {
			n++
			respond(200, fmt.Sprintf(`{"data":[],"meta":{"has_more":true,"next_cursor":"%d"}}`, n))(w, r)
		}, 100},
	} {
		t.Run(name, func(t *testing.T) {
			rec := record(test.answer)
			var last error
			for _, err := range connect(t, rec).AllStepsies(t.Context(), client.StepsyQuery{}) {
				last = err
			}
			if last == nil || len(rec.requests()) != test.requests {
				t.Errorf("ended with %v after %d requests", last, len(rec.requests()))
			}
		})
	}
}
