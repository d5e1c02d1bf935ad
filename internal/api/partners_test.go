package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/api"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/testenv"
)

// partner signs as GitHub's secret scanning does.
type partner struct {
	id  string
	key *ecdsa.PrivateKey
}

func newPartner(t *testing.T, id string) partner {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return partner{id, key}
}

// published is what partners publish of their keys.
func published(t *testing.T, partners ...partner) string {
	t.Helper()
	type one struct {
		ID      string `json:"key_identifier"`
		Key     string `json:"key"`
		Current bool   `json:"is_current"`
	}
	var keys []one
	for i, p := range partners {
		keys = append(keys, one{p.id, publicPEM(t, &p.key.PublicKey), i == 0})
	}
	text, err := json.Marshal(map[string]any{"public_keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func publicPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// headers are those of a signed body.
func (p partner) headers(body string) []string {
	sum := sha256.Sum256([]byte(body))
	signature, err := ecdsa.SignASN1(rand.Reader, p.key, sum[:])
	if err != nil {
		panic(err)
	}
	return []string{"Github-Public-Key-Identifier: " + p.id, "Github-Public-Key-Signature: " + base64.StdEncoding.EncodeToString(signature)}
}

func (p partner) report(in *installation, body string) answer {
	return in.ask("POST", "/leaked-keys/github", body, p.headers(body)...)
}

// metrics are read as from the same machine.
func (in *installation) metrics() string {
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = "127.0.0.1:1234"
	w := httptest.NewRecorder()
	in.handle.ServeHTTP(w, r)
	return w.Body.String()
}

func onEachEngineWith(t *testing.T, change func(*server.Config), test func(t *testing.T, in *installation)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, "", change)) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, testenv.Postgres(t), change)) })
}

func feedbackOf(token, kind, label string) string {
	sum := sha256.Sum256([]byte(token))
	return fmt.Sprintf(`{"token_hash":%q,"token_type":%q,"label":%q}`, hex.EncodeToString(sum[:]), kind, label)
}

func TestSignedReportEndsTheKeysThatItNames(t *testing.T) {
	current, former := newPartner(t, "current"), newPartner(t, "former")
	onEachEngineWith(t, func(c *server.Config) { c.LeakPartners = published(t, current, former) }, func(t *testing.T, in *installation) {
		w := in.world(t)
		spare, admin := w.get("spare_secret"), w.bearer("admin")
		unknown := "sk_" + strings.Repeat("0", 48)
		body := `[{"source":"commit", "token":"` + spare + `","type":"stepsies_api_key","url":"https://user:pw@github.com/octocat/Hello-World/blob/1/` + spare + `"},` +
			`{"token":"` + unknown + `","type":"stepsies_api_key","url":"","source":"npm"},` +
			`{"token":"nothing","type":"stepsies_api_key","url":7},{"token":12},"text",null,{}]` + "\n"
		want := "[" + feedbackOf(spare, "stepsies_api_key", "true_positive") + "," + feedbackOf(unknown, "stepsies_api_key", "false_positive") + "," + feedbackOf("nothing", "stepsies_api_key", "false_positive") + "]"
		for _, p := range []partner{former, current} { // and once more, by the other key: the same answer
			if a := p.report(in, body); a.status != http.StatusOK || a.body != want || a.header.Get("Content-Type") != "application/json" {
				t.Fatalf("%s: %d %s, want %s", p.id, a.status, a.body, want)
			}
		}
		if a := in.ask("GET", "/v1/me", "", "Authorization: Bearer "+spare); a.status != http.StatusUnauthorized {
			t.Errorf("the key still works: %d", a.status)
		}
		shown := in.ask("GET", "/v1/api-keys/"+w.get("spare"), "", admin)
		if !strings.Contains(shown.body, `"revoked_reason":"leaked","leak_source_url":"https://github.com/octocat/Hello-World/blob/1/redacted"`) {
			t.Errorf("its owner reads %s", shown.body)
		}
		metrics := in.metrics()
		for _, line := range []string{`stepsies_leak_reports_total{from="github",outcome="taken"} 2`, `stepsies_leaked_keys_revoked_total{from="github"} 1`} {
			if !strings.Contains(metrics, line) {
				t.Errorf("metrics do not say %s", line)
			}
		}
		if strings.Contains(in.logs.String()+metrics, spare) || strings.Contains(in.logs.String(), "user:pw") {
			t.Error("a secret stands in the log or the metrics")
		}
	})
}

