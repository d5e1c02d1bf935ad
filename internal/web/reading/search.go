package reading

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// perSearchPage is how many stepsies a search shows at once; each may have its steps
// looked through.
const perSearchPage = 10

// How often one address may have words looked for. Nobody types that fast, not even a few
// who share an address; a program that asks for more has the API, and its limits.
const (
	searchesPerAddress = 120
	searchWindow       = time.Minute
)

func newSearchLimit(now func() time.Time) *ratelimit.AddressLimiter {
	return ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "search", Limit: searchesPerAddress, Window: searchWindow, Now: now})
}

// searchView is the page of a search.
type searchView struct {
	Query      string
	Problem    string // with the query
	Items      []foundStepsy
	Next       string
	Later      bool
	Categories []string // to look around in, where nothing is found
}

func (v searchView) path() string { return page.SearchPath + "?q=" + url.QueryEscape(v.Query) }

// Search finds stepsies by their words.
func (p *Pages) Search(q *page.Request) error {
	v := searchView{Query: strings.TrimSpace(q.FormValue("q")), Later: q.FormValue("cursor") != ""}
	status := http.StatusOK
	words := stepsies.SearchWords(strings.ToValidUTF8(v.Query[:min(len(v.Query), page.MaxQuery)], ""))
	switch {
	case len(v.Query) > page.MaxQuery:
		v.Problem = "That is too long to search for. A few words are enough."
	case stepsies.CheckText(v.Query, false) != nil:
		v.Problem = "That holds characters that no text has. Type the words again."
	case v.Query != "" && len(words) == 0:
		v.Problem = "There is no word in that. Search for letters or digits."
	}
	if v.Problem != "" {
		status, v.Query = http.StatusUnprocessableEntity, page.CleanQuery(v.Query)
	} else if verdict := p.admitSearch(q, v.Query); !verdict.Allowed {
		q.RetryAfter(verdict.RetryAfter)
		status, v.Problem = http.StatusTooManyRequests, "Too many searches came from your network. Wait "+page.Plural(int(verdict.RetryAfter), "second")+" and search again."
	} else if v.Query != "" {
		found, err := p.Store.SearchPublic(q.Context(), v.Query, store.Page{Limit: perSearchPage, Cursor: q.FormValue("cursor")})
		if err != nil {
			return page.OfThisList(err)
		}
		for _, s := range found.Items {
			v.Items = append(v.Items, newFound(s, words))
		}
		v.Next = found.Next
	}
	if len(v.Items) == 0 {
		var err error
		if v.Categories, err = p.Store.PublicCategories(q.Context()); err != nil {
			return err
		}
	}
	title := "Search"
	if v.Query != "" {
		title = "Search: " + v.Query
	}
	about := q.Page(title, "")
	about.Head = publicHead("", "", true) // results are no pages of their own
	if status != http.StatusOK {
		return q.Render(status, searchPageOf(about, v))
	}
	return q.RenderPublic(searchPageOf(about, v))
}

// admitSearch counts a search against the address that it comes from. An empty page is
// none.
func (p *Pages) admitSearch(q *page.Request, query string) ratelimit.Verdict {
	if query == "" {
		return ratelimit.Verdict{Allowed: true}
	}
	return p.searches.Take(q.Context(), q.IP)
}
