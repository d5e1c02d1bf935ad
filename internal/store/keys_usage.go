package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
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

// useRows are the numbers of rows that one statement adds, the most first: few, so
// that there are few statements to prepare.
var useRows = []int{500, 100, 20, 4, 1}

// inChunks calls add with all items in order, in chunks of the sizes of useRows.
func inChunks[T any](items []T, add func(chunk []T) error) error {
	for len(items) > 0 {
		n := useRows[slices.IndexFunc(useRows, func(n int) bool { return n <= len(items) })]
		if err := add(items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// RecordKeyUse adds to the counts of keys and moves their last use forward, never
// back; each key and day may stand among the uses once. It touches no row of
// api_keys, so it cannot bring a revoked key back.
func (s *Store) RecordKeyUse(ctx context.Context, uses []KeyUse) error {
	// One order on every node, so that two of them never wait for each other's rows.
	slices.SortFunc(uses, func(a, b KeyUse) int { return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Day, b.Day)) })
	return s.transactUnjudged(ctx, func(t *tx) error {
		t.keysUntouched = true
		if err := inChunks(totalUse(uses), func(totals []KeyUse) error { return t.recordLastUse(ctx, totals) }); err != nil {
			return wrap(err, "record the last use of keys")
		}
		err := inChunks(uses, func(days []KeyUse) error { return t.recordKeyDays(ctx, days) })
		return wrap(err, "record the use of keys")
	})
}

// recordLastUse takes each key once. A key that is gone with its user by now leaves
// no row behind; the same holds for all counts.
func (t *tx) recordLastUse(ctx context.Context, totals []KeyUse) error {
	var last []any
	for _, u := range totals {
		last = append(last, u.KeyID, stamp(u.LastUsed), u.LastUsedIP, u.Refusals, stamp(u.LastRefused))
	}
	_, err := t.exec(ctx, `insert into key_usage (key_id, last_used_at, last_used_ip, refused_count, last_refused_at)
		`+rows(len(totals), "bigint", "bigint", "text", "bigint", "bigint")+`
		where exists (select 1 from api_keys where id = v.column1)
		on conflict (key_id) do update set
			last_used_ip = case when excluded.last_used_at > coalesce(key_usage.last_used_at, -1) then excluded.last_used_ip else key_usage.last_used_ip end,
			last_used_at = case when excluded.last_used_at > coalesce(key_usage.last_used_at, -1) then excluded.last_used_at else key_usage.last_used_at end,
			refused_count = key_usage.refused_count + excluded.refused_count,
			last_refused_at = case when excluded.last_refused_at > coalesce(key_usage.last_refused_at, -1) then excluded.last_refused_at else key_usage.last_refused_at end`,
		last...)
	return err
}

func (t *tx) recordKeyDays(ctx context.Context, uses []KeyUse) error {
	var days []any
	for _, u := range uses {
		days = append(days, u.KeyID, u.Day, u.Requests, u.Refusals)
	}
	_, err := t.exec(ctx, `insert into key_usage_days (key_id, day, requests, refusals)
		`+rows(len(uses), "bigint", "bigint", "bigint", "bigint")+`
		where exists (select 1 from api_keys where id = v.column1)
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

// rows selects n rows of placeholders of the given types, for an insert that leaves
// some of them out. Both engines name the columns of such rows column1, column2 …
func rows(n int, types ...string) string {
	columns := make([]string, len(types))
	for i := range types {
		columns[i] = fmt.Sprintf("column%d", i+1)
	}
	tuples := make([]string, n)
	for i := range tuples {
		fields := make([]string, len(types))
		for j, name := range types {
			fields[j] = fmt.Sprintf("cast($%d as %s)", i*len(types)+j+1, name)
		}
		tuples[i] = "(" + strings.Join(fields, ", ") + ")"
	}
	return "select " + strings.Join(columns, ", ") + " from (values " + strings.Join(tuples, ", ") + ") as v"
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
	return s.transactUnjudged(ctx, func(t *tx) error {
		t.keysUntouched = true
		err := inChunks(counts, func(counts []AccountDay) error {
			var args []any
			for _, c := range counts {
				args = append(args, c.AccountID, c.Day, c.Requests)
			}
			_, err := t.exec(ctx, `insert into account_usage_days (account_id, day, requests)
				`+rows(len(counts), "bigint", "bigint", "bigint")+`
				where exists (select 1 from accounts where id = v.column1)
				on conflict (account_id, day) do update set requests = account_usage_days.requests + excluded.requests`, args...)
			return err
		})
		return wrap(err, "count the requests of accounts")
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
