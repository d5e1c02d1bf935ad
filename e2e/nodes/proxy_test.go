package nodes

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// The addresses that stand in the configuration files of docs/proxies.
var documentedNodes = []string{"10.0.0.11:8080", "10.0.0.12:8080", "10.0.0.13:8080"}

const documentedSite = "stepsies.example.com"

// proxy stands before the nodes of a cluster.
type proxy struct {
	url     string
	trusted *tls.Config // for clients
	// takeOut and putBack are what an operator does before and after the restart of
	// a node; nil where the proxy finds out by itself.
	takeOut, putBack func(n *node) error
}

// callers returns a client of the proxy that comes from an address of its own.
func (p *proxy) caller(key, from string) *testenv.Caller {
	c := callerOf(p.url, key)
	transport := c.HTTP.Transport.(*http.Transport)
	transport.TLSClientConfig = p.trusted
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		u, err := url.Parse(p.url)
		if err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, network, "127.0.0.1:"+u.Port())
	}
	return c
}

// readinessProxy is a load balancer of a few lines: it asks every node's /readyz
// ten times a second, sends requests in turn to those that say 200, and tries
// none of them twice.
func readinessProxy(t *testing.T, c *cluster) *proxy {
	t.Helper()
	var next atomic.Int64
	ready := make([]atomic.Bool, len(c.nodes))
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	for i, n := range c.nodes {
		ask := &node{addr: n.addr}
		go func() {
			for ctx.Err() == nil {
				status, _ := ask.ready()
				ready[i].Store(status == http.StatusOK)
				time.Sleep(100 * time.Millisecond)
			}
		}()
	}
	balancer := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		for range c.nodes {
			i := int(next.Add(1)) % len(c.nodes)
			if ready[i].Load() {
				r.SetURL(&url.URL{Scheme: "http", Host: c.nodes[i].addr})
				r.SetXForwarded()
				return
			}
		}
	}}
	s := httptest.NewServer(balancer)
	t.Cleanup(s.Close)
	eventually(t, "the proxy knows that the nodes are ready", func() bool {
		for i := range ready {
			if !ready[i].Load() {
				return false
			}
		}
		return true
	})
	return &proxy{url: s.URL}
}

// example reads a configuration from docs/proxies and puts real addresses and
// paths in the place of those that stand there.
func example(t *testing.T, c *cluster, name string, replacements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/proxies", name))
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range c.nodes {
		replacements = append(replacements, documentedNodes[i], n.addr)
	}
	for i := 0; i < len(replacements); i += 2 {
		if !bytes.Contains(text, []byte(replacements[i])) {
			t.Fatalf("%s does not hold %q", name, replacements[i])
		}
	}
	return strings.NewReplacer(replacements...).Replace(string(text))
}

// nginx starts Debian's nginx with the documented configuration, with TLS.
func nginx(t *testing.T, c *cluster) *proxy {
	t.Helper()
	dir, addr := t.TempDir(), freeAddress(t)
	trusted := certificate(t, dir)
	site := filepath.Join(dir, "stepsies.conf")
	text := example(t, c, "nginx.conf", "listen 443 ssl", "listen "+addr+" ssl",
		"/etc/ssl/stepsies/", dir+"/")
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // the folders of tests are nobody else's
	}
	write(t, site, text)
	write(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(`%s
worker_processes 1;
daemon off;
pid %[2]s/pid;
error_log %[2]s/error.log;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path %[2]s/body;
    proxy_temp_path %[2]s/proxy;
    fastcgi_temp_path %[2]s/fastcgi;
    uwsgi_temp_path %[2]s/uwsgi;
    scgi_temp_path %[2]s/scgi;
    include %[2]s/stepsies.conf;
}
`, user, dir))
	cmd := exec.Command(testenv.Need(t, "nginx"), "-p", dir, "-e", dir+"/error.log", "-c", dir+"/nginx.conf")
	run(t, cmd, addr)
	change := func(from, to string) error {
		text = strings.ReplaceAll(text, from, to)
		if err := os.WriteFile(site, []byte(text), 0o600); err != nil {
			return err
		}
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil { // nginx -s reload
			return err
		}
		time.Sleep(500 * time.Millisecond)
		return nil
	}
	return &proxy{
		url: "https://" + documentedSite + addr[strings.LastIndexByte(addr, ':'):], trusted: trusted,
		takeOut: func(n *node) error { return change("server "+n.addr+";", "server "+n.addr+" down;") },
		putBack: func(n *node) error { return change("server "+n.addr+" down;", "server "+n.addr+";") },
	}
}

