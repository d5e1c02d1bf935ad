package web_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/testenv"
)

// TestIdsInFeedsStayWhenThePublicURLChanges starts an installation anew under other
// addresses, one of them without a public URL, as commands do.
func TestIdsInFeedsStayWhenThePublicURLChanges(t *testing.T) {
	t.Parallel()
	for engine, place := range map[string]server.Config{
		"sqlite": {DataDir: t.TempDir()}, "postgres": {DatabaseURL: testenv.Postgres(t)},
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			h := &keyHouse{}
			start := func(publicURL string) {
				t.Helper()
				c := place
				c.PublicURL, c.Migrate, c.Log, c.Now = publicURL, true, slog.New(slog.DiscardHandler), h.now
				s, err := server.Open(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				h.Server = s
			}
			stop := func() {
				t.Helper()
				if err := h.Close(); err != nil {
					t.Fatal(err)
				}
			}
			start("") // a command comes first
			h.sarah = h.newUser(t, "sarah", "member")
			made := h.everyones(t, h.sarah, "Bread", "Mix", "<p>Flour</p>")
			stop()
			var ids []string
			for _, publicURL := range []string{"https://first.example", "https://second.example:8443", "", "http://third.example"} {
				start(publicURL)
				for _, path := range []string{"/feed.atom", "/@sarah/feed.atom"} {
					f := h.anyFeed(t, path)
					ids = append(ids, f.ID, f.Entries[0].ID)
					if publicURL != "" && (f.Links[0].Href != publicURL+path || f.Entries[0].Link.Href != publicURL+publicAt(made)) {
						t.Errorf("under %s the feed is at %s, its entry at %s", publicURL, f.Links[0].Href, f.Entries[0].Link.Href)
					}
				}
				stop()
			}
			if got := strings.Join(ids[:4], " "); !strings.HasPrefix(got, "https://first.example/feed.atom tag:first.example,") {
				t.Errorf("the ids are %s", got)
			}
			for i, id := range ids {
				if id != ids[i%4] {
					t.Errorf("after another start an id is %s, it was %s", id, ids[i%4])
				}
			}
		})
	}
}
