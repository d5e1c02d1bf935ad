package web_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
)

// hand is a person at a browser who knows what things are called.
type hand struct {
	*tab
	use func(t *testing.T, target string) // presses, picks or goes into what an expression finds
}

// byMouse clicks, byKeyboard gets there by Tab and presses Enter or Space.
func (p *tab) byMouse() hand    { return hand{p, p.clickOn} }
func (p *tab) byKeyboard() hand { return hand{p, p.tabTo} }

// control finds what can be pressed by the words on it, field what can be filled in by
// its label, whether that stands around it or not.
func control(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("a[href], button, summary")].find((e) => e.textContent.trim() === %q && e.checkVisibility())`, name)
}

func fieldOf(label string) string {
	return fmt.Sprintf(`((l) => l?.control ?? l?.querySelector("input"))([...document.querySelectorAll("label")].find((l) => l.textContent.trim().startsWith(%q) && l.checkVisibility()))`, label)
}

// press uses a link or a button once it is there.
func (u hand) press(t *testing.T, name string) {
	t.Helper()
	u.wait(t, control(name))
	u.use(t, control(name))
}

// pick ticks a box or chooses one of several.
func (u hand) pick(t *testing.T, label string) {
	t.Helper()
	u.wait(t, fieldOf(label))
	u.use(t, fieldOf(label))
	u.wait(t, fieldOf(label)+".checked")
}

// write types a text in place of what a field holds.
func (u hand) write(t *testing.T, label, text string) {
	t.Helper()
	u.wait(t, fieldOf(label))
	u.use(t, fieldOf(label))
	js[any](t, u.tab, "void "+fieldOf(label)+".select()")
	u.tab.press(t, text)
}

func (u hand) sees(t *testing.T, text string) {
	t.Helper()
	u.wait(t, fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

func (p *tab) clickOn(t *testing.T, target string) {
	t.Helper()
	at := js[[]float64](t, p, `((e) => { e.scrollIntoView({block: "center"}); const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })(`+target+`)`)
	p.do(t, chromedp.MouseClickXY(at[0], at[1]))
}

func (p *tab) tabTo(t *testing.T, target string) {
	t.Helper()
	there := "document.activeElement === " + target
	for range 150 { // more than any page has
		// Of radio buttons of one name, Tab gets to one, and the arrows to the others.
		if js[bool](t, p, `((a, e) => e.type === "radio" && a.type === "radio" && a.name === e.name)(document.activeElement, `+target+`)`) {
			for range 20 {
				if js[bool](t, p, target+".checked") {
					return
				}
				p.press(t, kb.ArrowDown)
			}
		}
		if js[bool](t, p, there) {
			switch js[string](t, p, `document.activeElement.type === "checkbox" ? "box" : document.activeElement.matches("a, button, summary") ? "press" : ""`) {
			case "box":
				p.press(t, " ")
			case "press":
				p.press(t, kb.Enter)
			}
			return
		}
		p.press(t, kb.Tab)
	}
	t.Fatalf("the Tab key does not get to %s", target)
}

// signIn types a name and a password.
func (u hand) signIn(t *testing.T, name string) {
	t.Helper()
	u.goTo(t, "/sign-in")
	u.write(t, "Username or e-mail address", name)
	u.write(t, "Password", goodPassword)
	u.press(t, "Sign in")
	u.wait(t, `location.pathname === "/dashboard"`)
}

// calls sends a request to the API over the network, with a key.
func (b *chromium) calls(t *testing.T, method, key string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+"/v1/stepsies", strings.NewReader(`{"title":"By API"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (b *chromium) wantCall(t *testing.T, method, key string, want int) {
	t.Helper()
	if got, body := b.calls(t, method, key); got != want {
		t.Errorf("%s gets %d, want %d: %s", method, got, want, body)
	}
}

// TestKeyIsMadeUsedAndRevokedAsTheDocumentationSays goes the way of the authentication
// guide by the names that it gives: with a mouse, by keyboard alone, and without scripts.
func TestKeyIsMadeUsedAndRevokedAsTheDocumentationSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hand    func(*tab) hand
		scripts bool
	}{
		"with a mouse": {(*tab).byMouse, true}, "by keyboard alone": {(*tab).byKeyboard, true}, "without scripts": {(*tab).byMouse, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, nil)
			h.withPassword(t, "sarah", "member")
			b := h.openChromium(t, stepsies.User{})
			p := b.openTab(t, "the way to a key")
			if !c.scripts {
				if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
					t.Fatal(err)
				}
			}
			u := c.hand(p)
			u.signIn(t, "sarah")
			u.press(t, "Developer")
			u.press(t, "Create API Key")
			u.write(t, "Name", "Production Backend")
			u.pick(t, "read")
			u.pick(t, "90 days")
			u.press(t, "Create Key")
			u.sees(t, "will not be shown again")
			key := js[string](t, p, `document.querySelector("#new-key").textContent`)
			if c.scripts {
				u.wait(t, `document.activeElement.dataset.copy === "#new-key"`) // the one thing to do
				u.press(t, "Copy")
				u.wait(t, control("Copied"))
				key = p.pasted(t)
			} else if js[bool](t, p, "Boolean("+control("Copy")+")") {
				t.Error("a button is there that does nothing without scripts")
			}
			if !secretForm.MatchString(key) || len(key) != 51 {
				t.Fatalf("%d characters are copied", len(key))
			}
			b.wantCall(t, http.MethodGet, key, http.StatusOK)

			u.press(t, "I have stored the key")
			u.wait(t, `!document.body.textContent.includes("sk_") || !/sk_[0-9a-f]{48}/.test(document.documentElement.outerHTML)`)
			u.press(t, "Developer")
			u.sees(t, "Production Backend")
			u.press(t, "Revoke")
			u.sees(t, "Revoke “Production Backend”?")
			b.wantCall(t, http.MethodGet, key, http.StatusOK) // asking ends nothing
			u.press(t, "Revoke this key")
			u.sees(t, "1 revoked key")
			if got, body := b.calls(t, http.MethodGet, key); got != http.StatusUnauthorized || strings.TrimSpace(body) != `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}` {
				t.Errorf("the revoked key gets %d %s", got, body)
			}
		})
	}
}

