package web_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/argon2id"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/testenv"
)

// raced is how many sign-ins have to be under way while something ends the sessions.
const raced = 1_000

// TestSignInThatWasUnderWayDoesNotOutliveAnEnd lets sign-ins with the right password
// run against everything that ends a user's sessions. Once that has returned and the
// last sign-in has its answer, nobody is signed in.
func TestSignInThatWasUnderWayDoesNotOutliveAnEnd(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		raceSignIns(t, []*keyHouse{openHouse(t, nil)})
	})
	t.Run("two nodes on postgres", func(t *testing.T) {
		t.Parallel()
		h, database := &keyHouse{}, testenv.Postgres(t)
		nodes := make([]*keyHouse, 2)
		for i := range nodes {
			s, err := server.Open(t.Context(), server.Config{
				DatabaseURL: database, PublicURL: "http://stepsies.test", Migrate: true, Log: slog.New(slog.DiscardHandler), Now: h.now,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			nodes[i] = &keyHouse{Server: s}
		}
		raceSignIns(t, nodes)
	})
}

func raceSignIns(t *testing.T, nodes []*keyHouse) {
	const browsers = 8
	h := nodes[0]
	h.withPassword(t, "boss", "admin")
	boss := h.signedIn(t, "boss")
	ends := []func(t *testing.T, name string){
		func(t *testing.T, name string) { // a reset
			path := pathOf(t, boss.post(t, usersAt+"/@"+name+"/password-link").body, "/reset-password/")
			b := h.browser()
			b.address = "198.51.100." + strings.TrimPrefix(name, "racer-")
			wantRedirect(t, b.post(t, path, "password", otherPassword), "/sign-in")
		},
		func(t *testing.T, name string) { // a suspension that is over at once
			wantRedirect(t, boss.post(t, usersAt+"/@"+name+"/suspend"), usersAt+"/@"+name)
		},
		func(t *testing.T, name string) { // stepsies user set --password-stdin
			w := httptest.NewRecorder()
			h.OperatorHandler().ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/operator/users/"+name+"/password", strings.NewReader(`{"password": "`+otherPassword+`"}`)))
			wantStatus(t, shown{status: w.Code, body: w.Body.String()}, http.StatusNoContent)
		},
	}
	var tries, got, clients atomic.Int64
	for round := 0; tries.Load() < raced; round++ {
		name := fmt.Sprint("racer-", round)
		u := h.newUser(t, name, string(stepsies.RoleMember))
		if err := h.Store().SetPassword(t.Context(), operator, name, cheapHash(t, goodPassword), 0); err != nil {
			t.Fatal(err)
		}
		var all, under sync.WaitGroup
		under.Add(browsers)
		signedIn := make([]*browser, browsers)
		for i := range signedIn {
			all.Go(func() {
				b := nodes[i%len(nodes)].browser()
				signedIn[i] = b
				for try := 0; ; try++ {
					n := clients.Add(1)
					b.address = fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) // the limit of an address is not the subject
					tries.Add(1)
					answer := b.signIn(t, name, goodPassword)
					if try == 0 {
						under.Done()
					}
					if answer.status != http.StatusSeeOther {
						return // the end has come
					}
					got.Add(1)
				}
			})
		}
		under.Wait()
		ends[round%len(ends)](t, name)
		all.Wait()
		if round%len(ends) == 1 {
			wantRedirect(t, boss.post(t, usersAt+"/@"+name+"/unsuspend"), usersAt+"/@"+name)
		}
		for i, b := range signedIn {
			if b.isIn(t) {
				t.Errorf("round %d: browser %d is signed in after the end", round, i)
			}
		}
		if list, err := h.Store().ListSessions(t.Context(), u.ID); err != nil || len(list) != 0 {
			t.Errorf("round %d: %d sessions are left (%v)", round, len(list), err)
		}
	}
	t.Logf("%d sign-ins, %d of them got in before the end", tries.Load(), got.Load())
}

// cheapHash is a hash of a password that is soon compared, so that many can be.
func cheapHash(t *testing.T, password string) string {
	t.Helper()
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}
