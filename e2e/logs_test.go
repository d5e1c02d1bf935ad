package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestLogsTellOfRequestsAndKeepTheirContents sends a key, and words that stand for
// what a client would not want to be read, wherever a request can hold them. None
// of it may come out in the log; every request has its line there.
func TestLogsTellOfRequestsAndKeepTheirContents(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			in := sqliteInstallation(t)
			// The address is read from the log, so that a second server writes the other format.
			key := in.makeAdmin(t)
			in.secrets = append(in.secrets, "canary")
			s := in.serve(t, "--log-level", "debug")
			if format == "text" {
				address := strings.TrimPrefix(s.url, "http://")
				s.stop(t)
				s = in.startServing(t, in.command(t.Context(), append([]string{"serve", "--listen", address, "--log-level", "debug"}, in.flags()...)...))
				s.url = "http://" + address
				s.awaitReady(t)
			}
			sendSecretsEverywhere(t, s, key)
			in.must(t, "key", "create", "--user", "root", "--name", "canary", "--scope", "read")
			s.stop(t)
			log := s.log(t)
			if len(log) == 0 {
				t.Fatal("there is no log")
			}
			in.holdsNoSecret(t, log)
			if bytes.Contains(log, []byte(key[3:])) || bytes.Contains(log, []byte(key[3:24])) {
				t.Error("a part of the key is in the log")
			}
			if format == "json" {
				checkRequestLines(t, log)
			}
		})
	}
}

// sendSecretsEverywhere sends requests of every kind and outcome, each with the
// word canary and the key in as many places as it has.
func sendSecretsEverywhere(t *testing.T, s *server, key string) {
	t.Helper()
	c := s.as(t, key)
	var made object
	c.Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": "canary " + key, "steps": []map[string]any{{"title": "canary"}}}, &made)
	c.Must(t, http.StatusUnprocessableEntity, "POST", "/v1/stepsies", map[string]any{"title": 7, "canary": key})
	c.Must(t, http.StatusBadRequest, "POST", "/v1/stepsies", `{"title":"canary `+key)
	c.Must(t, http.StatusOK, "GET", "/v1/stepsies?q=canary+"+key, nil)
	c.Must(t, http.StatusBadRequest, "GET", "/v1/stepsies?canary="+key, nil)
	c.Must(t, http.StatusBadRequest, "GET", "/v1/stepsies?cursor=canary"+key, nil)
	c.Must(t, http.StatusNotFound, "GET", "/v1/stepsies/canary-"+key, nil)
	c.Must(t, http.StatusNotFound, "GET", "/v1/canary/"+key, nil)
	c.Must(t, http.StatusNotFound, "GET", "/v1/users/"+key, nil)
	c.Must(t, http.StatusAccepted, "POST", "/leaked-keys", map[string]any{"keys": []string{strings.Repeat("canary", 3), "sk_" + strings.Repeat("0", 48)}, "source_url": "https://example.com/canary"})
	anonymous := s.as(t, "")
	for _, path := range []string{"/v1/me?api_key=" + key, "/v1/me?canary", "/canary/" + key, "//canary", "/v1/../canary"} {
		if got := anonymous.Status(t, path); got < 400 || got >= 500 {
			t.Errorf("a request without a key gets status %d", got)
		}
	}
	for name, values := range map[string][]string{
		"Authorization":   {"Basic canary " + key, "Bearer " + strings.ToUpper(key) + "canary", key, "Bearer " + key + ", Bearer canary"},
		"X-Api-Key":       {key},
		"X-Request-Id":    {"canary\t" + key, key, "a-" + key + ".b"},
		"Idempotency-Key": {"canary " + key},
		"If-Match":        {`"canary"`},
		"Cookie":          {"canary=" + key},
		"User-Agent":      {"canary/1.0 (" + key + ")"},
		"X-Forwarded-For": {"canary, " + key},
	} {
		for _, value := range values {
			sendHeader(t, s, name, value)
		}
	}
	// What is no HTTP at all: the library beneath writes about some of it.
	for _, text := range []string{"canary " + key + "\r\n\r\n", "GET /canary" + key + " HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\ncanary" + key + "\r\n\r\n", "\x16\x03\x01canary" + key} {
		conn := s.dial(t)
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if tcp, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = tcp.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 64<<10)) // until the server has closed it
	}
}

func sendHeader(t *testing.T, s *server, name, value string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+"/v1/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(name, value)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("%s does not authenticate, but gets status %d", name, resp.StatusCode)
	}
	if got := resp.Header.Get("X-Request-Id"); keyPattern.MatchString(got) {
		t.Error("a key that was sent as a request's id was sent back, as what logs are searched for")
	}
}

// checkRequestLines looks at the fields of each line about a request.
func checkRequestLines(t *testing.T, log []byte) {
	t.Helper()
	statuses := map[int]bool{}
	for line := range bytes.Lines(log) {
		var entry struct {
			Msg, Method, Route string
			Status             int
			Duration           *int64
			Bytes              *int64
			RequestID          string `json:"request_id"`
			UserID             int64  `json:"user_id"`
			KeyID              int64  `json:"key_id"`
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Errorf("a line is not JSON: %v: %s", err, line)
			continue
		}
		if entry.Msg != "request" {
			continue
		}
		statuses[entry.Status] = true
		if entry.Method == "" || entry.Route == "" || entry.Status == 0 || entry.Duration == nil || entry.Bytes == nil || entry.RequestID == "" {
			t.Errorf("a request's line lacks something: %s", line)
		}
		if entry.Status == http.StatusOK && entry.Route == "/v1/stepsies" && (entry.UserID == 0 || entry.KeyID == 0) {
			t.Errorf("a request's line does not say whose it was: %s", line)
		}
	}
	for _, want := range []int{200, 201, 202, 400, 401, 404, 422} {
		if !statuses[want] {
			t.Errorf("the log tells of no request with status %d, only of %v", want, slices.Sorted(maps.Keys(statuses)))
		}
	}
}
