package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
)

const day = 24 * time.Hour

// furnished is a house in which every page has something to show. What people typed
// goes through say, with the name of the field, so that a test can have them type
// something else.
type furnished struct {
	*keyHouse
	say       func(field, words string) string
	newcomer  stepsies.User // owns nothing
	suspended stepsies.User
	keys      map[string]stepsies.APIKey // of sarah
	draft     stepsies.Stepsy            // of sarah
	published stepsies.Stepsy
	leftward  stepsies.Stepsy           // published, written from right to left
	linked    stepsies.Stepsy           // a draft of sarah with a preview link
	preview   string                    // its token
	links     map[store.LinkKind]string // tokens
	signUp    string                    // the token by which somebody goes on to sign up
	welcome   *furnished                // a house without users and e-mail, with the first admin's link
}

// furnish builds a house; say may be nil.
func furnish(t *testing.T, say func(field, words string) string) *furnished {
	t.Helper()
	if say == nil {
		say = func(_, words string) string { return words }
	}
	mailer, err := mail.New("smtp://127.0.0.1:1", "Stepsies <stepsies@example.com>") // nothing is sent there
	if err != nil {
		t.Fatal(err)
	}
	f := &furnished{say: say, keys: map[string]stepsies.APIKey{}, links: map[store.LinkKind]string{}}
	f.keyHouse = openHouse(t, func(c *server.Config) { c.RateLimits, c.SignUp, c.Mail = true, "open", mailer })
	f.forward(-400 * day)
	f.furnishUsers(t)
	f.furnishKeys(t)
	f.furnishStepsies(t)
	f.furnishLinks(t)
	f.forward(-time.Duration(f.offset.Load()))
	empty := openHouse(t, func(c *server.Config) { c.SignUp = "open" })
	f.welcome = &furnished{keyHouse: empty, say: say, links: map[store.LinkKind]string{
		store.LinkFirstAdmin: strings.TrimPrefix(empty.welcomePath(t), "/welcome/"),
	}}
	return f
}

// back sets the clock to a time ago.
func (f *furnished) back(ago time.Duration) { f.offset.Store(int64(-ago)) }

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (f *furnished) furnishUsers(t *testing.T) {
	t.Helper()
	name := func(username, display, bio, role string, plan stepsies.Plan) stepsies.User {
		t.Helper()
		email, text := username+"@example.com", string(plan)
		display, bio = f.say("display name", display), f.say("bio", bio)
		u := must[store.Outcome[stepsies.User]](t)(f.Store().CreateUser(t.Context(), operator, stepsies.UserChange{
			Username: &username, Email: &email, DisplayName: &display, Bio: &bio, Role: &role,
		}, stepsies.AccountChange{Plan: &text})).Value
		return u
	}
	f.admin = name("marcusreed", "Marcus Reed", "Keeps this place running.", "admin", stepsies.PlanTeam)
	f.sarah = name("sarahchen", "Sarah Chen", "I write about e-mail that people want to read.\nBerlin.", "member", stepsies.PlanPro)
	f.other = name("acme_platform", "Acme Platform Team with Quite a Long Name", "", "member", stepsies.PlanEnterprise)
	limits := stepsies.Limits{Minute: 1200}
	must[store.Outcome[stepsies.User]](t)(f.Store().UpdateUserAndAccount(t.Context(), operator, "acme_platform", stepsies.UserChange{}, stepsies.AccountChange{Limits: &limits}))
	f.back(20 * day)
	f.suspended = name("tomvega", "Tom Vega", "", "member", stepsies.PlanFree)
	yes := true
	f.back(2 * day)
	must[store.Outcome[stepsies.User]](t)(f.Store().UpdateUser(t.Context(), operator, "tomvega", stepsies.UserChange{Suspended: &yes}))
	f.newcomer = name("lina", "Lina Okafor", "", "member", stepsies.PlanFree)
}