// pasted is what the clipboard holds.
func (p *tab) pasted(t *testing.T) string {
	t.Helper()
	allow := cdpbrowser.SetPermissionParams{Permission: &cdpbrowser.PermissionDescriptor{Name: "clipboard-read"}, Setting: cdpbrowser.PermissionSettingGranted,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID}
	if _, err := chromedp.CallBrowser(p.ctx, cdpbrowser.SetPermission, allow); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("navigator.clipboard.readText()", chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestLeavingAKeyThatWasNotCopiedAsks guards the only look that there is at a key.
func TestLeavingAKeyThatWasNotCopiedAsks(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	p := h.openChromium(t, h.sarah).open(t, developer+"/new")
	asked := make(chan page.DialogType, 10)
	if err := chromedp.Listen(p.ctx, func(event any) {
		if e, ok := event.(*page.EventJavascriptDialogOpening); ok {
			asked <- e.Type
			go func() { // "stay here"; the click waits for the answer
				_, _ = chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: false})
			}()
		}
	}); err != nil {
		t.Fatal(err)
	}
	u := p.byMouse()
	u.write(t, "Name", "Backend")
	u.pick(t, "read")
	u.press(t, "Create Key")
	u.sees(t, "will not be shown again")
	u.press(t, "Overview")
	select {
	case kind := <-asked:
		if kind != page.DialogTypeBeforeunload {
			t.Errorf("the page asks by %s", kind)
		}
	case <-time.After(chromiumPatience):
		t.Fatal("the page is left without a question")
	}
	u.sees(t, "will not be shown again")
	u.press(t, "Copy")
	u.wait(t, control("Copied"))
	u.press(t, "Overview")
	u.wait(t, `location.pathname === "/dashboard"`)
	if len(asked) > 0 {
		t.Error("the page asks though the key was copied")
	}
}

func TestScopesExpiryAndRotationByBrowser(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	_, secret := h.newKey(t, h.sarah, "Backend", "read")
	b := h.openChromium(t, h.sarah)
	key := secret.Reveal()
	u := b.open(t, developer).byMouse()
	b.wantCall(t, http.MethodPost, key, http.StatusForbidden)
	u.press(t, "Edit")
	u.pick(t, "write")
	u.pick(t, "7 days")
	u.press(t, "Save changes")
	u.wait(t, `location.pathname.endsWith("/edit") === false`)
	b.wantCall(t, http.MethodPost, key, http.StatusCreated)

	h.forward(8 * day)
	b.wantCall(t, http.MethodGet, key, http.StatusUnauthorized)
	u.goTo(t, developer)
	u.press(t, "1 expired key")
	u.press(t, "Edit")
	u.pick(t, "Never")
	u.press(t, "Save changes")
	u.wait(t, `location.pathname.endsWith("/edit") === false`)
	b.wantCall(t, http.MethodGet, key, http.StatusOK)

	u.goTo(t, developer)
	u.press(t, "Rotate")
	u.pick(t, "1 day")
	u.press(t, "Rotate key")
	u.sees(t, "will not be shown again")
	successor := js[string](t, u.tab, `document.querySelector("#new-key").textContent`)
	if successor == key || !secretForm.MatchString(successor) {
		t.Fatal("rotating shows no new key")
	}
	b.wantCall(t, http.MethodPost, successor, http.StatusCreated)
	b.wantCall(t, http.MethodGet, key, http.StatusOK)
	u.press(t, "I have stored the key")
	h.forward(day + time.Minute)
	b.wantCall(t, http.MethodGet, key, http.StatusUnauthorized)
	b.wantCall(t, http.MethodGet, successor, http.StatusOK)
}

