package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/testenv"
)

// try signs in once from an address, in a browser that nobody has used.
func (h *keyHouse) try(t *testing.T, address, login, password string) int {
	t.Helper()
	b := h.browser()
	b.address = address
	return b.signIn(t, login, password).status
}

// fail has wrong passwords tried from an address.
func (h *keyHouse) fail(t *testing.T, times int, address, login string) {
	t.Helper()
	for i := range times {
		if got := h.try(t, address, login, "wrong password"); got != http.StatusUnauthorized {
			t.Fatalf("wrong try %d of %s from %s answers %d", i+1, login, address, got)
		}
	}
}

func (h *keyHouse) wantTry(t *testing.T, address, login string, want int) {
	t.Helper()
	if got := h.try(t, address, login, goodPassword); got != want {
		t.Errorf("the right password of %s from %s answers %d, want %d", login, address, got, want)
	}
}

func TestWrongTriesOfOneNetworkShutNobodyElseOut(t *testing.T) {
	t.Parallel()
	h, _ := withMail(t, nil)
	h.withPassword(t, "sarah", "member")
	h.withPassword(t, "other", "member")
	for range 10 {
		b := h.browser()
		b.address = "[2001:db8:1:2::1]"
		answer := b.signIn(t, "Sarah", "wrong password")
		wantStatus(t, answer, http.StatusUnauthorized)
		wantText(t, answer, "The username or the password is not right.", "After ten wrong tries", "Set a new password")
	}
	b := h.browser()
	b.address = "[2001:db8:1:2::ffff]" // one subscriber has a /64
	answer := b.signIn(t, "sarah", goodPassword)
	wantStatus(t, answer, http.StatusTooManyRequests)
	wantText(t, answer, "Too many wrong tries.", "Wait 15 minutes", "Set a new password by e-mail: it works at once", "signed in before has tries of its own")
	if b.session() != nil || answer.header.Get("Retry-After") == "" {
		t.Error("someone is in after too many tries, or is not told when to come back")
	}
	// The user's other name counts with it, and tells no more than a wrong password.
	h.wantTry(t, "[2001:db8:1:2::1]", "sarah@example.com", http.StatusUnauthorized)
	h.wantTry(t, "[2001:db8:1:2::1]", "other", http.StatusSeeOther)
	h.wantTry(t, "[2001:db8:1:3::1]", "sarah@example.com", http.StatusSeeOther)
	h.wantTry(t, "203.0.113.1", "sarah", http.StatusSeeOther)
	h.forward(15 * time.Minute)
	h.wantTry(t, "[2001:db8:1:2::1]", "sarah", http.StatusSeeOther)
}

func TestGuessingFromManyNetworksIsBoundedAndKnownBrowsersGoOn(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	known := h.signedIn(t, "sarah")
	wantRedirect(t, known.post(t, "/sign-out"), "/sign-in")
	for i := range 10 {
		h.fail(t, 10, "198.51.100."+itoa(int64(i)), []string{"sarah", "sarah@example.com"}[i%2])
	}
	h.wantTry(t, "203.0.113.1", "sarah", http.StatusUnauthorized) // a hundred in all, of which each name has fifty
	h.wantTry(t, "203.0.113.1", "sarah@example.com", http.StatusUnauthorized)

	// A browser that has signed in before has its own ten, wherever it is.
	known.address = "198.51.100.1"
	for range 10 {
		wantStatus(t, known.signIn(t, "sarah", "wrong password"), http.StatusUnauthorized)
	}
	answer := known.signIn(t, "sarah", goodPassword)
	wantStatus(t, answer, http.StatusTooManyRequests)
	wantText(t, answer, "Ask an admin here for a link")
	h.forward(15 * time.Minute)
	wantRedirect(t, known.signIn(t, "sarah", goodPassword), "/dashboard")
}

