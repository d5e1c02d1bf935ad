package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

func TestListIsSearchedFilteredAndSorted(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	wantText(t, sarah.get(t, stepsiesAt), "New stepsy", "Your first stepsy")
	h.newStepsy(t, h.sarah, "Alpha bread", "Mix", "<p>flour</p>")
	tech := "technology"
	b := h.change(t, h.newStepsy(t, h.sarah, "Beta release", "Tag", "<p>git</p>"), stepsies.StepsyChange{Category: &tech})
	if _, err := h.Store().PublishStepsy(t.Context(), operator, b.ID); err != nil {
		t.Fatal(err)
	}
	h.newStepsy(t, h.other, "Gamma of another")
	for query, want := range map[string]string{
		"": "Beta release, Alpha bread", "?sort=title": "Alpha bread, Beta release", "?sort=created_at": "Alpha bread, Beta release",
		"?status=draft": "Alpha bread", "?status=published": "Beta release", "?category=technology": "Beta release",
		"?q=flour": "Alpha bread", "?q=FLO+alp": "Alpha bread", "?q=git&status=draft": "", "?q=%22%27%3B--": "", "?q=gamma": "",
		"?status=nonsense&sort=nonsense&category=nonsense": "Beta release, Alpha bread", "?q=%00": "Beta release, Alpha bread", "?user=sarah": "Beta release, Alpha bread",
	} {
		page := sarah.get(t, stepsiesAt+query)
		wantStatus(t, page, http.StatusOK)
		if got := strings.Join(namesOn(page), ", "); got != want {
			t.Errorf("%s lists %s, want %s", query, got, want)
		}
		if want == "" {
			wantText(t, page, "Nothing found")
		}
	}
	wantText(t, sarah.get(t, stepsiesAt), "published", "draft", "Technology · 1 step", "Views", "Completions", "Rating")
	if got := sarah.get(t, stepsiesAt+"?cursor=nonsense"); got.status != http.StatusBadRequest {
		t.Errorf("a cursor from elsewhere is answered with %d", got.status)
	}
}

var stepsyName = regexp.MustCompile(`class="name"[^>]*>([^<]*)<`)

func namesOn(page shown) (names []string) {
	for _, m := range stepsyName.FindAllStringSubmatch(page.body, -1) {
		names = append(names, m[1])
	}
	return names
}

func TestLongListsAreShownInParts(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	for i := range 52 {
		s := h.newStepsy(t, h.sarah, fmt.Sprintf("Stepsy %02d", i))
		if i%2 == 0 {
			continue
		}
		if err := h.Store().DeleteStepsy(t.Context(), operator, s.ID); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 26 {
		h.newStepsy(t, h.sarah, fmt.Sprintf("Later %02d", i))
	}
	next := regexp.MustCompile(`rel="next" href="([^"]*)"`)
	page := sarah.get(t, stepsiesAt+"?sort=title")
	first := namesOn(page)
	m := next.FindStringSubmatch(page.body)
	if len(first) != 50 || m == nil {
		t.Fatalf("%d stepsies, next %v", len(first), m)
	}
	page = sarah.get(t, strings.ReplaceAll(m[1], "&amp;", "&"))
	if rest := namesOn(page); len(rest) != 2 || rest[1] != "Stepsy 50" || next.MatchString(page.body) {
		t.Errorf("the second part has %v", rest)
	}
	wantText(t, page, "Back to the first")
}

func TestNewStepsyIsADraftInTheEditor(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	fields := url.Values{"title": {" Bake bread "}, "description": {"one\r\ntwo"}, "category": {"lifestyle"}}
	form := withHidden(sarah.get(t, stepsiesAt+"/new"), fields)
	made := sarah.post(t, stepsiesAt, form)
	wantStatus(t, made, http.StatusSeeOther)
	if again := sarah.post(t, stepsiesAt, form); again.location != made.location {
		t.Errorf("the form sent twice leads to %s and %s", made.location, again.location)
	}
	page := sarah.get(t, made.location)
	wantText(t, page, "Bake bread", "Only you can see it.", "Save draft", "Publish", "Add a step", "/@sarah/bake-bread")
	wantNoText(t, page, "Unpublish")
	if form := formOn(t, page, made.location); form.Get("description") != "one\r\ntwo" || form.Get("category") != "lifestyle" {
		t.Errorf("the form holds %v", form)
	}
	bad := sarah.submit(t, stepsiesAt+"/new", stepsiesAt, url.Values{"title": {""}, "description": {"kept <b>"}, "category": {"design"}})
	wantStatus(t, bad, http.StatusUnprocessableEntity)
	wantText(t, bad, "This must not be empty.", "kept <b>")
	if got := sarah.post(t, stepsiesAt, fields); got.status != http.StatusBadRequest {
		t.Errorf("a form that no page made is answered with %d", got.status)
	}
}

func TestPublishUnpublishAndDuplicate(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, strings.Repeat("Ä", 200), "Mix", "<p>Flour</p>")
	for range 2 {
		wantStatus(t, sarah.post(t, stepsyAt(s, "publish"), nil), http.StatusSeeOther)
	}
	if now := h.stored(t, s); now.Status != stepsies.StatusPublished {
		t.Fatal("it is not published")
	}
	wantText(t, sarah.get(t, stepsyAt(s, "preview")), "Everyone sees it like this", "Flour")
	got := sarah.submit(t, stepsyAt(s, ""), stepsyAt(s, "duplicate"), nil)
	wantStatus(t, got, http.StatusSeeOther)
	page := sarah.get(t, got.location)
	wantText(t, page, "This is the copy, a draft.", strings.Repeat("Ä", 193)+" (copy)", "Flour")
	wantStatus(t, sarah.post(t, stepsyAt(s, "unpublish"), nil), http.StatusSeeOther)
	if now := h.stored(t, s); now.Status != stepsies.StatusDraft {
		t.Error("it is still published")
	}
	empty := h.newStepsy(t, h.sarah, "Empty")
	bad := sarah.post(t, stepsyAt(empty, "publish"), nil)
	wantStatus(t, bad, http.StatusUnprocessableEntity)
	wantText(t, bad, "needs at least one step")
}

