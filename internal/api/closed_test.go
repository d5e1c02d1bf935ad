package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
)

// TestRouteWithoutAScopeIsClosed adds an operation whose author forgot the scope:
// not even a key that reaches everything gets in.
func TestRouteWithoutAScopeIsClosed(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(t.TempDir(), "stepsies.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	operator := store.Write{Actor: auth.Operator().Actor}
	role, scopes, secret := string(stepsies.RoleAdmin), []string{"read", "write", "admin"}, stepsies.NewSecret()
	if _, err := s.CreateUser(ctx, operator, stepsies.UserChange{Username: new("boss"), Email: new("boss@example.com"), Role: &role}, stepsies.AccountChange{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateAPIKey(ctx, operator, "boss", stepsies.KeyChange{Name: new("All"), Scopes: &scopes}, secret); err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{Store: s, Keys: auth.NewKeys(s, auth.NewUsage(s), time.Now), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	reached := false
	a.add(serve(func(*API, context.Context, *struct{}) (*struct{}, error) {
		reached = true
		return nil, nil
	}, operation{id: "forgotten", route: "GET /forgotten", tag: tagProfile}))

	for _, c := range []struct {
		authorization string
		status        int
	}{
		{"", http.StatusUnauthorized},
		{"Bearer " + secret.Reveal(), http.StatusForbidden},
	} {
		r := httptest.NewRequest("GET", "/v1/forgotten", nil)
		r.Header.Set("Authorization", c.authorization)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != c.status || reached {
			t.Errorf("status %d, want %d; the operation ran: %v", w.Code, c.status, reached)
		}
	}
}
