package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// trashView is the trash of one author.
type trashView struct {
	Author    stepsies.User
	Foreign   bool
	Items     []stepsies.Stepsy
	Continued bool
	Next      string // address of what was deleted before, "" where there is no more
}

func (v trashView) list() string { return ofUser(stepsiesPath, v.Author, v.Foreign) }

// trashPage shows what can still be put back.
func (web *Web) trashPage(q *request) error {
	author, err := q.whose(web.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	cursor := q.FormValue("cursor")
	v := trashView{Author: author, Foreign: author.ID != q.session.User.ID, Continued: cursor != ""}
	found, err := web.Store.ListTrash(q.Context(), author.ID, store.Page{Limit: stepsiesPerPage, Cursor: cursor})
	if err != nil {
		return ofThisList(err)
	}
	v.Items = found.Items
	if found.Next != "" {
		values := url.Values{"cursor": {found.Next}}
		if v.Foreign {
			values.Set("user", author.Username)
		}
		v.Next = trashPath + "?" + values.Encode()
	}
	return q.render(http.StatusOK, trashPageOf(q.page("Trash", "Stepsies"), v))
}

// restoreStepsy puts a stepsy back where it was, as it was.
func (web *Web) restoreStepsy(q *request) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	out, err := web.Store.RestoreStepsy(q.Context(), q.write(), id)
	if err != nil {
		return err
	}
	s := out.Value
	sentence := shortName(s.Title) + " is back"
	if s.Status == stepsies.StatusPublished {
		sentence += ", and published as it was"
	}
	q.notice(sentence + ". Its address ends in " + s.Slug + ".")
	return q.redirect(stepsyPath(s, ""))
}

// purgedAt is when a deleted stepsy is gone for good.
func purgedAt(s stepsies.Stepsy) time.Time { return s.DeletedAt.Add(stepsies.TrashLifetime) }
