package web_test

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// viewer is who looks at a page.
type viewer string

const (
	nobody   viewer = "nobody"
	member   viewer = "member"   // sarahchen
	admin    viewer = "admin"    // marcusreed
	newcomer viewer = "newcomer" // lina, to whom nothing belongs yet
)

// look is a page as someone sees it. What looks lists is checked by axe in light and
// dark, must fit a phone, work by keyboard, be light, show no payload as markup, and has
// its pictures taken. A page needs nothing but its row there.
type look struct {
	name  string // of its pictures, one of a kind
	route string // as web.go has it; "/" is what the mux cannot match
	path  string
	as    []viewer
	// What is done on the page before it is looked at, and what is then true there, for
	// pages that answer a form.
	act, until string
	answer     int        // to the form, where it is an error's
	status     int        // 0: 200
	in         *furnished // nil: the house
}

// looks are all pages with something on them, and the states that are worth a look.
func (f *furnished) looks() []look {
	key := func(id, act string) string { return keyAt(f.keys[id].ID, act) }
	everyone := []viewer{nobody, member}
	own := []viewer{member, admin}
	send := func(form string) string {
		return `document.querySelector("` + form + ` button:not([type=button])").click()`
	}
	const refused = `document.querySelector(".problem")`
	return append(docsLooks(), []look{
		{name: "front", route: "GET /{$}", path: "/", as: everyone},
		{name: "front-of-a-new-installation", route: "GET /{$}", path: "/", as: []viewer{nobody}, in: f.welcome},
		{name: "newest", route: "GET /newest", path: "/newest", as: everyone},
		{name: "newest-none", route: "GET /newest", path: "/newest", as: []viewer{nobody}, in: f.welcome},
		{name: "best-rated", route: "GET /best-rated", path: "/best-rated", as: []viewer{nobody}},
		{name: "completed-lately", route: "GET /completed-lately", path: "/completed-lately", as: []viewer{nobody}},
		{name: "category", route: "GET /categories/{category}", path: "/categories/marketing", as: []viewer{nobody}},
		{name: "category-empty", route: "GET /categories/{category}", path: "/categories/health", as: []viewer{nobody, newcomer}},
		{name: "search", route: "GET /search", path: "/search", as: []viewer{nobody}},
		{name: "search-found", route: "GET /search", path: "/search?q=w", as: everyone},
		{name: "search-none", route: "GET /search", path: "/search?q=zeppelin", as: []viewer{nobody}},
		{name: "search-refused", route: "GET /search", path: "/search?q=%3F%3F%3F", as: []viewer{nobody}, status: http.StatusUnprocessableEntity},
		{name: "author", route: "GET /@{author}", path: "/@sarahchen", as: everyone},
		{name: "author-without-stepsies", route: "GET /@{author}", path: "/@lina", as: []viewer{nobody, newcomer}},
		{name: "public-stepsy", route: "GET /@{author}/{slug}", path: publicAt(f.published), as: everyone},
		{name: "public-stepsy-share", route: "GET /@{author}/{slug}", path: publicAt(f.published), as: []viewer{nobody}, act: `document.querySelector(".share details").open = true`},
		{name: "public-stepsy-leftward", route: "GET /@{author}/{slug}", path: publicAt(f.leftward), as: []viewer{nobody}},
		{name: "follow-leftward", route: "GET /@{author}/{slug}/follow", path: publicAt(f.leftward) + "/follow", as: []viewer{nobody}},
		{name: "embed", route: embedRoute, path: publicAt(f.published) + "/embed", as: everyone},
		{name: "embed-gone", route: embedRoute, path: "/@sarahchen/gone/embed", as: []viewer{nobody}, status: http.StatusNotFound},
		{name: "draft-by-link", route: "GET /preview/{token}", path: "/preview/" + f.preview, as: everyone},
		{name: "draft-by-dead-link", route: "GET /preview/{token}", path: "/preview/" + strings.Repeat("A", 43), as: []viewer{nobody}, status: http.StatusNotFound},
		{name: "nothing-here", route: "/", path: "/no/such/page", as: everyone, status: http.StatusNotFound},

		{name: "sign-in", route: "GET /sign-in", path: "/sign-in", as: []viewer{nobody}},
		{name: "sign-in-refused", route: "GET /sign-in", path: "/sign-in", as: []viewer{nobody},
			act: `document.querySelector("#login").value = "sarahchen"; document.querySelector("#password").value = "not the password"; ` + send("form.form"), until: refused, answer: http.StatusUnauthorized},
		{name: "follow", route: "GET /@{author}/{slug}/follow", path: publicAt(f.published) + "/follow", as: everyone},
		{name: "follow-end", route: "GET /@{author}/{slug}/follow", path: publicAt(f.published) + "/follow", as: []viewer{nobody},
			act: `location.hash = "done"`, until: `document.activeElement.id === "title-done"`},
		{name: "signed-out-meanwhile", route: "GET /sign-in", path: "/sign-in", as: []viewer{nobody}, answer: http.StatusUnauthorized, // what a page sends after its session has ended
			act: `const form = document.querySelector("form.form"); form.action = "/dashboard/developer"; form.noValidate = true; form.querySelector("#login").value = "Kept"; ` + send("form.form"), until: `document.querySelector("[target=_blank]")`},
		{name: "welcome", route: "GET /welcome/{token}", path: "/welcome/" + f.welcome.links[store.LinkFirstAdmin], as: []viewer{nobody}, in: f.welcome},
		{name: "sign-up", route: "GET /sign-up", path: "/sign-up", as: []viewer{nobody}},
		{name: "sign-up-refused", route: "GET /sign-up", path: "/sign-up", as: []viewer{nobody},
			act: `document.querySelector("form.form").noValidate = true; document.querySelector("#email").value = "no address"; ` + send("form.form"), until: refused},
		{name: "sign-up-sent", route: "GET /sign-up", path: "/sign-up", as: []viewer{nobody},
			act: `document.querySelector("#email").value = "someone@example.com"; ` + send("form.form"), until: `document.querySelector("[role=status]")`},
		{name: "sign-up-without-mail", route: "GET /sign-up", path: "/sign-up", as: []viewer{nobody}, in: f.welcome},
		{name: "sign-up-link", route: "GET /sign-up/{token}", path: "/sign-up/" + f.signUp, as: []viewer{nobody}},
		{name: "sign-up-link-refused", route: "GET /sign-up/{token}", path: "/sign-up/" + f.signUp, as: []viewer{nobody},
			act: `document.querySelector("form.form").noValidate = true; document.querySelector("#username").value = "No Spaces"; ` + send("form.form"), until: refused},
		{name: "invitation", route: "GET /invitation/{token}", path: "/invitation/" + f.links[store.LinkInvitation], as: []viewer{nobody}},
		{name: "dead-link", route: "GET /invitation/{token}", path: "/invitation/" + strings.Repeat("A", 43), as: []viewer{nobody}, status: http.StatusConflict},
		{name: "verify-email", route: "GET /verify-email/{token}", path: "/verify-email/" + f.links[store.LinkEmail], as: everyone},
		{name: "forgot-password", route: "GET /forgot-password", path: "/forgot-password", as: []viewer{nobody}},
		{name: "forgot-password-sent", route: "GET /forgot-password", path: "/forgot-password", as: []viewer{nobody},
			act: `document.querySelector("#login").value = "nobody"; ` + send("form.form"), until: `document.querySelector("[role=status]")`},
		{name: "reset-password", route: "GET /reset-password/{token}", path: "/reset-password/" + f.links[store.LinkPassword], as: []viewer{nobody}},

		{name: "overview", route: "GET /dashboard", path: "/dashboard", as: []viewer{member, admin, newcomer}},

		{name: "developer", route: "GET /dashboard/developer", path: developer, as: []viewer{member, admin, newcomer}},
		{name: "developer-of-another", route: "GET /dashboard/developer", path: developer + "?user=sarahchen", as: []viewer{admin}},
		{name: "developer-ended", route: "GET /dashboard/developer", path: developer, as: []viewer{member},
			act: `document.querySelector("details.ended").open = true`},
		{name: "key-new", route: "GET /dashboard/developer/new", path: developer + "/new", as: own},
		{name: "key-new-refused", route: "GET /dashboard/developer/new", path: developer + "/new", as: []viewer{member}, act: send("form.keyform"), until: refused},
		{name: "key-shown-once", route: "GET /dashboard/developer/new", path: developer + "/new", as: []viewer{newcomer},
			act:   `document.querySelector("#name").value = "First integration"; document.querySelector("[value=read]").checked = true; ` + send("form.keyform"),
			until: `document.querySelector("[data-once]")`},
		{name: "key", route: "GET /dashboard/developer/keys/{id}", path: key("expiring", ""), as: own},
		{name: "key-rotated", route: "GET /dashboard/developer/keys/{id}", path: key("rotated", ""), as: []viewer{member}},
		{name: "key-revoked", route: "GET /dashboard/developer/keys/{id}", path: key("revoked", ""), as: []viewer{member},
			act: `document.querySelector(".chart details").open = true`},
		{name: "key-leaked", route: "GET /dashboard/developer/keys/{id}", path: key("leaked", ""), as: []viewer{member}},
		{name: "key-expired", route: "GET /dashboard/developer/keys/{id}", path: key("expired", ""), as: []viewer{member}},
		{name: "key-edit", route: "GET /dashboard/developer/keys/{id}/edit", path: key("expiring", "/edit"), as: own},
		{name: "key-rotate", route: "GET /dashboard/developer/keys/{id}/rotate", path: key("expiring", "/rotate"), as: own},
		{name: "key-revoke", route: "GET /dashboard/developer/keys/{id}/revoke", path: key("expiring", "/revoke"), as: own},

		{name: "stepsies", route: "GET /dashboard/stepsies", path: stepsiesAt, as: []viewer{member, admin, newcomer}},
		{name: "stepsies-of-another", route: "GET /dashboard/stepsies", path: stepsiesAt + "?user=sarahchen", as: []viewer{admin}},
		{name: "stepsies-none-found", route: "GET /dashboard/stepsies", path: stepsiesAt + "?q=zeppelin", as: []viewer{member}},
		{name: "stepsy-new", route: "GET /dashboard/stepsies/new", path: stepsiesAt + "/new", as: own},
		{name: "stepsy-new-refused", route: "GET /dashboard/stepsies/new", path: stepsiesAt + "/new", as: []viewer{member},
			act: `document.querySelector("form.form").noValidate = true; ` + send("form.form"), until: refused},
		{name: "editor", route: "GET /dashboard/stepsies/{id}", path: stepsyAt(f.draft, ""), as: own, until: `document.querySelector(".tiptap")`},
		{name: "editor-published", route: "GET /dashboard/stepsies/{id}", path: stepsyAt(f.published, ""), as: []viewer{member}, until: `document.querySelector(".tiptap")`},
		{name: "versions", route: "GET /dashboard/stepsies/{id}", path: stepsyAt(f.published, ""), as: []viewer{member},
			act: `document.querySelector("#title").value = "Another title"; document.querySelector("[name=step_content]").value = "<p>Another text</p>"; const look = document.createElement("button"); look.name = "do"; look.value = "compare"; document.querySelector("#editor").append(look); look.click()`, until: `document.querySelector(".versions")`},
		{name: "preview", route: "GET /dashboard/stepsies/{id}/preview", path: stepsyAt(f.published, "preview"), as: own},
		{name: "preview-draft", route: "GET /dashboard/stepsies/{id}/preview", path: stepsyAt(f.draft, "preview"), as: own},
		{name: "preview-linked", route: "GET /dashboard/stepsies/{id}/preview", path: stepsyAt(f.linked, "preview"), as: own},
		{name: "preview-link-shown", route: "GET /dashboard/stepsies/{id}/preview", path: stepsyAt(f.draft, "preview"), as: []viewer{member},
			act: send(`form[action$=preview-link]`), until: `document.querySelector("#new-link")`},
		{name: "readers", route: "GET /dashboard/stepsies/{id}/readers", path: stepsyAt(f.published, "readers"), as: own,
			act: `document.querySelector("details").open = true`},
		{name: "readers-none", route: "GET /dashboard/stepsies/{id}/readers", path: stepsyAt(f.draft, "readers"), as: []viewer{member}},
		{name: "stepsy-delete", route: "GET /dashboard/stepsies/{id}/delete", path: stepsyAt(f.published, "delete"), as: own},
		{name: "trash", route: "GET /dashboard/trash", path: "/dashboard/trash", as: []viewer{member, admin, newcomer}},

		{name: "activity", route: "GET /dashboard/activity", path: "/dashboard/activity", as: []viewer{member, admin, newcomer}},
		{name: "activity-none-found", route: "GET /dashboard/activity", path: "/dashboard/activity?user=zeppelin", as: []viewer{admin}},

		{name: "profile", route: "GET /dashboard/profile", path: "/dashboard/profile", as: own},
		{name: "profile-refused", route: "GET /dashboard/profile", path: "/dashboard/profile", as: []viewer{member},
			act: send(`form[action$=\\/password]`), until: refused},

		{name: "users", route: "GET /dashboard/users", path: usersAt, as: []viewer{admin}},
		{name: "users-none-found", route: "GET /dashboard/users", path: usersAt + "?q=zeppelin", as: []viewer{admin}},
		{name: "user-new", route: "GET /dashboard/users/new", path: usersAt + "/new", as: []viewer{admin}},
		{name: "user-new-refused", route: "GET /dashboard/users/new", path: usersAt + "/new", as: []viewer{admin}, act: send("form.form"), until: refused},
		{name: "invite", route: "GET /dashboard/users/invite", path: usersAt + "/invite", as: []viewer{admin}},
		{name: "user", route: "GET /dashboard/users/{user}", path: usersAt + "/@acme_platform", as: []viewer{admin}},
		{name: "user-suspended", route: "GET /dashboard/users/{user}", path: usersAt + "/@tomvega", as: []viewer{admin}},
		{name: "user-password-link", route: "GET /dashboard/users/{user}", path: usersAt + "/@lina", as: []viewer{admin},
			act: send(`form[action$=password-link]`), until: `document.querySelector("#new-link")`},
		{name: "user-suspend", route: "GET /dashboard/users/{user}/suspend", path: usersAt + "/@sarahchen/suspend", as: []viewer{admin}},
		{name: "user-delete", route: "GET /dashboard/users/{user}/delete", path: usersAt + "/@sarahchen/delete", as: []viewer{admin}},
	}...)
}

