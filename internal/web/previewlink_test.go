package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
)

// makePreviewLink presses the button on the preview of a stepsy, and returns the path of
// the link that is shown.
func (p *person) makePreviewLink(t *testing.T, s stepsies.Stepsy) string {
	t.Helper()
	page := p.get(t, stepsyAt(s, "preview"))
	made := p.post(t, stepsyAt(s, "preview-link"), formOn(t, page, stepsyAt(s, "preview-link")))
	wantStatus(t, made, http.StatusOK)
	wantText(t, made, "It will not be shown again")
	return pathOf(t, made.text(), "/preview/")
}

// TestPreviewLinkShowsADraftUntilItsAuthorEndsIt goes through the life of a link.
func TestPreviewLinkShowsADraftUntilItsAuthorEndsIt(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger, author := &person{h: h}, h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	wantText(t, author.get(t, stepsyAt(s, "preview")), "Nobody else can see it yet", "Make a preview link")
	first := author.makePreviewLink(t, s)

	got := stranger.get(t, first)
	wantStatus(t, got, http.StatusOK)
	wantText(t, got, "This is a draft of", "Bake bread", "Flour")
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow, noarchive"} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	if metaOf(t, got)["robots"] != "noindex, nofollow, noarchive" || strings.Contains(got.body, "canonical") || strings.Contains(got.body, "og:title") {
		t.Error("search engines are told of a draft")
	}
	title := "Bake better bread"
	s = h.change(t, s, stepsies.StepsyChange{Title: &title})
	wantText(t, stranger.get(t, first), "Bake better bread")
	page := author.get(t, stepsyAt(s, "preview"))
	wantText(t, page, "Whoever has its preview link sees it too", "Made just now", "End the link")
	if strings.Contains(page.body, first) {
		t.Error("the link is shown again")
	}

	second := author.makePreviewLink(t, s)
	wantStatus(t, stranger.get(t, first), http.StatusNotFound)
	wantStatus(t, stranger.get(t, second), http.StatusOK)
	h.publish(t, s)
	if got := stranger.get(t, second); got.status != http.StatusSeeOther || got.location != publicAt(s) {
		t.Errorf("the link to what is published meanwhile answers %d %s", got.status, got.location)
	}
	wantStatus(t, author.post(t, stepsyAt(s, "preview-link"), nil), http.StatusConflict)
	wantNoText(t, author.get(t, stepsyAt(s, "preview")), "preview link")
	if _, err := h.Store().UnpublishStepsy(t.Context(), operator, s.ID); err != nil {
		t.Fatal(err)
	}
	wantRedirect(t, author.post(t, stepsyAt(s, "preview-link/end"), formOn(t, author.get(t, stepsyAt(s, "preview")), stepsyAt(s, "preview-link/end"))), stepsyAt(s, "preview"))
	wantText(t, author.get(t, stepsyAt(s, "preview")), "The preview link has ended", "Make a preview link")
	wantStatus(t, stranger.get(t, second), http.StatusNotFound)
	if views := h.stored(t, s).Views; views != 0 {
		t.Errorf("reading the draft counted for %d views", views)
	}
	wantText(t, author.get(t, activityAt), "You made a preview link of the stepsy Bake better bread", "You ended the preview link of the stepsy Bake better bread")
}

func TestPreviewLinkIsItsAuthorsAlone(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	link := h.signIn(t, h.sarah).makePreviewLink(t, s)
	other := h.signIn(t, h.other)
	for _, act := range []string{"preview-link", "preview-link/end"} {
		wantStatus(t, other.post(t, stepsyAt(s, act), nil), http.StatusNotFound)
		if status := h.signIn(t, h.sarah).postFrom(t, "cross-site", stepsyAt(s, act)); status != http.StatusForbidden {
			t.Errorf("%s from another site answers %d", act, status)
		}
	}
	stranger := &person{h: h}
	wantStatus(t, stranger.get(t, link), http.StatusOK)
	suspended := true
	if _, err := h.Store().UpdateUser(t.Context(), operator, "sarah", stepsies.UserChange{Suspended: &suspended}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, stranger.get(t, link), http.StatusNotFound)
	wantText(t, h.signIn(t, h.admin).get(t, stepsyAt(s, "preview")), "End the link")
	wantStatus(t, stranger.get(t, "/preview/"+strings.Repeat("A", 43)), http.StatusNotFound)
	for _, none := range []string{"/preview/", "/preview/x", "/preview/" + strings.Repeat("A", 44), link + "x", link + "/x", "/preview/%00"} {
		wantStatus(t, stranger.get(t, none), http.StatusNotFound)
	}
}

// lockedBuffer keeps a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// TestTokenOfAPreviewLinkReachesNoLog reads what an installation logs, whatever the
// answer is.
func TestTokenOfAPreviewLinkReachesNoLog(t *testing.T) {
	t.Parallel()
	var logged lockedBuffer
	h := openHouse(t, func(c *server.Config) {
		c.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	h.sarah = h.newUser(t, "sarah", "member")
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	link := h.signIn(t, h.sarah).makePreviewLink(t, s)
	stranger := &person{h: h}
	wantStatus(t, stranger.get(t, link), http.StatusOK)
	wantStatus(t, stranger.get(t, link+"/"), http.StatusMovedPermanently)
	wantStatus(t, stranger.post(t, link, nil), http.StatusNotFound)
	h.publish(t, s)
	wantStatus(t, stranger.get(t, link), http.StatusSeeOther)
	if err := h.Store().Close(); err != nil {
		t.Fatal(err)
	}
	if got := stranger.get(t, link); got.status < 500 || strings.Contains(got.body, link) {
		t.Errorf("without a database the answer is %d: %s", got.status, got.text())
	}
	token := strings.TrimPrefix(link, "/preview/")
	if text := logged.b.String(); strings.Contains(text, token) || strings.Count(text, "route=/preview/{token}") < 3 {
		t.Errorf("the log is:\n%s", text)
	}
}
