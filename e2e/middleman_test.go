package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// middleman stands between a desk and a server, and may do anything.
type middleman struct {
	url   string
	to    atomic.Pointer[url.URL]
	serve atomic.Pointer[func(w http.ResponseWriter, r *http.Request, next http.Handler)] // nil: pass on
	alter atomic.Pointer[func(*http.Response) error]                                      // nil: leave
}

func between(t *testing.T, address string) *middleman {
	t.Helper()
	m := &middleman{}
	m.lead(t, address)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(m.to.Load()) },
		ModifyResponse: func(r *http.Response) error {
			if f := m.alter.Load(); f != nil {
				return (*f)(r)
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // as if there were no proxy
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := m.serve.Load(); f != nil {
			(*f)(w, r, proxy)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	m.url = front.URL
	return m
}

// lead leads to another address from now on.
func (m *middleman) lead(t *testing.T, address string) {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	m.to.Store(to)
}

// do has f serve requests, or pass them on.
func (m *middleman) do(f func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	m.serve.Store(&f)
}

// slowly gives a few bytes at a time.
type slowly struct{ r io.Reader }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return s.r.Read(p[:min(len(p), 200)])
}

func (s slowly) Close() error { return nil }