// forPrograms reports whether a route answers with something else than a page.
func forPrograms(route string) bool {
	return route == "GET /oembed" || route == "GET /sitemaps/{part}" || slices.Contains([]string{".md", ".txt", ".json", ".atom", ".xml", ".ico"}, path.Ext(route))
}

// publicAt is where everyone reads a stepsy.
func publicAt(s stepsies.Stepsy) string { return "/@" + s.Username + "/" + s.Slug }

// user is the one who looks, zero where nobody is signed in.
func (f *furnished) user(v viewer) stepsies.User {
	return map[viewer]stepsies.User{member: f.sarah, admin: f.admin, newcomer: f.newcomer}[v]
}

// TestEveryPageIsLookedAt keeps looks complete: a page that nobody put there would have
// none of its checks.
func TestEveryPageIsLookedAt(t *testing.T) {
	t.Parallel()
	f := furnish(t, nil)
	pages, _ := openPages(t)
	all := f.looks()
	access := map[string]string{"/": "public"}
	for _, r := range pages.Routes() {
		access[r.Pattern] = map[bool]string{true: "public"}[r.Public] + map[bool]string{true: "admin"}[r.Admin]
		if forPrograms(r.Pattern) {
			delete(access, r.Pattern)
			continue
		}
		if strings.HasPrefix(r.Pattern, "GET ") && !slices.ContainsFunc(all, func(l look) bool { return l.route == r.Pattern }) {
			t.Errorf("%s is not looked at: give it an address in looks", r.Pattern)
		}
	}
	seen := map[string]bool{}
	for _, l := range all {
		kind, known := access[l.route]
		switch {
		case !known:
			t.Errorf("%s: there is no route %s", l.name, l.route)
		case seen[l.name]:
			t.Errorf("two looks are called %s", l.name)
		case len(l.as) == 0:
			t.Errorf("nobody looks at %s", l.name)
		case kind != "public" && slices.Contains(l.as, nobody), kind == "admin" && slices.Contains(l.as, member):
			t.Errorf("%s is looked at by who may not", l.name)
		}
		seen[l.name] = true
	}
	for route, kind := range access {
		for _, who := range map[string][]viewer{"": {member, admin}, "public": {nobody}, "admin": {admin}}[kind] {
			if strings.HasPrefix(route, "GET ") && !slices.ContainsFunc(all, func(l look) bool { return l.route == route && slices.Contains(l.as, who) }) {
				t.Errorf("%s is not looked at by %s", route, who)
			}
		}
	}
}

