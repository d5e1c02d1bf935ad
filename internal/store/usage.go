package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// KeyUse is what became known of a key's use since it was last written.
type KeyUse struct {
	KeyID       int64
	Day         int64 // of the counts, see Day
	Requests    int64 // accepted
	Refusals    int64 // refused, since the key had ended
	LastUsed    time.Time
	LastUsedIP  string
	LastRefused time.Time
}

// Day numbers the UTC days since 1970-01-01, as usage is counted.
func Day(t time.Time) int64 { return t.Unix() / 86400 }

// maxUseRows bounds the rows of one statement; SQLite takes 32,766 parameters.
const maxUseRows = 500

// RecordKeyUse adds to the counts of keys and moves their last use forward, never
// back. It touches no row of api_keys, so it cannot bring a revoked key back.
func (s *Store) RecordKeyUse(ctx context.Context, uses []KeyUse) error {
	// One order on every node, so that two of them never wait for each other's rows.
	slices.SortFunc(uses, func(a, b KeyUse) int { return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Day, b.Day)) })
	return s.transact(ctx, func(t *tx) error {
		for len(uses) > 0 {
			n := min(len(uses), maxUseRows)
			if err := t.recordKeyUse(ctx, uses[:n]); err != nil {
				return wrap(err, "record the use of keys")
			}
			uses = uses[n:]
		}
		return nil
	})
}

func (t *tx) recordKeyUse(ctx context.Context, uses []KeyUse) error {
	var days, last []any
	for _, u := range uses {
		days = append(days, u.KeyID, u.Day, u.Requests, u.Refusals)
	}
	totals := totalUse(uses)
	for _, u := range totals {
		last = append(last, u.KeyID, stamp(u.LastUsed), u.LastUsedIP, u.Refusals, stamp(u.LastRefused))
	}
	if _, err := t.exec(ctx, `insert into key_usage (key_id, last_used_at, last_used_ip, refused_count, last_refused_at)
		values `+rows(len(totals), 5)+`
		on conflict (key_id) do update set
			last_used_ip = case when excluded.last_used_at > coalesce(key_usage.last_used_at, -1) then excluded.last_used_ip else key_usage.last_used_ip end,
			last_used_at = case when excluded.last_used_at > coalesce(key_usage.last_used_at, -1) then excluded.last_used_at else key_usage.last_used_at end,
			refused_count = key_usage.refused_count + excluded.refused_count,
			last_refused_at = case when excluded.last_refused_at > coalesce(key_usage.last_refused_at, -1) then excluded.last_refused_at else key_usage.last_refused_at end`,
		last...); err != nil {
		return err
	}
	_, err := t.exec(ctx, `insert into key_usage_days (key_id, day, requests, refusals)
		values `+rows(len(uses), 4)+`
		on conflict (key_id, day) do update set
			requests = key_usage_days.requests + excluded.requests,
			refusals = key_usage_days.refusals + excluded.refusals`, days...)
	return err
}

// totalUse sums up uses that are sorted by key and day: one for each key, since a
// statement may touch a row only once.
func totalUse(uses []KeyUse) []KeyUse {
	var totals []KeyUse
	for _, u := range uses {
		if n := len(totals); n > 0 && totals[n-1].KeyID == u.KeyID {
			sum := &totals[n-1]
			sum.Refusals += u.Refusals
			if u.LastUsed.After(sum.LastUsed) {
				sum.LastUsed, sum.LastUsedIP = u.LastUsed, u.LastUsedIP
			}
			if u.LastRefused.After(sum.LastRefused) {
				sum.LastRefused = u.LastRefused
			}
			continue
		}
		totals = append(totals, u)
	}
	return totals
}

// rows writes n rows of placeholders: ($1, $2), ($3, $4) …
func rows(n, columns int) string {
	var b strings.Builder
	for i := range n * columns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	b.WriteString(")")
	return b.String()
}

// KeyDay is how a key was used on one day.
type KeyDay struct{ Day, Requests, Refusals int64 }

// KeyDays returns the days from the given one on, oldest first, on which a key was
// called.
func (s *Store) KeyDays(ctx context.Context, keyID, from int64) ([]KeyDay, error) {
	var days []KeyDay
	err := s.read.each(ctx, `select day, requests, refusals from key_usage_days where key_id = $1 and day >= $2 order by day`,
		[]any{keyID, from}, func(scan func(...any) error) error {
			var d KeyDay
			err := scan(&d.Day, &d.Requests, &d.Refusals)
			days = append(days, d)
			return err
		})
	return days, wrap(err, "read the use of key %d", keyID)
}

