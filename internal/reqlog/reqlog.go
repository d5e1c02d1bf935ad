// Package reqlog gives every request an id and a client address, and writes one
// line about it when it is answered: never its key, the values of its query or a
// body.
package reqlog

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// Entry is what is said about a request. Handlers fill in what they know; it
// belongs to the request's goroutine.
type Entry struct {
	ID     string
	IP     string // of the client, behind proxies that are trusted
	Scheme string // "http" or "https", as the client came to a proxy that is trusted; "" where none tells
	Route  string // the pattern, never the path: it has no ids in it; "none" where none fits
	UserID int64
	KeyID  int64
	Err    error // why it failed, for the log alone
	Start  time.Time
}

type entryKey struct{}

// From returns the entry of a request that came through Handler, and an empty one
// for any other.
func From(ctx context.Context) *Entry {
	if e, ok := ctx.Value(entryKey{}).(*Entry); ok {
		return e
	}
	return &Entry{}
}

// Inside returns a context for a call that a request makes inside the process: with an
// entry of its own, which goes to no log, under the same id and from the same address.
func Inside(ctx context.Context) (context.Context, *Entry) {
	of := From(ctx)
	e := &Entry{ID: of.ID, IP: of.IP, Scheme: of.Scheme, Start: time.Now()}
	return context.WithValue(ctx, entryKey{}, e), e
}

// Answer is how a request ended.
type Answer struct {
	Method string
	Route  string
	Status int
	Bytes  int64
	Took   time.Duration
}

// Handler wraps next. Each answer is logged and told to observe, which may be nil.
func Handler(log *slog.Logger, proxies Proxies, observe func(Answer), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := &Entry{ID: requestID(r), IP: proxies.ClientAddress(r), Scheme: proxies.ClientScheme(r), Start: time.Now()}
		w.Header()["X-Request-Id"] = []string{e.ID}
		rec := &recorder{ResponseWriter: w}
		finished := false
		defer func() {
			if e.Route == "" {
				e.Route = "none"
			}
			a := Answer{Method: r.Method, Route: e.Route, Status: rec.status, Bytes: rec.bytes, Took: time.Since(e.Start)}
			switch {
			case !finished: // a panic, which net/http handles further up by closing the connection
				a.Status = http.StatusInternalServerError
			case a.Status == 0:
				a.Status = http.StatusOK
			}
			if observe != nil {
				observe(a)
			}
			write(r.Context(), log, e, a)
		}()
		next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), entryKey{}, e)))
		finished = true
	})
}

func write(ctx context.Context, log *slog.Logger, e *Entry, a Answer) {
	level := slog.LevelInfo
	if a.Status >= 500 {
		level = slog.LevelError
	}
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", a.Method), slog.String("route", a.Route), slog.Int("status", a.Status),
		slog.Duration("duration", a.Took), slog.Int64("bytes", a.Bytes), slog.String("request_id", e.ID),
	}
	if e.UserID != 0 {
		attrs = append(attrs, slog.Int64("user_id", e.UserID))
	}
	if e.KeyID != 0 {
		attrs = append(attrs, slog.Int64("key_id", e.KeyID))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	log.LogAttrs(ctx, level, "request", attrs...)
}

// requestID returns the client's own id if it is a sane one, else a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); saneID(id) {
		return id
	}
	return NewID()
}

// NewID returns an id for a request that came without one.
func NewID() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand says so
	return "req_" + hex.EncodeToString(random[:])
}

func saneID(id string) bool {
	if id == "" || len(id) > 128 || strings.Contains(id, stepsies.SecretPrefix) {
		return false // an API key has nothing to do in a log
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// recorder notes the status and the size of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 { // 1xx are not the answer yet
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Started reports whether the answer to a request that came through Handler has
// begun, so that it is too late for another one.
func Started(w http.ResponseWriter) bool {
	r, ok := w.(*recorder)
	return ok && r.status != 0
}