// inSession is a write of a user who has just signed in.
func (f *furnished) inSession(t *testing.T, u stepsies.User, ip string) store.Write {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/sign-in", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0")
	s, err := auth.NewSessions(f.Store(), f.now, false).Start(t.Context(), httptest.NewRecorder(), r, u, f.passwordHash(t, u), ip)
	if err != nil {
		t.Fatal(err)
	}
	return s.Write(ip, "")
}

// furnishKeys makes keys of every kind, with how they were used.
func (f *furnished) furnishKeys(t *testing.T) {
	t.Helper()
	sarahs := f.inSession(t, f.sarah, "203.0.113.9")
	now := time.Now()
	make := func(id, name, description string, old, life time.Duration, scopes ...string) stepsies.Secret {
		t.Helper()
		f.back(old)
		name, description = f.say("key name", name), f.say("key description", description)
		want := stepsies.KeyChange{Name: &name, Description: &description, Scopes: &scopes}
		if life > 0 {
			end := f.now().Add(life)
			want.ExpiresAt = &end
		}
		secret := stepsies.NewSecret()
		f.keys[id] = must[store.Outcome[stepsies.APIKey]](t)(f.Store().CreateAPIKey(t.Context(), sarahs, "sarahchen", want, secret)).Value
		return secret
	}
	use := func(id string, ago time.Duration, from string, perDay ...int64) {
		t.Helper()
		last := now.Add(-ago)
		uses := []store.KeyUse{{KeyID: f.keys[id].ID, Day: store.Day(last), LastUsed: last, LastUsedIP: from}}
		for i, n := range perDay {
			uses = append(uses, store.KeyUse{KeyID: f.keys[id].ID, Day: store.Day(last) - int64(len(perDay)-i), Requests: n})
		}
		if err := f.Store().RecordKeyUse(t.Context(), uses); err != nil {
			t.Fatal(err)
		}
	}
	make("idle", "Public dashboard", "Screen in the lobby", 260*day, 0, "read")
	use("idle", 94*day, "198.51.100.24")
	make("revoked", "CI Pipeline", "Published the handbook on every merge", 190*day, 0, "read", "write")
	use("revoked", 5*day, "192.0.2.41", 22, 31, 27, 9, 4, 30, 35, 28, 33, 24, 6, 3, 29, 38, 36, 31, 27, 8)
	f.back(5 * day)
	must[store.Outcome[stepsies.APIKey]](t)(f.Store().RevokeAPIKey(t.Context(), sarahs, f.keys["revoked"].ID))
	leaked := make("leaked", "Old script", "", 60*day, 0, "read")
	f.back(3 * day)
	source := f.say("leak source", "https://example.com/paste/1")
	if n, err := f.Store().RevokeLeaked(t.Context(), store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: "198.51.100.99"}}, []stepsies.KeyHash{leaked.Hash()}, source); n != 1 || err != nil {
		t.Fatalf("%d keys are revoked (%v)", n, err)
	}
	make("expired", "Migration from the old site", "", 40*day, 30*day, "read", "write")
	refused := []store.KeyUse{
		{KeyID: f.keys["revoked"].ID, Day: store.Day(now), Refusals: 14, LastRefused: now.Add(-20 * time.Minute)},
		{KeyID: f.keys["expired"].ID, Day: store.Day(now) - 8, Refusals: 2, LastRefused: now.Add(-8 * day)},
	}
	if err := f.Store().RecordKeyUse(t.Context(), refused); err != nil {
		t.Fatal(err)
	}
	make("expiring", "Zapier Integration", "Drafts from support tickets", 85*day, 90*day+4*time.Hour, "write")
	use("expiring", 3*time.Minute, "203.0.113.7", 13, 17, 15, 25, 21, 9, 7, 19, 23, 27, 24, 11, 8, 22, 26, 30, 28, 25, 12, 10, 24, 29, 31, 27, 26, 13, 9, 28)
	make("rotated", "Production Backend", "Publishes from the CMS, kept in the secrets manager of the platform team", 30*day, 0, "read", "write")
	use("rotated", 40*time.Second, "2001:db8:85a3::8a2e:370:7334", 812, 907, 1204, 1130, 998, 403, 377)
	f.back(time.Hour)
	f.keys["successor"] = must[store.Outcome[stepsies.APIKey]](t)(f.Store().RotateAPIKey(t.Context(), sarahs, f.keys["rotated"].ID, 7*day, stepsies.NewSecret())).Value
	if err := f.Store().AddAccountDays(t.Context(), []store.AccountDay{{AccountID: f.sarah.Account.ID, Day: store.Day(now), Requests: 46_900}}); err != nil {
		t.Fatal(err)
	}
}