// open is a look through the handlers alone.
func (f *furnished) open(t *testing.T, l look, v viewer) shown {
	t.Helper()
	house := f.keyHouse
	if l.in != nil {
		house = l.in.keyHouse
	}
	p := &person{h: house}
	if u := f.user(v); u.ID != 0 {
		p = house.signIn(t, u)
	}
	page := p.get(t, l.path)
	want := l.status
	if want == 0 {
		want = http.StatusOK
	}
	if page.status != want {
		t.Fatalf("%s as %s answers %d, want %d:\n%s", l.path, v, page.status, want, page.text())
	}
	return page
}

// maxPage bounds what a browser gets for one page, without the fonts and the editor of
// rich text, which it keeps for a year.
const maxPage = 150_000

func TestEveryPageIsLight(t *testing.T) {
	t.Parallel()
	f := furnish(t, nil)
	for _, l := range f.looks() {
		for _, v := range l.as {
			page := f.open(t, l, v)
			size := len(page.body)
			for _, address := range assetsOf(t, page) {
				if !strings.Contains(address, "/editor.") {
					size += len((&person{h: f.keyHouse}).get(t, address).body)
				}
			}
			if size > maxPage {
				t.Errorf("%s as %s has %d bytes, more than %d", l.path, v, size, maxPage)
			}
		}
	}
}

// assetsOf are the addresses of styles and scripts that a page loads.
func assetsOf(t *testing.T, page shown) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for n := range root.Descendants() {
		switch {
		case n.DataAtom == atom.Script:
			found = append(found, attr(n, "src"))
		case n.DataAtom == atom.Link && (attr(n, "rel") == "stylesheet" || attr(n, "rel") == "modulepreload"):
			found = append(found, attr(n, "href"))
		}
	}
	return slices.DeleteFunc(found, func(address string) bool { return address == "" })
}