// stepsyRoutes are all addresses of one stepsy.
var stepsyRoutes = []struct{ method, act string }{
	{http.MethodGet, ""}, {http.MethodPost, ""}, {http.MethodPost, "save"}, {http.MethodGet, "preview"}, {http.MethodPost, "publish"},
	{http.MethodPost, "unpublish"}, {http.MethodPost, "duplicate"}, {http.MethodGet, "delete"}, {http.MethodPost, "delete"}, {http.MethodPost, "restore"},
}

func TestStepsiesOfAnotherAreOutOfReach(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	other, nobody := h.signIn(t, h.other), &person{h: h}
	draft := h.newStepsy(t, h.sarah, "Secret plan", "Mix", "<p>Flour</p>")
	public := h.newStepsy(t, h.sarah, "Open plan", "Mix", "<p>Flour</p>")
	if _, err := h.Store().PublishStepsy(t.Context(), operator, public.ID); err != nil {
		t.Fatal(err)
	}
	trashed := h.newStepsy(t, h.sarah, "Old plan", "Mix", "<p>Flour</p>")
	if err := h.Store().DeleteStepsy(t.Context(), operator, trashed.ID); err != nil {
		t.Fatal(err)
	}
	for _, s := range []stepsies.Stepsy{draft, public, trashed, {ID: 999}} {
		for _, r := range stepsyRoutes {
			if got := other.send(t, r.method, stepsyAt(s, r.act), nil); got.status != http.StatusNotFound || strings.Contains(got.body, "plan") {
				t.Errorf("%s %s: another user gets %d", r.method, stepsyAt(s, r.act), got.status)
			}
			if got := nobody.send(t, r.method, stepsyAt(s, r.act), nil); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
				t.Errorf("%s %s: without a session the answer is %d", r.method, stepsyAt(s, r.act), got.status)
			}
			if r.method == http.MethodPost {
				if status := h.signIn(t, h.sarah).postFrom(t, "cross-site", stepsyAt(s, r.act)); status != http.StatusForbidden {
					t.Errorf("%s from another site: %d", stepsyAt(s, r.act), status)
				}
			}
		}
	}
	for _, path := range []string{stepsiesAt + "?user=sarah", stepsiesAt + "/new?user=sarah", "/dashboard/trash?user=sarah", stepsiesAt + "/x", stepsiesAt + "/-1"} {
		if got := other.get(t, path); got.status != http.StatusNotFound {
			t.Errorf("%s: another user gets %d", path, got.status)
		}
	}
	if got := h.stored(t, draft); got.Version != draft.Version || got.Status != stepsies.StatusDraft {
		t.Error("another has changed it")
	}
}

func TestAdminOpensAnyStepsyClearlyLabelled(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	boss := h.signIn(t, h.admin)
	s := h.newStepsy(t, h.sarah, "Secret plan", "Mix", "<p>Flour</p>")
	const label = "You are looking at what belongs to sarah"
	for _, path := range []string{
		stepsiesAt + "?user=sarah", stepsiesAt + "/new?user=sarah", "/dashboard/trash?user=sarah", stepsyAt(s, ""), stepsyAt(s, "preview"), stepsyAt(s, "delete"),
	} {
		wantText(t, boss.get(t, path), label)
	}
	wantNoText(t, boss.get(t, stepsiesAt), label, "Secret plan")
	wantStatus(t, boss.edit(t, s, "save", func(f url.Values) { f.Set("title", "Better plan") }), http.StatusSeeOther)
	if now := h.stored(t, s); now.Title != "Better plan" || now.Username != "sarah" {
		t.Errorf("it is %q of %s", now.Title, now.Username)
	}
	made := boss.submit(t, stepsiesAt+"/new?user=sarah", stepsiesAt+"?user=sarah", url.Values{"title": {"For sarah"}, "category": {"other"}})
	wantStatus(t, made, http.StatusSeeOther)
	wantText(t, h.signIn(t, h.sarah).get(t, made.location), "For sarah")
	gone := boss.post(t, stepsyAt(s, "delete"), nil)
	if gone.location != stepsiesAt+"?user=sarah" {
		t.Errorf("after deleting the admin gets to %s", gone.location)
	}
}
