package keys

import (
	"fmt"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// scopeWords says what each scope may do, and who needs it.
var scopeWords = []struct {
	Scope stepsies.Scope
	May   string
	For   string
}{
	{stepsies.ScopeRead, "Read-only access to your stepsies and profile.", "For analytics dashboards and public displays."},
	{stepsies.ScopeWrite, "Create, update and delete stepsies. Does not include read.", "For content management and automation."},
	{stepsies.ScopeAdmin, "Full access including user management, and everything that read and write may do, for everyone’s stepsies and keys.", "For administrative tools and migrations."},
}

// endOf says when a key ends: "at the end of 31 Jan (UTC)", "on 31 Jan, 14:02 UTC".
func endOf(now, t time.Time) string {
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return "at the end of " + page.DayOf(now, t.Add(-time.Second)) + " (UTC)"
	}
	return "on " + page.DayOf(now, t) + ", " + t.UTC().Format("15:04") + " UTC"
}

// clockOf is a time of day, with its day where it is not the other time's.
func clockOf(now, near, t time.Time) string {
	if near.Truncate(24 * time.Hour).Equal(t.Truncate(24 * time.Hour)) {
		return t.UTC().Format("15:04")
	}
	return page.DayOf(now, t) + ", " + t.UTC().Format("15:04")
}

// times counts how often something happened: "once", "14 times".
func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return page.Number(n) + " times"
}

// requests counts them: "1 request", "1,204 requests".
func requests(n int64) string { return page.Plural(int(n), "request") }

// WholeDays is a duration in days, of which there are many.
func WholeDays(d time.Duration) string { return page.Plural(int(d/(24*time.Hour)), "day") }

// ExpiresIn is a chip: "expires in 5 days".
func ExpiresIn(now time.Time, k stepsies.APIKey) string {
	return "expires " + page.In(now, k.ExpiresAt)
}

// StillCalled reports whether someone has tried a dead key lately.
func StillCalled(now time.Time, k stepsies.APIKey) bool {
	return !k.LastRefusedAt.IsZero() && now.Sub(k.LastRefusedAt) < 7*24*time.Hour
}

// endedAt is when a dead key stopped working.
func endedAt(k stepsies.APIKey) time.Time {
	if !k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || k.RevokedAt.Before(k.ExpiresAt)) {
		return k.RevokedAt
	}
	return k.ExpiresAt
}

// endedWords sums up the keys that are folded away: "2 revoked keys, 1 expired key".
func endedWords(n store.EndedKeys) string {
	var words []string
	if n.Revoked > 0 {
		words = append(words, page.Plural(int(n.Revoked), "revoked key"))
	}
	if n.Expired > 0 {
		words = append(words, page.Plural(int(n.Expired), "expired key"))
	}
	return strings.Join(words, ", ")
}

// sparkWords says in words what the small chart shows.
func sparkWords(d dayCounts) string {
	return fmt.Sprintf("%s in the last %d days", requests(d.Requests()), page.ChartDays)
}

// curlLine is a command that works with the key as it stands. A key that cannot
// read gets one that makes a draft.
func curlLine(publicURL, key string, s stepsies.Scopes) string {
	line := "curl " + publicURL + `/v1/stepsies -H "Authorization: Bearer ` + key + `"`
	if !s.Allow(stepsies.ScopeRead) {
		line += ` -H "Content-Type: application/json" -d '{"title":"My first stepsy"}'`
	}
	return line
}
