package client

import (
	"errors"
	"iter"
)

// MaxPageSize is the most items that a page can have. The iterators ask for
// pages of this size unless the query names a smaller one.
const MaxPageSize = 100

// Page is one page of a list.
type Page[T any] struct {
	Data []T      `json:"data"`
	Meta PageMeta `json:"meta"`
}

// PageMeta says where a page stands in its list.
type PageMeta struct {
	Limit      int    `json:"limit"`       // items that the page could have
	HasMore    bool   `json:"has_more"`    // another page follows
	NextCursor string `json:"next_cursor"` // the cursor of that page; "" on the last one
}

// maxEmptyPages bounds how many pages without an item may follow each other.
const maxEmptyPages = 100

var errBadPaging = errors.New("the server's pages lead nowhere: one that says has_more gives no new cursor, or no items")

// pages returns all items from the cursor on. get returns the page of a cursor.
// A failure is yielded once, with the zero item, and ends the sequence; so does
// the end of the loop that ranges over it, with no further page asked for.
func pages[T any](cursor string, get func(cursor string) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		cursor, empty := cursor, 0
		for {
			page, err := get(cursor)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range page.Data {
				if !yield(item, nil) {
					return
				}
			}
			if !page.Meta.HasMore {
				return
			}
			empty++
			if len(page.Data) > 0 {
				empty = 0
			}
			next := page.Meta.NextCursor
			if next == "" || next == cursor || empty == maxEmptyPages {
				yield(none, errBadPaging)
				return
			}
			cursor = next
		}
	}
}

// pageSize returns the size of the pages that an iterator asks for.
func pageSize(limit int) int {
	if limit <= 0 || limit > MaxPageSize {
		return MaxPageSize
	}
	return limit
}
