package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// recordWriters is how many clients of a record write at the same time.
const recordWriters = 4

// object is a stepsy as the API shows it.
type object map[string]any

func (o object) id() int64 { return int64(o["id"].(float64)) }

// writeRecord is what clients know to be stored, from the answers to their writes.
type writeRecord struct {
	key     string
	writers [recordWriters]*writer
}

// writer is one client with stepsies of its own.
type writer struct {
	stored   map[int64]object // as they were answered last
	doubt    *write           // the last write, where it was not answered with success
	answered int
}

// write is a request that creates, changes or deletes a stepsy.
type write struct {
	method string
	id     int64  // 0: creates
	title  string // that it would have from then on
}

func newWriteRecord(key string) *writeRecord {
	r := &writeRecord{key: key}
	for i := range r.writers {
		r.writers[i] = &writer{stored: map[int64]object{}}
	}
	return r
}

func (r *writeRecord) answered() (n int) {
	for _, w := range r.writers {
		n += w.answered
	}
	return n
}

// writeUntil lets all clients write until end, called at a random moment, has put
// an end to it. Each of them stops at the first write that fails: with this status,
// or in any way where it is 0.
func (r *writeRecord) writeUntil(t *testing.T, s *server, end func(), status int) {
	t.Helper()
	var writing sync.WaitGroup
	first := make(chan struct{})
	answered := sync.OnceFunc(func() { close(first) })
	for _, w := range r.writers {
		c := s.as(t, r.key)
		writing.Go(func() {
			a, err := w.writeOn(c, answered)
			if status != 0 && (err != nil || a.Status != status) {
				t.Errorf("a write failed with status %d, %v, want %d: %.300s", a.Status, err, status, a.Body)
			}
		})
	}
	select {
	case <-first:
	case <-time.After(time.Minute):
		t.Error("no write was answered before the end")
	}
	time.Sleep(rand.N(300 * time.Millisecond))
	end()
	writing.Wait()
}

// writeOn makes random writes until one is not answered with success, and calls
// answered after each that was.
func (w *writer) writeOn(c *testenv.Caller, answered func()) (testenv.Answer, error) {
	for {
		next := w.next()
		path, body := "/v1/stepsies", any(contentFor(next.title))
		if next.id != 0 {
			path = fmt.Sprintf("/v1/stepsies/%d", next.id)
		}
		if next.method == http.MethodDelete {
			body = nil
		}
		a, err := c.Send(next.method, path, body)
		if err != nil || a.Status >= 300 {
			w.doubt = next
			return a, err
		}
		w.answered++
		answered()
		if next.method == http.MethodDelete {
			delete(w.stored, next.id)
			continue
		}
		var o object
		if err := json.Unmarshal(a.Body, &o); err != nil {
			return a, err
		}
		w.stored[o.id()] = o
	}
}

func (w *writer) next() *write {
	next := &write{method: http.MethodPost, title: fmt.Sprintf("Write %016x", rand.Uint64())}
	choice := rand.IntN(10)
	if choice < 3 {
		return next
	}
	for id := range w.stored { // in random order
		next.id, next.method = id, http.MethodPatch
		if choice == 3 {
			next.method = http.MethodDelete
		}
		break
	}
	return next
}

// contentFor is what a stepsy with this title holds: enough for several pages of
// a database.
func contentFor(title string) map[string]any {
	var steps []map[string]any
	for i := range 3 {
		steps = append(steps, map[string]any{
			"title":   fmt.Sprintf("Step %d of %s", i+1, title),
			"content": "<p>" + strings.Repeat("many words ", 200) + title + "</p>",
		})
	}
	return map[string]any{"title": title, "description": "About " + title, "steps": steps}
}

// whole reports whether a stepsy is all of one write and nothing of another.
func (o object) whole() bool {
	title, _ := o["title"].(string)
	want := contentFor(title)
	steps, _ := o["steps"].([]any)
	if o["description"] != want["description"] || len(steps) != 3 || o["steps_count"] != 3.0 {
		return false
	}
	for i, wanted := range want["steps"].([]map[string]any) {
		step, _ := steps[i].(map[string]any)
		if step["title"] != wanted["title"] || step["content"] != wanted["content"] || step["position"] != float64(i+1) {
			return false
		}
	}
	return true
}