func TestFirstAdminAndSignUpByBrowser(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(c *server.Config) { c.SignUp = "open" })
	b := h.openChromium(t, stepsies.User{})
	u := b.open(t, h.welcomePath(t)).byKeyboard()
	fill := func(name string) {
		u.write(t, "Username", name)
		u.write(t, "Name", strings.ToUpper(name[:1])+name[1:])
		u.write(t, "E-mail address", name+"@example.com")
		u.write(t, "Password", goodPassword)
		u.press(t, "Create account")
	}
	fill("boss")
	u.sees(t, "Welcome, Boss.")
	u.press(t, "Users")
	u.sees(t, "Anyone can sign up here.")
	u.press(t, "Sign out")
	u.press(t, "Sign up")
	fill("boss") // who is there already: what was typed stays, and the field has the focus
	u.wait(t, `document.activeElement.matches("[aria-invalid]")`)
	if kept := js[string](t, u.tab, `document.querySelector("#username").value + " " + document.querySelector("#email").value`); kept != "boss boss@example.com" {
		t.Errorf("what was typed has become %q", kept)
	}
	fill("sarah")
	u.sees(t, "Welcome, Sarah.")
	u.press(t, "Profile")
	if js[bool](t, u.tab, "Boolean("+control("Users")+")") {
		t.Error("a member is shown the users")
	}
}

func TestSuspendedUserIsOutAtOnceByBrowser(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	boss, sarah := h.withPassword(t, "boss", "admin"), h.withPassword(t, "sarah", "member")
	_, secret := h.newKey(t, sarah, "Backend", "read")
	admins, hers := h.openChromium(t, boss), h.openChromium(t, sarah)
	p := hers.open(t, developer)
	p.expect = []int{http.StatusUnauthorized}
	hers.wantCall(t, http.MethodGet, secret.Reveal(), http.StatusOK)
	u := admins.open(t, "/dashboard").byMouse()
	u.press(t, "Users")
	u.press(t, "sarah")
	u.press(t, "Suspend")
	u.press(t, "Suspend sarah")
	u.sees(t, "End the suspension")
	hers.wantCall(t, http.MethodGet, secret.Reveal(), http.StatusUnauthorized)
	p.goTo(t, developer)
	p.wait(t, `location.pathname === "/sign-in"`)
	s := p.byMouse()
	s.write(t, "Username or e-mail address", "sarah")
	s.write(t, "Password", goodPassword)
	s.press(t, "Sign in")
	s.wait(t, `document.querySelector(".problem")`)
	u.press(t, "End the suspension")
	u.wait(t, control("Suspend"))
	hers.wantCall(t, http.MethodGet, secret.Reveal(), http.StatusOK)
}

func TestNothingOfAnotherIsReachedByAddress(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	k, _ := h.newKey(t, h.sarah, "Sarah's backend", "read")
	s := h.newStepsy(t, h.sarah, "Sarah's bread", "Mix", "<p>Flour</p>")
	p := h.openChromium(t, h.other).openTab(t, "things of another")
	p.expect = []int{http.StatusNotFound}
	for _, path := range []string{keyAt(k.ID, ""), keyAt(k.ID, "/revoke"), stepsyAt(s, ""), stepsyAt(s, "preview"), publicAt(s), usersAt, "/dashboard/activity?user=sarah"} {
		p.goTo(t, path)
		if text := js[string](t, p, "document.body.innerText"); strings.Contains(text, "backend") || strings.Contains(text, "bread") || !strings.Contains(text, "There is nothing here") && !strings.Contains(path, "activity") {
			t.Errorf("%s shows:\n%s", path, text)
		}
	}
}
