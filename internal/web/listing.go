package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
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
func (web *Web) ordered(order store.PublicOrder, v listingView) func(*request) error {
	return func(q *request) error {
		found, err := web.Store.PublicStepsies(q.Context(), order, q.part())
		return web.list(q, v, found, err)
	}
}

func (web *Web) newestPage(q *request) error {
	return web.ordered(store.Newest, listingView{
		Title: "Newest", Path: newestPath, Sentence: "What was published last, by everyone.", Empty: "Nothing is published yet",
	})(q)
}

func (web *Web) bestRatedPage(q *request) error {
	return web.ordered(store.BestRated, listingView{
		Title: "Best rated", Path: bestRatedPath, Sentence: "By what readers thought who followed them. Many good ratings count for more than a single perfect one.", Empty: "Nobody has rated a stepsy yet",
	})(q)
}

func (web *Web) latelyPage(q *request) error {
	return web.ordered(store.CompletedLately, listingView{
		Title: "Completed lately", Path: latelyPath, Sentence: "What readers followed to the end, above all in the last week.", Empty: "Nobody has completed a stepsy yet",
	})(q)
}

func (web *Web) categoryPage(q *request) error {
	category := q.PathValue("category")
	if stepsies.CheckCategory(category) != nil {
		return errNoPage
	}
	found, err := web.Store.CategoryStepsies(q.Context(), category, q.part())
	return web.list(q, listingView{
		Title: categoryName(category), Path: categoryPath(category), Category: category,
		Sentence: "Stepsies about " + categoryTopic(category) + ", newest first.", Empty: "Nothing is published about " + categoryTopic(category) + " yet",
	}, found, err)
}

// part is the part of a list that the address asks for.
func (q *request) part() store.Page {
	return store.Page{Limit: perPublicPage, Cursor: q.FormValue("cursor")}
}

// list answers with a list, or with what is wrong with the address.
func (web *Web) list(q *request, v listingView, found store.Paged[stepsies.Stepsy], err error) error {
	if err != nil {
		return ofThisList(err)
	}
	v.Items, v.Next, v.Later = found.Items, found.Next, q.FormValue("cursor") != ""
	if v.Category != "" || len(v.Items) == 0 {
		if v.Others, err = web.Store.PublicCategories(q.Context()); err != nil {
			return err
		}
	}
	about := q.page(v.Title, "")
	about.Description = v.Sentence
	about.Canonical, about.Head = web.PublicURL+v.Path, publicHead("", "", v.Later)
	return q.renderPublic(listingPage(about, v))
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

// authorPage shows who an author is and what they have published, with what they
// feature on top.
func (web *Web) authorPage(q *request) error {
	author, err := q.publicAuthor()
	if err != nil {
		return err
	}
	if path := authorPath(author.Username); path != q.URL.EscapedPath() {
		http.Redirect(q.w, q.Request, path, http.StatusMovedPermanently) // names are the same whatever their case
		return nil
	}
	found, err := web.Store.AuthorStepsies(q.Context(), author.ID, q.part())
	if err != nil {
		return ofThisList(err)
	}
	v := authorView{Author: author, Own: author.ID == q.session.User.ID, Items: found.Items, Next: found.Next, Later: q.FormValue("cursor") != ""}
	about := q.page(author.DisplayName, "")
	about.Description = excerpt(author.Bio, 300)
	if about.Description == "" {
		about.Description = "Stepsies by " + author.DisplayName + "."
	}
	about.Canonical = web.PublicURL + authorPath(author.Username)
	about.Head = publicHead(authorPath(author.Username)+feedPath, "Stepsies by "+author.DisplayName, v.Later)
	return q.renderPublic(authorPageOf(about, v))
}

// publicAuthor is the author that the address names. One who is suspended does not
// exist for readers.
func (q *request) publicAuthor() (stepsies.User, error) {
	author, err := q.web.Store.User(q.Context(), q.PathValue("author"))
	if err == nil && author.Suspended() {
		err = errNoPage
	}
	return author, err
}