// richStep has every kind of content that the sanitiser lets through.
const richStep = `<h2>What you need</h2><p>A <strong>clear</strong> goal, <em>one</em> reader and <a href="https://example.com/guide">a plan</a>. Put <code>{first_name}</code> where the name goes.</p>` +
	`<ul><li>One welcome</li><li>Two stories<ul><li>and what went wrong</li></ul></li></ul><ol><li>Say what should change</li><li>Count back to the first e-mail</li></ol>` +
	`<blockquote><p>Write to one person.</p></blockquote><pre><code>Subject: Welcome, {first_name}! Here is the one thing to do first, and it takes two minutes</code></pre>` +
	`<table><thead><tr><th scope="col">Day</th><th scope="col">Subject</th></tr></thead><tbody><tr><td>1</td><td>Welcome</td></tr></tbody></table>`

func (f *furnished) furnishStepsies(t *testing.T) {
	t.Helper()
	var counts []store.Counts
	write := func(author, title, description, category string, old time.Duration, publish bool, steps ...string) stepsies.Stepsy {
		t.Helper()
		f.back(old)
		title, description = f.say("stepsy title", title), f.say("stepsy description", description)
		var list []stepsies.StepChange
		for i := 0; i < len(steps); i += 2 {
			list = append(list, stepsies.StepChange{Title: f.say("step title", steps[i]), Content: richtext.Sanitise(f.say("step content", steps[i+1]))})
		}
		return must[store.Outcome[stepsies.Stepsy]](t)(f.Store().CreateStepsy(t.Context(), operator, author, stepsies.StepsyChange{
			Title: &title, Description: &description, Category: &category, Publish: publish, Steps: &list,
		})).Value
	}
	read := func(s stepsies.Stepsy, views, completions, ratings, stars int64) {
		counts = append(counts, store.Counts{StepsyID: s.ID, Views: views, Completions: completions, Ratings: ratings, Stars: stars})
	}
	f.published = write("sarahchen", "Email Welcome Sequence Blueprint", "Create a five-email welcome sequence that converts.", "marketing", 90*day, true,
		"Define your sequence goal", richStep, "Map the five emails", "<p>Give each one job.</p>", "Write the first", "<p>Keep it short.</p>")
	yes := true
	f.published = f.change(t, f.published, stepsies.StepsyChange{Featured: &yes})
	read(f.published, 15204, 4204, 96, 432)
	read(write("sarahchen", "Launch a newsletter in a week, from the first idea to the first hundred readers", "", "business", 30*day, true, "Choose", "<p>A topic.</p>"), 312, 40, 0, 0)
	trashed := write("sarahchen", "An idea that came to nothing", "", "other", 20*day, false, "Start", "<p>…</p>")
	f.draft = write("sarahchen", "Clean up a mailing list", "", "marketing", 2*day, false, "Export the list", "<p>As CSV.</p>", "Remove what bounced", "<p>All of it.</p>", "Ask who wants to stay", "")
	f.linked = write("sarahchen", "Write a subject line", "Ten words that get an e-mail opened.", "marketing", 36*time.Hour, false, "Say one thing", "<p>Cut the rest.</p>")
	read(write("marcusreed", "Set up a new laptop", "", "technology", 10*day, true, "Update", "<p>Everything.</p>"), 80, 12, 4, 15)
	f.leftward = write("marcusreed", "كيف تخبز خبز العجين المخمر في المنزل", "دليل بسيط لمن لم يخبز من قبل.", "lifestyle", 15*day, true,
		"حضّر البادئ", `<p>اخلط 50 غراماً من الدقيق مع الماء.</p><ul><li>دقيق</li></ul><pre><code>make bread</code></pre>`, "اخبز", "<p>على حرارة 250 درجة.</p>")
	f.back(time.Hour)
	if err := f.Store().DeleteStepsy(t.Context(), operator, trashed.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.Store().AddCounts(t.Context(), counts); err != nil {
		t.Fatal(err)
	}
	f.furnishReaders(t)
}

// furnishReaders has readers come to the published stepsy, follow it and rate it.
func (f *furnished) furnishReaders(t *testing.T) {
	t.Helper()
	var readings []store.Reading
	for i := range 90 {
		r := store.Reading{StepsyID: f.published.ID, Day: store.Day(f.now()) - int64(i*i%30), Reader: store.Reader(i), Mark: store.MarkView}
		readings = append(readings, r)
		for at, step := range f.published.Steps {
			if r.Mark = step.ID; i%4 >= at {
				readings = append(readings, r)
			}
		}
		if r.Mark = store.MarkCompletion; i%4 >= len(f.published.Steps)-1 {
			readings = append(readings, r)
		}
	}
	if err := f.Store().RecordReadings(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
	for i, words := range []string{"", "Step two could use an example for a shop. Ours sells tea, not software.", "Had all five drafted in one afternoon."} {
		f.back(time.Duration(9-i) * day)
		must[stepsies.Rating](t)(f.Store().RateStepsy(t.Context(), operator, f.published.ID, store.RatingReader{byte(i)}, stepsies.Rating{Stars: 3 + i, Comment: f.say("rating comment", words)}))
	}
}

// furnishLinks makes a link of each kind, and sessions that sarah left open.
func (f *furnished) furnishLinks(t *testing.T) {
	t.Helper()
	f.back(time.Hour)
	var hash store.TokenHash
	f.preview, hash = auth.NewToken()
	if err := f.Store().MakePreviewLink(t.Context(), operator, f.linked.ID, hash); err != nil {
		t.Fatal(err)
	}
	for _, l := range []store.Link{
		{Kind: store.LinkInvitation, Role: stepsies.RoleAdmin},
		{Kind: store.LinkInvitation, Email: f.say("invited address", "new@example.com"), Role: stepsies.RoleMember},
		{Kind: store.LinkPassword, UserID: f.sarah.ID, Email: f.sarah.Email},
		{Kind: store.LinkEmail, Email: f.say("invited address", "fresh@example.com"), Role: stepsies.RoleMember},
		{Kind: store.LinkEmail, UserID: f.sarah.ID, Email: f.sarah.Email},
	} {
		token, hash := auth.NewToken()
		if err := f.Store().CreateLink(t.Context(), f.inSession(t, f.admin, "203.0.113.1"), l, hash, 7*day); err != nil {
			t.Fatal(err)
		}
		if l.Kind == store.LinkEmail && l.UserID == 0 {
			f.signUp = token
		} else {
			f.links[l.Kind] = token
		}
	}
	for _, agent := range []string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
		"Something unheard of",
	} {
		_, hash := auth.NewToken()
		must[store.Session](t)(f.Store().CreateSession(t.Context(), store.NewSession{
			UserID: f.sarah.ID, PasswordHash: f.passwordHash(t, f.sarah), Token: hash, IP: "203.0.113.2", UserAgent: f.say("user agent", agent), Lifetime: 30 * day,
		}))
	}
}