// AccountDay is how many requests of an account were admitted on a day.
type AccountDay struct{ AccountID, Day, Requests int64 }

// AddAccountDays adds to the counts of accounts.
func (s *Store) AddAccountDays(ctx context.Context, counts []AccountDay) error {
	slices.SortFunc(counts, func(a, b AccountDay) int {
		return cmp.Or(cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.Day, b.Day))
	})
	return s.transact(ctx, func(t *tx) error {
		for len(counts) > 0 {
			n := min(len(counts), maxUseRows)
			var args []any
			for _, c := range counts[:n] {
				args = append(args, c.AccountID, c.Day, c.Requests)
			}
			if _, err := t.exec(ctx, `insert into account_usage_days (account_id, day, requests) values `+rows(n, 3)+`
				on conflict (account_id, day) do update set requests = account_usage_days.requests + excluded.requests`, args...); err != nil {
				return wrap(err, "count the requests of accounts")
			}
			counts = counts[n:]
		}
		return nil
	})
}

// AccountRequests returns how many requests of an account were counted from one
// day to another, both included.
func (s *Store) AccountRequests(ctx context.Context, accountID, from, to int64) (int64, error) {
	var n int64
	err := s.read.one(ctx, `select cast(coalesce(sum(requests), 0) as bigint) from account_usage_days where account_id = $1 and day >= $2 and day <= $3`,
		[]any{accountID, from, to}, &n)
	return n, wrap(err, "count the requests of account %d", accountID)
}

// Counts is what readers did with a stepsy since it was last written.
type Counts struct{ StepsyID, Views, Completions, Ratings, Stars int64 }

// AddCounts adds to what readers did with stepsies.
func (s *Store) AddCounts(ctx context.Context, counts []Counts) error {
	slices.SortFunc(counts, func(a, b Counts) int { return cmp.Compare(a.StepsyID, b.StepsyID) })
	return s.transact(ctx, func(t *tx) error {
		for len(counts) > 0 {
			n := min(len(counts), maxUseRows)
			var args []any
			for _, c := range counts[:n] {
				args = append(args, c.StepsyID, c.Views, c.Completions, c.Ratings, c.Stars)
			}
			if _, err := t.exec(ctx, `insert into stepsy_counts (stepsy_id, views, completions, ratings, stars) values `+rows(n, 5)+`
				on conflict (stepsy_id) do update set views = stepsy_counts.views + excluded.views,
					completions = stepsy_counts.completions + excluded.completions,
					ratings = stepsy_counts.ratings + excluded.ratings, stars = stepsy_counts.stars + excluded.stars`, args...); err != nil {
				return wrap(err, "count what readers did")
			}
			counts = counts[n:]
		}
		return nil
	})
}

// Purge removes what has had its time, a bounded number of rows a call: trash
// after 30 days and idempotency records after 24 hours. It returns how many rows
// went, so that the caller can go on while there are more.
func (s *Store) Purge(ctx context.Context) (int64, error) {
	var gone int64
	err := s.transact(ctx, func(t *tx) error {
		gone = 0
		var ids []int64
		if err := t.each(ctx, `select id from stepsies where deleted_at <= $1 order by deleted_at limit 100`,
			[]any{stamp(t.now.Add(-stepsies.TrashLifetime))}, func(scan func(...any) error) error {
				var id int64
				err := scan(&id)
				ids = append(ids, id)
				return err
			}); err != nil {
			return wrap(err, "find old trash")
		}
		for _, id := range ids {
			if err := t.run(ctx, []any{id},
				`delete from slug_history where stepsy_id = $1`,
				`delete from stepsy_counts where stepsy_id = $1`,
				`delete from stepsies where id = $1`); err != nil {
				return wrap(err, "purge stepsy %d", id)
			}
		}
		n, err := t.exec(ctx, `delete from idempotency_records where created_at <= $1`, stamp(t.now.Add(-IdempotencyLifetime)))
		gone = int64(len(ids)) + n
		return wrap(err, "purge idempotency records")
	})
	return gone, err
}
