package store

import "context"

// KeepOrigin makes a public URL that of the first start, unless there has been one.
func (s *Store) KeepOrigin(ctx context.Context, publicURL string) error {
	origin, err := s.Origin(ctx)
	if err != nil || origin != "" {
		return err
	}
	return s.transactUnjudged(ctx, func(t *tx) error {
		t.keysUntouched = true
		_, err := t.exec(ctx, `update installation set origin = $1 where origin = ''`, publicURL) // of nodes that start at once, one is the first
		return wrap(err, "keep the public URL of the first start")
	})
}

// Origin returns the public URL of the first start, "" before it.
func (s *Store) Origin(ctx context.Context) (string, error) {
	var origin string
	err := s.read.one(ctx, `select origin from installation`, nil, &origin)
	return origin, wrap(err, "read the public URL of the first start")
}

// installation returns what the installation is called in its backups, and its origin.
func (t *tx) installation(ctx context.Context) (id, origin string, err error) {
	err = t.one(ctx, `select id, origin from installation`, nil, &id, &origin)
	return id, origin, wrap(err, "read the name of the installation")
}