// caddy starts Debian's Caddy with the documented configuration, but without TLS,
// whose certificates it would ask for on the internet.
func caddy(t *testing.T, c *cluster) *proxy {
	t.Helper()
	dir, addr := t.TempDir(), freeAddress(t)
	write(t, filepath.Join(dir, "Caddyfile"), "{\n\tadmin off\n}\n"+example(t, c, "Caddyfile", documentedSite, "http://"+addr))
	cmd := exec.Command(testenv.Need(t, "caddy"), "run", "--config", dir+"/Caddyfile", "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	run(t, cmd, addr)
	return &proxy{url: "http://" + addr}
}

// haproxy starts Debian's HAProxy with the documented configuration, with TLS.
func haproxy(t *testing.T, c *cluster) *proxy {
	t.Helper()
	dir, addr := t.TempDir(), freeAddress(t)
	trusted := certificate(t, dir)
	var site []byte
	for _, name := range []string{"fullchain.pem", "privkey.pem"} {
		part, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		site = append(site, part...)
	}
	write(t, filepath.Join(dir, "site.pem"), string(site))
	write(t, filepath.Join(dir, "haproxy.cfg"), example(t, c, "haproxy.cfg", "bind :443", "bind "+addr, "/etc/ssl/stepsies/", dir+"/"))
	run(t, exec.Command(testenv.Need(t, "haproxy"), "-db", "-f", dir+"/haproxy.cfg"), addr)
	return &proxy{url: "https://" + documentedSite + addr[strings.LastIndexByte(addr, ':'):], trusted: trusted}
}

// apache starts Debian's Apache with the documented configuration, with TLS.
func apache(t *testing.T, c *cluster) *proxy {
	t.Helper()
	dir, addr := t.TempDir(), freeAddress(t)
	trusted := certificate(t, dir)
	text := example(t, c, "apache.conf", "*:443", addr, "/etc/ssl/stepsies/", dir+"/")
	var modules strings.Builder
	// The file says which modules it needs; the others are those that Debian turns on.
	enabled := regexp.MustCompile(`(?m)^# a2enmod (.*)$`).FindStringSubmatch(text)
	for _, name := range append([]string{"mpm_event", "authz_core", "filter", "mime", "proxy", "slotmem_shm", "socache_shmcb"}, strings.Fields(enabled[1])...) {
		fmt.Fprintf(&modules, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", name, name)
	}
	write(t, filepath.Join(dir, "apache2.conf"), fmt.Sprintf(`ServerRoot %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/pid
ErrorLog /dev/stderr
TypesConfig /dev/null
User www-data
Group www-data
Listen %[2]s
%[3]s
%[4]s`, dir, addr, modules.String(), text))
	cmd := exec.Command(testenv.Need(t, "apache2"), "-D", "FOREGROUND", "-f", dir+"/apache2.conf")
	run(t, cmd, addr)
	return &proxy{url: "https://" + documentedSite + addr[strings.LastIndexByte(addr, ':'):], trusted: trusted}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run starts a program that is ended with the test, and waits until it listens.
func run(t *testing.T, cmd *exec.Cmd, addr string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Errorf("%s did not end", cmd.Path)
		}
		_ = log.Close()
	})
	eventually(t, cmd.Path+" listens", func() bool {
		select {
		case <-exited:
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("%s ended: %s", cmd.Path, text)
		default:
		}
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

// certificate writes a certificate of the documented site, and returns what makes
// clients trust it.
func certificate(t *testing.T, dir string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{documentedSite}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, filepath.Join(dir, "fullchain.pem"), string(chain))
	write(t, filepath.Join(dir, "privkey.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return &tls.Config{RootCAs: pool}
}
