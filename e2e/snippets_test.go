package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestDocumentedSnippetsRunAsWritten runs the four examples of the guide to
// authentication against a server, with nothing changed but the address and the
// key. A line that prints what an example has read is put behind it.
func TestDocumentedSnippetsRunAsWritten(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	admin := s.as(t, in.makeAdmin(t))
	in.makeUser(t, "sarahchen")
	admin.Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{
		"title": "Email Welcome Sequence Blueprint", "user_id": "sarahchen", "status": "published",
		"steps": []map[string]any{{"title": "Define Your Sequence Goal", "content": "<p>Before writing a single email...</p>"}},
	})
	key := in.makeKey(t, "sarahchen", "read")
	secure, authority := tlsProxy(t, s.url)

	for _, row := range []struct {
		file, program, show string
		args                []string
		address             string
	}{
		{"curl.sh", "curl", "", []string{"bash"}, s.url},
		{"fetch.js", "node", "console.log(JSON.stringify(data))", []string{"node", "--input-type=module", "-"}, s.url},
		{"net_http.rb", "ruby", "puts JSON.generate(data)", []string{"ruby", "-"}, secure},
		{"requests.py", "python3-requests", "print(__import__('json').dumps(data))", []string{"python3", "-"}, s.url},
	} {
		t.Run(row.file, func(t *testing.T) {
			t.Parallel()
			interpreter := testenv.Need(t, row.program)
			if row.program == "curl" {
				interpreter = testenv.Need(t, "bash")
			}
			for _, try := range []struct {
				key   string
				check func(t *testing.T, printed []byte)
			}{{key, isTheStepsy}, {strings.Repeat("0", len(key)), isUnauthorized}} {
				text, err := os.ReadFile(filepath.Join("testdata", "snippets", row.file))
				if err != nil {
					t.Fatal(err)
				}
				code := strings.NewReplacer("https://api.stepsies.com", row.address, "sk_your_api_key_here", try.key).Replace(string(text))
				ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
				defer cancel()
				cmd := exec.CommandContext(ctx, interpreter, row.args[1:]...)
				cmd.Stdin = strings.NewReader(code + row.show + "\n")
				cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+authority, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				printed, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v: %s", err, stderr.Bytes())
				}
				try.check(t, printed)
			}
		})
	}
}

func isTheStepsy(t *testing.T, printed []byte) {
	t.Helper()
	var list struct {
		Data []struct {
			Title string
			User  struct{ Username string }
		}
	}
	if err := json.Unmarshal(printed, &list); err != nil {
		t.Fatalf("%v: %.200s", err, printed)
	}
	if len(list.Data) != 1 || list.Data[0].Title != "Email Welcome Sequence Blueprint" || list.Data[0].User.Username != "sarahchen" {
		t.Errorf("the example read %+v", list)
	}
}

func isUnauthorized(t *testing.T, printed []byte) {
	t.Helper()
	var compact bytes.Buffer
	if err := json.Compact(&compact, printed); err != nil {
		t.Fatalf("%v: %.200s", err, printed)
	}
	if got, want := strings.TrimSpace(compact.String()), `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}`; got != want {
		t.Errorf("with a key that is none the example read %s, want %s", got, want)
	}
}

// tlsProxy puts a proxy that speaks TLS in front of a server. The authority is a
// file with the certificate to trust.
func tlsProxy(t *testing.T, address string) (proxy, authority string) {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Stepsies tests"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	authority = filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, authority
}
