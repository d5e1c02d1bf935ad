package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stepsies/stepsies/internal/server"
)

func withOrigins(origins ...string) func(*server.Config) {
	return func(c *server.Config) { c.Origins = origins }
}

// listen serves the installation on a loopback port, until the test ends.
func (in *installation) listen(tb testing.TB) *httptest.Server {
	s := httptest.NewServer(in.handle)
	tb.Cleanup(s.Close)
	return s
}

// chunked hides the type of a reader, and with it how much there is to read.
type chunked struct{ io.Reader }

// do sends a request and reads its answer to the end.
func do(tb testing.TB, c *http.Client, r *http.Request) (*http.Response, string) {
	tb.Helper()
	answer, err := c.Do(r)
	if err != nil {
		tb.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		tb.Fatalf("read the answer to %s %s: %v", r.Method, r.URL.Path, err)
	}
	return answer, string(body)
}
