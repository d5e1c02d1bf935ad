package web_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/testenv"
)

// chromiumPatience bounds how long a page may take to do what is waited for.
const chromiumPatience = 30 * time.Second

// chromium is a browser of a test, with the pages of a house.
type chromium struct {
	*keyHouse
	url string
	ctx context.Context
}

// tab is one of its tabs.
type tab struct {
	*chromium
	ctx    context.Context
	expect []int  // what it may be answered with, though that is an error
	refuse string // what the console may say is refused, "" for nothing

	mu     sync.Mutex
	errors []string
}

// browsers is the one browser of all tests; each test has a context of its own in it,
// with its own cookies and storage, as a private window has.
var browsers struct {
	sync.Mutex
	ctx   context.Context
	close func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browsers.close != nil {
		browsers.close()
	}
	os.Exit(code)
}

// theChromium starts the browser when it is first needed.
func theChromium(t *testing.T) context.Context {
	t.Helper()
	path := testenv.Chromium(t)
	browsers.Lock()
	defer browsers.Unlock()
	if browsers.ctx != nil {
		return browsers.ctx
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ = chromedp.NewContext(ctx)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		stop()
		t.Fatal(err)
	}
	browsers.ctx, browsers.close = ctx, func() { _ = chromedp.Cancel(ctx); stop() }
	return ctx
}

// openChromium opens a private window of the browser in which a user is signed in,
// nobody where u is zero.
func (h *keyHouse) openChromium(t *testing.T, u stepsies.User) *chromium {
	t.Helper()
	server := httptest.NewServer(h.Handler())
	t.Cleanup(server.Close)
	ctx, closeContext := chromedp.NewContext(theChromium(t), chromedp.WithNewBrowserContext())
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); closeContext() }) // it waits until the tab has gone
	b := &chromium{keyHouse: h, url: server.URL, ctx: ctx}
	first := &tab{chromium: b, ctx: ctx}
	if u.ID == 0 {
		first.do(t, chromedp.Navigate("about:blank"))
		return b
	}
	first.do(t, chromedp.Navigate(b.url+"/sign-in"))
	cookie := h.signIn(t, u).cookie
	js[any](t, first, fmt.Sprintf("void (document.cookie = %q)", cookie.Name+"="+cookie.Value+"; path=/"))
	return b
}

// open opens a page in a tab of its own. An error on it, or something that its policy
// forbids, fails the test when the test is over.
func (b *chromium) open(t *testing.T, path string) *tab {
	t.Helper()
	p := b.openTab(t, path)
	p.goTo(t, path)
	return p
}

// openTab is a tab that is empty yet.
func (b *chromium) openTab(t *testing.T, path string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	t.Cleanup(closeTab)
	p := &tab{chromium: b, ctx: ctx}
	p.do(t, chromedp.EmulateViewport(1280, 2400))
	if err := chromedp.Listen(ctx, p.heard); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, e := range p.errors {
			t.Errorf("%s: the console says %s", path, e)
		}
	})
	return p
}

// heard keeps errors of a page, but for answers that say that something does not fit,
// which browsers log too.
func (p *tab) heard(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		expected := strings.Contains(e.Entry.Text, "status of 409") || strings.Contains(e.Entry.Text, "status of 422") ||
			slices.ContainsFunc(p.expect, func(status int) bool { return strings.Contains(e.Entry.Text, fmt.Sprint("status of ", status)) })
		expected = expected || p.refuse != "" && strings.Contains(e.Entry.Text, p.refuse)
		if e.Entry.Level == log.EntryLevelError && !expected {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if text != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.errors = append(p.errors, text)
	}
}

func (p *tab) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- chromedp.Do(p.ctx, actions...) }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(chromiumPatience):
		t.Fatal("the browser does not answer")
	}
}

func (p *tab) goTo(t *testing.T, path string) {
	t.Helper()
	p.do(t, chromedp.Navigate(p.url+path))
}

// js evaluates an expression on a page.
func js[T any](t *testing.T, p *tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression is true on the page.
func (p *tab) wait(t *testing.T, expression string) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(chromiumPatience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		var yes bool
		if yes, err = chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")")); err == nil && yes {
			return
		}
	}
	t.Fatalf("%s does not come true (%v); the page says:\n%s", expression, err, js[string](t, p, "document.body.innerText"))
}

// press presses a key, as text or as one of package kb.
func (p *tab) press(t *testing.T, keys string) {
	t.Helper()
	p.do(t, chromedp.KeyEvent(keys))
}
