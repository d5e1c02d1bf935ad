package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var linkForm = regexp.MustCompile(`^<(` + regexp.QuoteMeta(publicURL) + `(/[^>]*))>; rel="next"$`)

// walk reads a list to its end by the addresses that the server gives, and returns
// its items.
func (w *world) walk(as, target string, limit int) []map[string]any {
	w.tb.Helper()
	var all []map[string]any
	first, _ := url.Parse(target)
	for range 1000 {
		a := w.in.ask("GET", target, "", w.bearer(as))
		if a.status != 200 {
			w.tb.Fatalf("GET %s: %d %s", target, a.status, a.body)
		}
		items := at(w.tb, a.body, "data").([]any)
		for _, item := range items {
			all = append(all, item.(map[string]any))
		}
		more, next := at(w.tb, a.body, "meta.has_more").(bool), at(w.tb, a.body, "meta.next_cursor")
		if got := at(w.tb, a.body, "meta.limit").(json.Number).String(); got != fmt.Sprint(limit) {
			w.tb.Errorf("meta.limit %s, want %d", got, limit)
		}
		link := a.header.Get("Link")
		if !more {
			if link != "" || next != nil {
				w.tb.Errorf("the last page leads on: Link %q, next_cursor %v", link, next)
			}
			if len(items) > limit {
				w.tb.Errorf("%d items on a page of %d", len(items), limit)
			}
			return all
		}
		if len(items) != limit {
			w.tb.Errorf("%d items on a page of %d with another behind it", len(items), limit)
		}
		m := linkForm.FindStringSubmatch(link)
		if m == nil {
			w.tb.Fatalf("Link %q", link)
		}
		u, err := url.Parse(m[1])
		w.must(err)
		want := first.Query()
		want.Set("cursor", next.(string))
		if u.Query().Encode() != want.Encode() || u.Path != first.Path {
			w.tb.Errorf("Link leads to %s, want %s?%s", u, first.Path, want.Encode())
		}
		target = m[2]
	}
	w.tb.Fatalf("GET %s never ends", target)
	return nil
}

// TestAListIsReadToItsEndInEveryOrder follows the links through 250 stepsies, many
// of which are equal in what they are sorted by.
func TestAListIsReadToItsEndInEveryOrder(t *testing.T) {
	const count = 250
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		for i := range count {
			title := string(rune('a'+i*7%5)) + " title"
			w.create("author", title, i%3 == 0, "One")
			if i%50 == 49 {
				w.moveClock(time.Minute)
			}
		}
		later := func(a, b string) int { return strings.Compare(b, a) }
		orders := map[string]func(a, b map[string]any) int{
			"-created_at":   func(a, b map[string]any) int { return by(a, b, "created_at", later, true) },
			"created_at":    func(a, b map[string]any) int { return by(a, b, "created_at", strings.Compare, false) },
			"-updated_at":   func(a, b map[string]any) int { return by(a, b, "updated_at", later, true) },
			"-published_at": func(a, b map[string]any) int { return by(a, b, "published_at", later, true) },
			"title":         func(a, b map[string]any) int { return by(a, b, "title", strings.Compare, false) },
		}
		for sort, order := range orders {
			for _, c := range []struct {
				filter      string
				limit, want int
			}{{"", 100, count}, {"", 7, count}, {"&include=steps", 50, count}, {"&status=published&q=title", 9, 84}, {"&status=draft&category=other&featured=false", 83, 166}} {
				all := w.walk("reader", fmt.Sprintf("/v1/stepsies?sort=%s&limit=%d%s", sort, c.limit, c.filter), c.limit)
				seen := map[string]bool{}
				for _, item := range all {
					seen[fmt.Sprint(item["id"])] = true
				}
				if len(all) != c.want || len(seen) != c.want {
					t.Errorf("sort=%s%s: %d items, %d of them different, want %d", sort, c.filter, len(all), len(seen), c.want)
				}
				if !slices.IsSortedFunc(all, order) {
					t.Errorf("sort=%s%s is not sorted", sort, c.filter)
				}
			}
		}
		if n := len(w.walk("reader", "/v1/stepsies", 20)); n != count {
			t.Errorf("without parameters: %d", n)
		}
	})
}

