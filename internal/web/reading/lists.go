package reading

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// perPublicPage is how many stepsies a public list shows at once.
const perPublicPage = 24

// listingView is a page that lists stepsies.
type listingView struct {
	Title    string
	Sentence string
	Path     string // without a cursor
	Items    []stepsies.Stepsy
	Next     string // cursor, "" for the last part
	Later    bool   // not the first part of the list
	Category string // that is shown, "" for all
	Others   []string
	Empty    string // what to say where there is nothing
}

func withCursor(path, cursor string) string {
	if cursor == "" {
		return path
	}
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	return path + mark + "cursor=" + url.QueryEscape(cursor)
}

// ordered is the page of a list in an order.
func (p *Pages) ordered(order store.PublicOrder, v listingView) func(*page.Request) error {
	return func(q *page.Request) error {
		found, err := p.Store.PublicStepsies(q.Context(), order, part(q))
		return p.list(q, v, found, err)
	}
}

// Newest lists what was published last.
func (p *Pages) Newest(q *page.Request) error {
	return p.ordered(store.Newest, listingView{
		Title: "Newest", Path: page.NewestPath, Sentence: "What was published last, by everyone.", Empty: "Nothing is published yet",
	})(q)
}

// BestRated lists what readers thought best.
func (p *Pages) BestRated(q *page.Request) error {
	return p.ordered(store.BestRated, listingView{
		Title: "Best rated", Path: page.BestRatedPath, Sentence: "By what readers thought who followed them. Many good ratings count for more than a single perfect one.", Empty: "Nobody has rated a stepsy yet",
	})(q)
}

// Lately lists what readers followed to the end.
func (p *Pages) Lately(q *page.Request) error {
	return p.ordered(store.CompletedLately, listingView{
		Title: "Completed lately", Path: page.LatelyPath, Sentence: "What readers followed to the end, above all in the last week.", Empty: "Nobody has completed a stepsy yet",
	})(q)
}

// Category lists what is about one thing.
func (p *Pages) Category(q *page.Request) error {
	category := q.PathValue("category")
	if stepsies.CheckCategory(category) != nil {
		return page.ErrNoPage
	}
	found, err := p.Store.CategoryStepsies(q.Context(), category, part(q))
	return p.list(q, listingView{
		Title: page.CategoryName(category), Path: page.CategoryPath(category), Category: category,
		Sentence: "Stepsies about " + categoryTopic(category) + ", newest first.", Empty: "Nothing is published about " + categoryTopic(category) + " yet",
	}, found, err)
}

// part is the part of a list that the address asks for.
func part(q *page.Request) store.Page {
	return store.Page{Limit: perPublicPage, Cursor: q.FormValue("cursor")}
}

// list answers with a list, or with what is wrong with the address.
func (p *Pages) list(q *page.Request, v listingView, found store.Paged[stepsies.Stepsy], err error) error {
	if err != nil {
		return page.OfThisList(err)
	}
	v.Items, v.Next, v.Later = found.Items, found.Next, q.FormValue("cursor") != ""
	if v.Category != "" || len(v.Items) == 0 {
		if v.Others, err = p.Store.PublicCategories(q.Context()); err != nil {
			return err
		}
	}
	about := q.Page(v.Title, "")
	about.Description = v.Sentence
	about.Canonical, about.Head = p.PublicURL+v.Path, publicHead("", "", v.Later)
	return q.RenderPublic(listingPage(about, v))
}

// categoryTopic is what a category is about, within a sentence.
func categoryTopic(category string) string {
	if category == stepsies.DefaultCategory {
		return "other things"
	}
	return category
}

// authorView is an author's page.
type authorView struct {
	Author stepsies.User
	Own    bool // whoever looks is the author
	Items  []stepsies.Stepsy
	Next   string
	Later  bool
}

// Author shows who an author is and what they have published, with what they
// feature on top.
func (p *Pages) Author(q *page.Request) error {
	author, err := p.publicAuthor(q)
	if err != nil {
		return err
	}
	if path := page.AuthorPath(author.Username); path != q.URL.EscapedPath() {
		http.Redirect(q.W, q.Request, path, http.StatusMovedPermanently) // names are the same whatever their case
		return nil
	}
	found, err := p.Store.AuthorStepsies(q.Context(), author.ID, part(q))
	if err != nil {
		return page.OfThisList(err)
	}
	v := authorView{Author: author, Own: author.ID == q.Session.User.ID, Items: found.Items, Next: found.Next, Later: q.FormValue("cursor") != ""}
	about := q.Page(author.DisplayName, "")
	about.Description = page.Excerpt(author.Bio, 300)
	if about.Description == "" {
		about.Description = "Stepsies by " + author.DisplayName + "."
	}
	about.Canonical = p.PublicURL + page.AuthorPath(author.Username)
	about.Head = publicHead(page.AuthorPath(author.Username)+page.FeedPath, "Stepsies by "+author.DisplayName, v.Later)
	return q.RenderPublic(authorPageOf(about, v))
}

// publicAuthor is the author that the address names. One who is suspended does not
// exist for readers.
func (p *Pages) publicAuthor(q *page.Request) (stepsies.User, error) {
	author, err := p.Store.User(q.Context(), q.PathValue("author"))
	if err == nil && author.Suspended() {
		err = page.ErrNoPage
	}
	return author, err
}
