package writing

import (
	"net/http"
	"net/url"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// trashView is the trash of one author.
type trashView struct {
	Author    stepsies.User
	Foreign   bool
	Items     []stepsies.Stepsy
	Continued bool
	Next      string // address of what was deleted before, "" where there is no more
}

func (v trashView) list() string { return page.OfUser(page.StepsiesPath, v.Author, v.Foreign) }

// Trash shows what can still be put back.
func (p *Pages) Trash(q *page.Request) error {
	author, err := q.Whose(p.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	cursor := q.FormValue("cursor")
	v := trashView{Author: author, Foreign: author.ID != q.Session.User.ID, Continued: cursor != ""}
	found, err := p.Store.ListTrash(q.Context(), author.ID, store.Page{Limit: stepsiesPerPage, Cursor: cursor})
	if err != nil {
		return page.OfThisList(err)
	}
	v.Items = found.Items
	if found.Next != "" {
		values := url.Values{"cursor": {found.Next}}
		if v.Foreign {
			values.Set("user", author.Username)
		}
		v.Next = page.TrashPath + "?" + values.Encode()
	}
	return q.Render(http.StatusOK, trashPageOf(q.Page("Trash", "Stepsies"), v))
}

// Restore puts a stepsy back where it was, as it was.
func (p *Pages) Restore(q *page.Request) error {
	id, err := q.ID()
	if err != nil {
		return err
	}
	out, err := p.Store.RestoreStepsy(q.Context(), q.Write(), id)
	if err != nil {
		return err
	}
	s := out.Value
	sentence := page.ShortName(s.Title) + " is back"
	if s.Status == stepsies.StatusPublished {
		sentence += ", and published as it was"
	}
	q.Notice(sentence + ". Its address ends in " + s.Slug + ".")
	return q.Redirect(page.StepsyPath(s, ""))
}

// purgedAt is when a deleted stepsy is gone for good.
func purgedAt(s stepsies.Stepsy) time.Time { return s.DeletedAt.Add(stepsies.TrashLifetime) }