// by compares two items by a field, then by id.
func by(a, b map[string]any, field string, order func(a, b string) int, newestFirst bool) int {
	text := func(v map[string]any) string {
		s, _ := v[field].(string) // null sorts like an empty text
		return s
	}
	if c := order(text(a), text(b)); c != 0 {
		return c
	}
	idA, _ := a["id"].(json.Number).Int64()
	idB, _ := b["id"].(json.Number).Int64()
	if newestFirst {
		idA, idB = idB, idA
	}
	return int(idA - idB)
}

// TestWhatIsMadeMeanwhileDoesNotMoveAPage puts stepsies before and after the place
// where a reader is.
func TestWhatIsMadeMeanwhileDoesNotMoveAPage(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		var ids []int64
		for range 6 {
			ids = append(ids, w.create("author", "x", false))
		}
		first := in.ask("GET", "/v1/stepsies?limit=3", "", w.bearer("key"))
		w.create("author", "new", false)
		if a := in.ask("DELETE", fmt.Sprintf("/v1/stepsies/%d", ids[3]), "", w.bearer("key")); a.status != 204 { // the last one that was shown
			t.Fatal(a.status, a.body)
		}
		rest := in.ask("GET", "/v1/stepsies?limit=3&cursor="+at(t, first.body, "meta.next_cursor").(string), "", w.bearer("key"))
		var got []string
		for _, item := range at(t, rest.body, "data").([]any) {
			got = append(got, fmt.Sprint(item.(map[string]any)["id"]))
		}
		if want := []string{fmt.Sprint(ids[2]), fmt.Sprint(ids[1]), fmt.Sprint(ids[0])}; !slices.Equal(got, want) {
			t.Errorf("the second page has %s, want %s", got, want)
		}
	})
}

// TestKeysAndUsersAreReadToTheirEnd follows the links of the other lists.
func TestKeysAndUsersAreReadToTheirEnd(t *testing.T) {
	const count = 45
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		w.get("admin")
		for i := range count {
			w.newKey("author", stepsies.KeyChange{Name: new(fmt.Sprintf("Key %d", i))}, "read")
			w.user(fmt.Sprintf("crowd-%02d", i), false)
		}
		keys := w.walk("admin", w.fill("/v1/api-keys?user_id={author}&limit=20"), 20)
		users := w.walk("admin", "/v1/users?q=crowd-&limit=20", 20)
		if len(keys) != count || len(users) != count {
			t.Fatalf("%d keys, %d users, want %d of each", len(keys), len(users), count)
		}
		for i := range count {
			if want := fmt.Sprintf("Key %d", count-1-i); keys[i]["name"] != want {
				t.Errorf("key %d is %v, want %s", i, keys[i]["name"], want)
			}
			if want := fmt.Sprintf("crowd-%02d", count-1-i); users[i]["username"] != want {
				t.Errorf("user %d is %v, want %s", i, users[i]["username"], want)
			}
		}
		if n := len(w.walk("admin", "/v1/api-keys", 20)); n != count+1 {
			t.Errorf("%d keys of everyone, want %d", n, count+1)
		}
	})
}

// TestCursorOfOneListIsRefusedByAnother: two lists are in the same order, of things that
// have nothing to do with each other.
func TestCursorOfOneListIsRefusedByAnother(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		lists := []string{"/v1/users", "/v1/api-keys", "/v1/stepsies"}
		w.get("draft")
		for i := range 2 { // a second user, key and stepsy, so that each list has a second page
			w.newKey("author", stepsies.KeyChange{Name: new(fmt.Sprint("Key ", i))}, "read")
			w.get([]string{"other", "boss"}[i])
			if a := in.ask("POST", "/v1/stepsies", `{"title":"x"}`, w.bearer("admin")); a.status != 201 {
				t.Fatal(a.status, a.body)
			}
		}
		for _, from := range lists {
			first := in.ask("GET", from+"?limit=1", "", w.bearer("admin"))
			next, _ := at(t, first.body, "meta.next_cursor").(string)
			if next == "" {
				t.Fatalf("%s has one page: %s", from, first.body)
			}
			for _, to := range lists {
				want := http.StatusBadRequest
				if from == to {
					want = http.StatusOK
				}
				if a := in.ask("GET", to+"?limit=1&cursor="+next, "", w.bearer("admin")); a.status != want {
					t.Errorf("a cursor of %s in %s: %d %s, want %d", from, to, a.status, a.body, want)
				}
			}
		}
	})
}