// verify compares what is stored with what was answered: nothing is missing,
// nothing came back, and a write without an answer was made whole or not at all.
func (r *writeRecord) verify(t *testing.T, s *server) {
	t.Helper()
	c := s.as(t, r.key)
	found := listAll(t, c)
	for id, o := range found {
		if !o.whole() {
			t.Errorf("stepsy %d is a mixture: %.300v", id, o)
		}
	}
	for _, w := range r.writers {
		for id, want := range w.stored {
			got := found[id]
			delete(found, id)
			switch {
			case reflect.DeepEqual(got, want):
			case w.doubt == nil || w.doubt.id != id:
				t.Errorf("an answered write is lost: stepsy %d %s", id, difference(got, want))
			case got == nil && w.doubt.method == http.MethodDelete:
				delete(w.stored, id)
			case got != nil && w.doubt.method == http.MethodPatch && got["title"] == w.doubt.title:
				w.stored[id] = got
			default:
				t.Errorf("stepsy %d is neither as before nor as after %+v: it %s", id, *w.doubt, difference(got, want))
			}
		}
	}
	for id, o := range found {
		if !r.adopt(o) {
			t.Errorf("stepsy %d is there although nobody made it, or somebody deleted it: %.300v", id, o)
		}
	}
	for _, w := range r.writers {
		w.doubt = nil
		for id, o := range w.stored { // one of each is searched for
			title := o["title"].(string)
			var list struct{ Data []object }
			c.Must(t, http.StatusOK, "GET", "/v1/stepsies?q="+url.QueryEscape(strings.TrimPrefix(title, "Write ")), nil, &list)
			if len(list.Data) != 1 || list.Data[0].id() != id {
				t.Errorf("searching for %s finds %d stepsies", title, len(list.Data))
			}
			break
		}
	}
}

// difference says what a stepsy has become, in a few words.
func difference(got, want object) string {
	if got == nil {
		return "is gone"
	}
	var fields []string
	for name := range want {
		if !reflect.DeepEqual(got[name], want[name]) {
			fields = append(fields, fmt.Sprintf("%s: %.100v, not %.100v", name, got[name], want[name]))
		}
	}
	return "has another " + strings.Join(fields, "; ")
}

// adopt gives a stepsy, whose creation was carried out but not answered, to the
// client that tried it.
func (r *writeRecord) adopt(o object) bool {
	for _, w := range r.writers {
		if w.doubt != nil && w.doubt.method == http.MethodPost && w.doubt.title == o["title"] {
			w.stored[o.id()] = o
			return true
		}
	}
	return false
}

// listAll reads every stepsy of the caller, whole.
func listAll(t *testing.T, c *testenv.Caller) map[int64]object {
	t.Helper()
	all := map[int64]object{}
	for cursor := ""; ; {
		var page struct {
			Data []object
			Meta struct {
				HasMore    bool   `json:"has_more"`
				NextCursor string `json:"next_cursor"`
			}
		}
		path := "/v1/stepsies?limit=100&include=steps"
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		c.Must(t, http.StatusOK, "GET", path, nil, &page)
		for _, o := range page.Data {
			all[o.id()] = o
		}
		if cursor = page.Meta.NextCursor; !page.Meta.HasMore {
			return all
		}
	}
}

// verifyActivity looks into the database: every version of every stepsy, and its
// deletion, has its row in the record of activity, and there is no row without.
func (r *writeRecord) verifyActivity(t *testing.T, in *installation) {
	t.Helper()
	db := in.open(t)
	var stepsies, rows, wrong int
	if err := db.QueryRow(`select count(*), sum(changes), sum(case when rows_there = changes then 0 else 1 end) from (
		select s.version + case when s.deleted_at is null then 0 else 1 end as changes,
			(select count(*) from activity a where a.target = 'stepsy' and a.target_id = s.id) as rows_there
		from stepsies s) t`).Scan(&stepsies, &rows, &wrong); err != nil {
		t.Fatal(err)
	}
	var orphans int
	if err := db.QueryRow(`select count(*) from activity where target = 'stepsy' and target_id not in (select id from stepsies)`).Scan(&orphans); err != nil {
		t.Fatal(err)
	}
	if wrong != 0 || orphans != 0 || rows < r.answered() {
		t.Errorf("%d of %d stepsies have too many or too few of %d rows of activity, %d rows speak of none; %d writes were answered",
			wrong, stepsies, rows, orphans, r.answered())
	}
	t.Logf("%d writes answered; %d rows of activity on %d stepsies", r.answered(), rows, stepsies)
	if in.databaseURL == "" {
		var verdict string
		if err := db.QueryRow(`pragma integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("integrity_check: %s, %v", verdict, err)
		}
	}
}