func TestUnsignedReportEndsNothing(t *testing.T) {
	p, stranger := newPartner(t, "current"), newPartner(t, "current")
	in := open(t, "", func(c *server.Config) { c.LeakPartners = published(t, p) })
	w := in.world(t)
	spare := w.get("spare_secret")
	body := `[{"token":"` + spare + `","type":"t","url":"https://example.com/a","source":"commit"}]`
	signed := p.headers(body)
	for name, headers := range map[string][]string{
		"no headers":            nil,
		"no signature":          signed[:1],
		"no identifier":         signed[1:],
		"another identifier":    {"Github-Public-Key-Identifier: other", signed[1]},
		"another's signature":   stranger.headers(body),
		"of another body":       p.headers(body + " "),
		"no base64":             {signed[0], signed[1] + "!"},
		"empty":                 {signed[0], "Github-Public-Key-Signature: "},
		"cut off":               {signed[0], signed[1][:len(signed[1])-8]},
		"an endless one":        {signed[0], signed[1] + strings.Repeat("A", 4000)},
		"an API key beside it":  {w.bearer("admin")},
		"zero as its two parts": {signed[0], "Github-Public-Key-Signature: MAYCAQACAQA="},
	} {
		a := in.ask("POST", "/leaked-keys/github", body, headers...)
		if a.status != http.StatusForbidden || at(t, a.body, "error.code") != "forbidden" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	// Not even broken JSON is told from a whole one.
	if a := in.ask("POST", "/leaked-keys/github", "{", signed...); a.status != http.StatusForbidden {
		t.Errorf("broken and unsigned: %d %s", a.status, a.body)
	}
	if a := in.ask("GET", "/v1/me", "", "Authorization: Bearer "+spare); a.status != http.StatusOK {
		t.Errorf("the key is gone: %d %s", a.status, a.body)
	}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"an object": {`{"token":"x"}`, 400}, "null": {"null", 400}, "no JSON": {"[", 400}, "nothing": {"", 400},
		"too much": {"[" + strings.Repeat(" ", twoMiB) + "]", 413}, "an empty list": {"[]", 200},
	} {
		if a := p.report(in, c.body); a.status != c.status {
			t.Errorf("signed, with %s: %d %s, want %d", name, a.status, a.body, c.status)
		}
	}
	if a := in.ask("GET", "/leaked-keys/github", ""); a.status != 405 || a.header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", a.status, a.header)
	}
}

func TestStrangersDoNotShutASignedPartnerOut(t *testing.T) {
	p := newPartner(t, "current")
	in := open(t, "", func(c *server.Config) { c.LeakPartners = published(t, p) })
	for i := range 62 {
		want := http.StatusForbidden
		if i >= 60 {
			want = http.StatusTooManyRequests
		}
		if a := in.ask("POST", "/leaked-keys/github", "[]", "Github-Public-Key-Identifier: current", "Github-Public-Key-Signature: AAAA"); a.status != want {
			t.Fatalf("unsigned report %d: %d, want %d", i+1, a.status, want)
		}
	}
	for i := range 100 { // from the same address
		if a := p.report(in, "[]"); a.status != http.StatusOK || a.body != "[]" {
			t.Fatalf("signed report %d: %d %s", i+1, a.status, a.body)
		}
	}
}

func TestManyMatchesAreTakenAtOnce(t *testing.T) {
	p := newPartner(t, "current")
	onEachEngineWith(t, func(c *server.Config) { c.LeakPartners = published(t, p) }, func(t *testing.T, in *installation) {
		w := in.world(t)
		spare := w.get("spare_secret")
		var matches []string
		for i := range 5000 {
			matches = append(matches, fmt.Sprintf(`{"token":"sk_%048x","type":"t","url":"https://example.com/%d","source":"commit"}`, i, i))
		}
		matches = append(matches, `{"token":"`+spare+`","type":"t","url":"ftp://example.com/","source":"commit"}`)
		if a := p.report(in, "["+strings.Join(matches, ",")+"]"); a.status != http.StatusOK || strings.Count(a.body, "false_positive") != 5000 || strings.Count(a.body, "true_positive") != 1 {
			t.Fatalf("%d %.300s", a.status, a.body)
		}
		if a := in.ask("GET", "/v1/me", "", "Authorization: Bearer "+spare); a.status != http.StatusUnauthorized {
			t.Errorf("the last of many still works: %d", a.status)
		}
	})
}

func TestNobodySignsWhereNoKeyIsConfigured(t *testing.T) {
	in := open(t, "")
	p := newPartner(t, "current")
	if a := p.report(in, "[]"); a.status != http.StatusNotFound || at(t, a.body, "error.code") != "not_found" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestKeysOfPartnersAreReadAsTheyArePublished(t *testing.T) {
	a, b := newPartner(t, "a"), newPartner(t, "b")
	if keys, err := api.ParsePartnerKeys([]byte(published(t, a, b))); err != nil || len(keys) != 2 || !keys["b"].Equal(&b.key.PublicKey) {
		t.Errorf("%v, %v", keys, err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, says string }{
		{"", "must be JSON"}, {"-----BEGIN", "must be JSON"}, {"{}", "0 public_keys"}, {`{"public_keys":[{}]}`, "key_identifier"},
		{published(t, a, partner{"a", b.key}), "of another one"},
		{published(t, partner{"p384", other}), "P-256"},
		{published(t, partner{strings.Repeat("x", 201), a.key}), "key_identifier"},
		{`{"public_keys":[{"key_identifier":"a","key":"MFkw"}]}`, "must be PEM"},
		{strings.Replace(published(t, a), "MFkw", "AAAA", 1), "cannot be read"},
	} {
		if _, err := api.ParsePartnerKeys([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60s: %v, want something about %q", c.text, err, c.says)
		}
	}
}
