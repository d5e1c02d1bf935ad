package store

import (
	"context"
	"fmt"
	"time"
)

// SitemapSize is how many ids there are in a part of the sitemap. Part n holds the
// published stepsies among its own ids, so that it stays what it is when others come
// and go.
const SitemapSize = 10_000

// SitemapPart is a part of the sitemap in which there is something.
type SitemapPart struct {
	N       int64 // from 1
	Changed time.Time
}

// SitemapParts returns the parts of the sitemap, in order. It looks at every
// published stepsy, so the caller keeps it for a while.
func (s *Store) SitemapParts(ctx context.Context) ([]SitemapPart, error) {
	var parts []SitemapPart
	err := s.read.each(ctx, fmt.Sprintf(`select (s.id - 1) / %d + 1 as n, max(s.updated_at) from stepsies s join users u on u.id = s.user_id
		where `+isPublic+` group by 1 order by 1`, SitemapSize), nil, func(scan func(...any) error) error {
		var p SitemapPart
		err := scan(&p.N, stampTo{&p.Changed})
		parts = append(parts, p)
		return err
	})
	return parts, wrap(err, "list the parts of the sitemap")
}

// SitemapEntry is a published stepsy of the sitemap.
type SitemapEntry struct {
	Username, Slug string
	Changed        time.Time
}

const sitemapPart = `select u.username, s.slug, s.updated_at from stepsies s join users u on u.id = s.user_id
	where s.id > $1 and s.id <= $2 and ` + isPublic + ` order by s.id`

// SitemapPart calls each for every stepsy in a part of the sitemap, at most
// [SitemapSize] times.
func (s *Store) SitemapPart(ctx context.Context, n int64, each func(SitemapEntry)) error {
	if n < 1 || n > anyID/SitemapSize {
		return nil
	}
	err := s.read.each(ctx, sitemapPart, []any{(n - 1) * SitemapSize, n * SitemapSize}, func(scan func(...any) error) error {
		var e SitemapEntry
		err := scan(&e.Username, &e.Slug, stampTo{&e.Changed})
		each(e)
		return err
	})
	return wrap(err, "list part %d of the sitemap", n)
}
