package api

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies/internal/store"
)

// optional is a field of a body that may be absent, null or a value (RFC 7396).
type optional[T any] struct {
	set   bool
	null  bool
	value T
}

// UnmarshalJSON notes that the field is there. A value of the wrong type has been
// reported by the schema already.
func (o *optional[T]) UnmarshalJSON(b []byte) error {
	// A new value, since a field that is written twice would else be decoded into
	// the first one and keep what the second leaves out.
	*o = optional[T]{set: true, null: string(b) == "null"}
	if err := json.Unmarshal(b, &o.value); err != nil {
		if n, ok := any(&o.value).(*int64); ok {
			*n = wholeNumber(string(b))
		}
	}
	return nil
}

// wholeNumber reads a whole number that encoding/json takes for none: JSON may
// write 3600 as 3600.0 or 3.6e3. What is no number or too large is -1, which no
// field takes.
func wholeNumber(text string) int64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return -1
	}
	return int64(f)
}

// Schema is that of the value, or null.
func (o optional[T]) Schema(r huma.Registry) *huma.Schema {
	s := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	if s.Type != huma.TypeObject {
		s.Nullable = true
	}
	return &s
}

// or returns nil where the field is absent, and the default where it is null.
func (o optional[T]) or(null T) *T {
	if !o.set {
		return nil
	}
	if o.null {
		return &null
	}
	return &o.value
}

// orEmpty is the zero value where the field is absent or null.
func (o optional[T]) orEmpty() *T {
	var zero T
	if v := o.or(zero); v != nil {
		return v
	}
	return &zero
}

// seconds writes a time as every answer does: RFC 3339 in UTC, whole seconds.
func seconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// secondsOrNull is null for a time that never was.
func secondsOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := seconds(t)
	return &s
}

// textOrNull is null for an empty text.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// list is the form of every list.
type list[T any] struct {
	Data []T      `json:"data" doc:"The items of this page."`
	Meta pageMeta `json:"meta"`
}

// listAnswer is the answer with a page of a list, which is a list by a name of its own.
type listAnswer[L any] struct {
	Link string `header:"Link" doc:"The next page, rel=\"next\" (RFC 8288)."`
	Body L
}

// pageMeta is what a list says about itself.
type pageMeta struct {
	Limit      int     `json:"limit" doc:"How many items were asked for." example:"20"`
	HasMore    bool    `json:"has_more" doc:"Whether there is another page." example:"false"`
	NextCursor *string `json:"next_cursor" doc:"Give it as cursor to get the next page; null on the last one."`
}

func (pageMeta) about() string { return "What a list says about itself." }

// PageParams are the parameters of every list.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" example:"50" doc:"How many items to return, 1 to 100."`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before. Opaque: do not take it apart."`
}

func (p PageParams) store() store.Page { return store.Page{Limit: p.Limit, Cursor: p.Cursor} }

// page answers with a page of a list.
func page[T, U any](a *API, c *call, limit int, found store.Paged[T], show func(T) U) (link string, l list[U]) {
	l = list[U]{Data: make([]U, len(found.Items)), Meta: pageMeta{Limit: limit, HasMore: found.Next != "", NextCursor: textOrNull(found.Next)}}
	for i, item := range found.Items {
		l.Data[i] = show(item)
	}
	if found.Next == "" {
		return "", l
	}
	q := c.request.URL.Query()
	q.Set("cursor", found.Next)
	return "<" + a.PublicURL + c.request.URL.Path + "?" + q.Encode() + `>; rel="next"`, l
}

// OnceParams documents the header that makes a write safe to repeat; write reads it.
type OnceParams struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" example:"import-2024-12-04-row-17" doc:"1 to 255 printable ASCII characters that you choose. For 24 hours the same key, path and body gives the first answer again instead of a second write."`
}

// ReplayedHeader marks an answer that was given before.
type ReplayedHeader struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true when this is the answer to an earlier request with the same Idempotency-Key."`
}

func replayedIf(again bool) ReplayedHeader {
	if again {
		return ReplayedHeader{"true"}
	}
	return ReplayedHeader{}
}