func TestKnownBrowserIsItsUsersAloneAndEndsWithThePassword(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	h.withPassword(t, "other", "member")
	known := h.signedIn(t, "sarah")
	wantRedirect(t, known.signIn(t, "other", goodPassword), "/dashboard") // one browser of two people
	cookie := known.cookies["stepsies_browser"]
	if cookie == nil || strings.Count(cookie.Value, "~") != 1 {
		t.Fatalf("the browser keeps %v", cookie)
	}
	h.fail(t, 10, "203.0.113.1", "sarah")
	h.fail(t, 10, "203.0.113.1", "other")
	with := func(value string) *browser {
		b := h.browser()
		b.address = "203.0.113.1"
		c := *cookie
		c.Value = value
		b.cookies["stepsies_browser"] = &c
		return b
	}
	entries := strings.Split(cookie.Value, "~")
	for name, value := range map[string]string{"both": cookie.Value, "the one": entries[1]} {
		if answer := with(value).signIn(t, "sarah", goodPassword); answer.status != http.StatusSeeOther {
			t.Errorf("with %s it answers %d", name, answer.status)
		}
	}
	id, mac, _ := strings.Cut(entries[1], ".")
	for name, value := range map[string]string{
		"another's": entries[0], "a forged one": strings.Repeat("A", 22) + "." + mac, "a cut one": id, "nonsense": "~~..~", "a long one": strings.Repeat(entries[0]+"~", 50) + entries[1],
	} {
		if answer := with(value).signIn(t, "sarah", goodPassword); answer.status != http.StatusTooManyRequests {
			t.Errorf("with %s it answers %d", name, answer.status)
		}
	}
	// It opens nothing by itself, and ends with the password.
	if with(cookie.Value).isIn(t) {
		t.Error("the cookie is a session")
	}
	wantRedirect(t, known.post(t, profile+"/password", "old_password", goodPassword, "new_password", otherPassword), profile)
	h.fail(t, 10, "203.0.113.1", "other")
	wantStatus(t, with(entries[0]).signIn(t, "other", otherPassword), http.StatusTooManyRequests)
}

func TestNewPasswordWorksAtOnceWhateverWasTriedBefore(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "sarah", "member")
	h.fail(t, 10, "203.0.113.1", "sarah")
	for i := range 20 {
		h.fail(t, 1, "203.0.113.1", "nobody"+itoa(int64(i)))
	}
	h.wantTry(t, "203.0.113.1", "sarah", http.StatusTooManyRequests)
	b := h.browser()
	b.address = "203.0.113.1"
	b.post(t, "/forgot-password", "login", "sarah")
	wantRedirect(t, b.post(t, pathOf(t, mails.Next(t).Text, "/reset-password/"), "password", otherPassword), "/sign-in")
	wantRedirect(t, b.signIn(t, "sarah", otherPassword), "/dashboard")
}

func TestSuccessCountsNowhere(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	h.withPassword(t, "mallory", "member")
	for range 40 { // more than any bound, right each time
		h.wantTry(t, "203.0.113.1", "mallory", http.StatusSeeOther)
	}
	h.fail(t, 9, "203.0.113.1", "sarah")
	h.wantTry(t, "203.0.113.1", "sarah", http.StatusSeeOther)
	h.fail(t, 1, "203.0.113.1", "sarah") // the nine still count
	h.wantTry(t, "203.0.113.1", "sarah", http.StatusTooManyRequests)
}

func TestManyTriesAtOnceAreNoMoreThanOneByOne(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	var all sync.WaitGroup
	answers := make([]int, 24)
	for i := range answers {
		all.Go(func() { answers[i] = h.try(t, "203.0.113.1", "sarah", "wrong password") })
	}
	all.Wait()
	looked := 0
	for _, status := range answers {
		if status == http.StatusUnauthorized {
			looked++
		}
	}
	if looked != 10 {
		t.Errorf("%d passwords were looked at", looked)
	}
}

