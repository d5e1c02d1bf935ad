package store

import (
	"context"

	"github.com/stepsies/stepsies"
)

// ListInvitations returns the invitations that still work, newest first and limit
// at most.
func (s *Store) ListInvitations(ctx context.Context, limit int) ([]Link, error) {
	var list []Link
	err := s.read.each(ctx, `select l.id, l.maker_id, l.email, l.role, l.created_at, l.expires_at from one_time_links l
		where l.kind = 'invitation' and `+worksNow+` order by l.created_at desc, l.id desc limit $2`,
		[]any{stamp(s.clock()), limit}, func(scan func(...any) error) error {
			l := Link{Kind: LinkInvitation}
			err := scan(&l.ID, &l.MakerID, &l.Email, &l.Role, stampTo{&l.CreatedAt}, stampTo{&l.ExpiresAt})
			list = append(list, l)
			return err
		})
	return list, wrap(err, "list the invitations")
}

// EndInvitation takes an invitation back. The error has the code not_found where it
// was used, taken back before, or is over.
func (s *Store) EndInvitation(ctx context.Context, w Write, id int64) error {
	return s.transact(ctx, w, func(t *tx) error {
		l := Link{ID: id}
		err := t.one(ctx, `select l.email from one_time_links l where l.kind = 'invitation' and l.id = $2 and `+worksNow+t.lock("l"), []any{stamp(t.now), id}, &l.Email)
		if err != nil {
			return orNotFound(err, "invitation")
		}
		n, err := t.exec(ctx, `delete from one_time_links where id = $1`, id)
		if err == nil && n == 0 {
			err = stepsies.NotFound("invitation")
		}
		if err != nil {
			return wrap(err, "end invitation %d", id)
		}
		return t.record(ctx, w, stepsies.Activity{Action: stepsies.ActionUninviteUser, OwnerID: w.Actor.UserID, Name: l.Email})
	})
}
