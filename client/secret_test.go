package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/client"
)

func TestSecretIsRedactedInEveryPrinting(t *testing.T) {
	key := newKey()
	s := client.NewSecret(key)
	type holder struct {
		hidden  client.Secret
		pointer *client.Secret
		Shown   client.Secret
	}
	held := holder{s, &s, s}
	created := client.CreatedKey{Key: s}
	c := newClient(t, client.WithAPIKey(key))

	var printed bytes.Buffer
	for _, v := range []any{s, &s, held, &held, []client.Secret{s}, map[string]client.Secret{"a": s}, created, &created, c, *clientFields(c)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%b", "%10s", "%p"} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(data)
		slog.New(slog.NewTextHandler(&printed, nil)).Info("key", "v", v)
		slog.New(slog.NewJSONHandler(&printed, nil)).Info("key", "v", v)
	}
	text := printed.String()
	if !strings.Contains(text, "sk_[redacted]") {
		t.Error("nothing says that a key was redacted")
	}
	// Under %x a key would show as hexadecimal digits of its characters.
	for _, form := range []string{key, key[3:], fmt.Sprintf("%x", key), fmt.Sprintf("%X", key)} {
		if strings.Contains(text, form) {
			t.Errorf("the key was printed:\n%s", text)
		}
	}
	if s.Reveal() != key {
		t.Error("Reveal does not give the key")
	}
}

// clientFields gives the client's insides to the printing functions without its
// own String in between.
func clientFields(c *client.Client) *struct{ Inner *client.Client } {
	return &struct{ Inner *client.Client }{c}
}

func TestZeroSecretIsEmpty(t *testing.T) {
	var s client.Secret
	if !s.IsZero() || s.Reveal() != "" || s.String() != "" || fmt.Sprint(s) != "" || !client.NewSecret("").IsZero() {
		t.Errorf("the zero Secret prints %q", s)
	}
	var created client.CreatedKey
	if err := json.Unmarshal([]byte(`{"key":null}`), &created); err != nil || !created.Key.IsZero() {
		t.Errorf("null became %v, %v", created.Key, err)
	}
}

// TestErrorsNeverHoldTheKey lets servers and transports say the key back to us.
func TestErrorsNeverHoldTheKey(t *testing.T) {
	key := newKey()
	echo := func(status int, kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("X-Request-Id", "id-"+key)
			w.WriteHeader(status)
			said := r.Header.Get("Authorization")
			if said != "Bearer "+key {
				t.Errorf("the server was sent %q", said)
			}
			if kind == "application/json" {
				fmt.Fprintf(w, `{"error":{"code":"code-%[2]s","message":%[1]q,"details":[{"field":%[2]q,"message":%[2]q}]}}`, said, key)
				return
			}
			fmt.Fprintf(w, "<p>%s</p>%s", said, strings.Repeat(" x", 60)+key)
		}
	}
	clients := map[string]*client.Client{
		"json":      connect(t, echo(400, "application/json"), client.WithAPIKey(key)),
		"html":      connect(t, echo(400, "text/html"), client.WithAPIKey(key)),
		"not json":  connect(t, echo(200, "text/html"), client.WithAPIKey(key)),
		"transport": newClient(t, client.WithAPIKey(key), client.WithTransport(boastful{}), client.WithRetries(0)),
		"redirect": connect(t, http.RedirectHandler("https://"+key+".example.com/", http.StatusFound),
			client.WithAPIKey(key)),
	}
	for name, c := range clients {
		t.Run(name, func(t *testing.T) {
			_, err := c.Me(t.Context())
			if err == nil || errors.Unwrap(err) == nil && name == "transport" {
				t.Fatal("no error")
			}
			said := fmt.Sprintf("%v %+v %#v", err, err, err)
			if apiErr, ok := errors.AsType[*client.Error](err); ok {
				said += fmt.Sprintf("%+v", *apiErr)
			}
			var logged bytes.Buffer
			slog.New(slog.NewTextHandler(&logged, nil)).Error("failed", "error", err)
			slog.New(slog.NewJSONHandler(&logged, nil)).Error("failed", "error", err)
			data, _ := json.Marshal(err)
			if strings.Contains(said+logged.String()+string(data), key[:20]) {
				t.Errorf("the error holds the key: %s", said)
			}
		})
	}
}

// boastful is a transport whose errors quote the whole request.
type boastful struct{}

func (boastful) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("cannot send %v", r.Header)
}