func TestUnknownNamesAreRefusedLikeKnownOnes(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	h.newUser(t, "empty", "member") // has no password
	var pages []string
	for i, login := range []string{"sarah", "empty", "nobody", "nobody@example.com", "sarah@example.com"} {
		b := h.browser()
		b.address = "198.51.100." + itoa(int64(i))
		for n := range 12 {
			answer := b.signIn(t, login, "wrong password")
			if want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusTooManyRequests}[n < 10]; answer.status != want {
				t.Errorf("try %d of %q answers %d, want %d", n+1, login, answer.status, want)
			}
			if n == 11 {
				pages = append(pages, strings.ReplaceAll(answer.body, "value=\""+htmlOf(login)+"\"", ""))
			}
		}
	}
	for _, page := range pages {
		if page != pages[0] {
			t.Errorf("the answers differ:\n%s\n%s", pages[0], page)
		}
	}
}

func TestResetsCountApartAndShutNobodyOut(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "sarah", "member")
	ask := func(address, login string) shown {
		b := h.browser()
		b.address = address
		return b.post(t, "/forgot-password", "login", login)
	}
	last := ""
	for range 10 {
		wantStatus(t, ask("198.51.100.1", "sarah"), http.StatusOK)
		last = pathOf(t, mails.Next(t).Text, "/reset-password/")
	}
	wantStatus(t, ask("198.51.100.1", "sarah"), http.StatusTooManyRequests)
	// Elsewhere nothing is refused; of ten e-mails within the window the last one works.
	wantStatus(t, ask("203.0.113.1", "sarah"), http.StatusOK)
	h.wantTry(t, "198.51.100.1", "sarah", http.StatusSeeOther)
	h.wantTry(t, "203.0.113.1", "sarah", http.StatusSeeOther)
	wantStatus(t, h.browser().get(t, last), http.StatusOK)
	h.forward(15 * time.Minute)
	wantStatus(t, ask("203.0.113.1", "sarah"), http.StatusOK)
	mails.Next(t)
	if mails.Waiting() != 0 {
		t.Errorf("%d e-mails more were sent", mails.Waiting())
	}
	h.fail(t, 10, "198.51.100.1", "sarah")
	wantStatus(t, ask("198.51.100.1", "sarah"), http.StatusOK) // nor do wrong passwords count here
}

func TestOperatorUnlocksAUserOnEveryNode(t *testing.T) {
	t.Parallel()
	url, redis := testenv.Postgres(t), testenv.StartRedis(t).URL()
	node := func() *keyHouse {
		return openHouse(t, func(c *server.Config) { c.DataDir, c.DatabaseURL, c.RedisURL, c.RateLimits = "", url, redis, true })
	}
	a, b := node(), node()
	a.withPassword(t, "sarah", "member")
	a.fail(t, 5, "203.0.113.1", "sarah")
	b.fail(t, 5, "203.0.113.1", "sarah") // nodes count together
	a.wantTry(t, "203.0.113.1", "sarah", http.StatusTooManyRequests)
	b.wantTry(t, "203.0.113.1", "sarah", http.StatusTooManyRequests)
	if err := b.Store().UnlockSignIn(t.Context(), operator, "sarah"); err != nil {
		t.Fatal(err)
	}
	a.wantTry(t, "203.0.113.1", "sarah", http.StatusSeeOther)
	b.wantTry(t, "203.0.113.1", "sarah@example.com", http.StatusSeeOther)
}

func TestOperatorUnlocksAUserBesideARunningServer(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	h.fail(t, 10, "203.0.113.1", "sarah")
	h.wantTry(t, "203.0.113.1", "sarah", http.StatusTooManyRequests)
	for name, want := range map[string]int{"sarah": http.StatusNoContent, "nobody": http.StatusNotFound} {
		w := httptest.NewRecorder()
		h.OperatorHandler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/operator/users/"+name+"/unlock", nil))
		if w.Code != want {
			t.Errorf("unlocking %s answers %d", name, w.Code)
		}
	}
	b := h.browser()
	b.address = "203.0.113.1"
	wantRedirect(t, b.signIn(t, "sarah", goodPassword), "/dashboard")
	wantText(t, b.get(t, "/dashboard/activity"), "The operator ended your wait after wrong passwords")
}
