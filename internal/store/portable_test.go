package store

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// portableSQL proves what the statements of this package take for granted of an
// engine and its driver.
var portableSQL = []guarantee{
	{"PlaceholdersBindByNumberInAnyOrderAndAgain", testPlaceholders},
	{"UpsertsAddUpAndReturn", testUpserts},
	{"InsertsFromRowsOfPlaceholders", testRowsOfPlaceholders},
	{"BooleansAndEnumsStayInTheirRange", testEnums},
	{"BlobsKeepEveryByte", testBlobs},
	{"UniqueViolationsNameTheirIndex", testUniqueViolations},
	{"KeysetPagesPartEqualValues", testKeyset},
	{"IDsAreNeverReused", testIDsNeverReused},
	{"TimesKeepTheirMillisecond", testTimes},
	{"TextKeepsEveryCharacterAndSortsByBytes", testUnicode},
	{"TextThatPostgreSQLRefusesFindsNothing", testRefusedText},
	{"FailedTransactionLeavesNothing", testRollback},
	{"ForeignKeysAreEnforced", testForeignKeys},
}

func testPlaceholders(t *testing.T, f *fixture) {
	for _, q := range []querier{f.read, f.write} {
		var sum int64
		var text string
		err := q.one(t.Context(), `select cast($3 as bigint) * 100 + cast($1 as bigint) * 10 + cast($3 as bigint), cast($2 as text)`,
			[]any{1, "two", 3}, &sum, &text)
		if err != nil || sum != 313 || text != "two" {
			t.Errorf("got %d and %q (%v), want 313 and two", sum, text, err)
		}
	}
	err := f.transactUnjudged(t.Context(), func(t2 *tx) error {
		var n int64
		if err := t2.one(t.Context(), `select cast($2 as bigint) - cast($1 as bigint)`, []any{3, 10}, &n); err != nil || n != 7 {
			t.Errorf("in a transaction: %d (%v), want 7", n, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func testUpserts(t *testing.T, f *fixture) {
	f.raw(t, `create table tally (name text primary key, n bigint not null)`)
	add := func(n int64) (total int64) {
		t.Helper()
		if err := f.write.db.QueryRowContext(t.Context(), `insert into tally (name, n) values ($1, $2)
			on conflict (name) do update set n = tally.n + excluded.n returning n`, "a", n).Scan(&total); err != nil {
			t.Fatal(err)
		}
		return total
	}
	if got := []int64{add(3), add(4), add(-1)}; !slices.Equal(got, []int64{3, 7, 6}) {
		t.Errorf("the upserts returned %v", got)
	}
	for i, want := range []int64{1, 0} {
		res, err := f.write.db.ExecContext(t.Context(), `insert into tally (name, n) values ($1, 1) on conflict (name) do nothing`, "b")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); err != nil || n != want {
			t.Errorf("insert %d touched %d rows (%v), want %d", i+1, n, err, want)
		}
	}
	res, err := f.write.db.ExecContext(t.Context(), `update tally set n = 9 where name in ($1, $2, $3)`, "a", "b", "c")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 2 {
		t.Errorf("the update touched %d rows (%v), want 2", n, err)
	}
}

func testRowsOfPlaceholders(t *testing.T, f *fixture) {
	f.raw(t, `create table tally (id bigint primary key, name text, n bigint)`)
	_, err := f.write.db.ExecContext(t.Context(), `insert into tally (id, name, n) `+rows(3, "bigint", "text", "bigint")+`
		where column1 <> 2 on conflict (id) do update set n = excluded.n`,
		1, "one", nil, 2, "two", 22, 3, nil, 33)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = f.read.each(t.Context(), `select coalesce(name, '-'), coalesce(n, 0) from tally order by id`, nil, func(scan func(...any) error) error {
		var name string
		var n int64
		err := scan(&name, &n)
		got = append(got, name)
		return err
	})
	if err != nil || !slices.Equal(got, []string{"one", "-"}) {
		t.Errorf("the rows are %q (%v)", got, err)
	}
}

func testEnums(t *testing.T, f *fixture) {
	_, err := f.write.db.ExecContext(t.Context(), `insert into accounts (plan, created_at) values ('gold', 0)`)
	if err == nil {
		t.Fatal("a plan that does not exist was stored")
	}
	if got := classify(err); stepsies.CodeOf(got) != stepsies.CodeInternal {
		t.Errorf("it is %v, want an internal error", got)
	}
	var yes, no int64
	if err := f.read.one(t.Context(), `select case when cast($1 as text) is null then 0 else 1 end, case when cast($2 as text) is null then 0 else 1 end`,
		[]any{"x", nil}, &yes, &no); err != nil || yes != 1 || no != 0 {
		t.Errorf("the booleans are %d and %d (%v), want 1 and 0", yes, no, err)
	}
}

func testBlobs(t *testing.T, f *fixture) {
	f.raw(t, `create table blobs (id bigint primary key, data `+f.pick("blob", "bytea")+` not null)`)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, want := range [][]byte{{}, {0}, every, bytes.Repeat(every, 256)} {
		f.raw(t, `insert into blobs (id, data) values ($1, $2)`, i, want)
		var got []byte
		if err := f.read.one(t.Context(), `select data from blobs where data = $1`, []any{want}, &got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("blob %d of %d bytes came back with %d (%v)", i, len(want), len(got), err)
		}
	}
}

func testUniqueViolations(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	f.stepsy(t, u, "Title")
	insertUser := `insert into users (account_id, username, email, email_key, display_name, name_key, bio, role, time_zone, created_at, updated_at)
		values ($1, $2, '', $3, '', '', '', 'member', '', 0, 0)`
	for name, fail := range map[string]func() error{
		"users_username": func() error {
			_, err := f.write.db.ExecContext(t.Context(), insertUser, u.Account.ID, "sarah", "other@example.com")
			return err
		},
		"users_email_key": func() error {
			_, err := f.write.db.ExecContext(t.Context(), insertUser, u.Account.ID, "other", "sarah@example.com")
			return err
		},
		"stepsies_slug": func() error {
			_, err := f.write.db.ExecContext(t.Context(), `insert into stepsies (user_id, slug, title, title_key, description, category, status,
				published_key, steps_count, next_step_id, version, created_at, updated_at, steps)
				values ($1, 'title', '', '', '', 'other', 'draft', 0, 0, 1, 1, 0, 0, '[]')`, u.ID)
			return err
		},
	} {
		err := fail()
		if got := violated(err); got != name {
			t.Errorf("violated(%v) = %q, want %q", err, got, name)
		}
		wantCode(t, classify(err), stepsies.CodeConflict)
	}
	if got := violated(sql.ErrNoRows); got != "" {
		t.Errorf("no rows violates %q", got)
	}
}

func testKeyset(t *testing.T, f *fixture) {
	f.raw(t, `create table place (id bigint primary key, at bigint not null)`)
	for id := range 20 {
		f.raw(t, `insert into place (id, at) values ($1, $2)`, id, id/7)
	}
	for _, way := range []struct{ sign, direction string }{{">", ""}, {"<", " desc"}} {
		at, id := int64(-1), int64(-1)
		if way.sign == "<" {
			at, id = 100, 100
		}
		seen := 0
		for {
			err := f.read.one(t.Context(), `select at, id from place where (at, id) `+way.sign+` ($1, $2) order by at`+way.direction+`, id`+way.direction+` limit 1`,
				[]any{at, id}, &at, &id)
			if err == sql.ErrNoRows {
				break
			}
			if err != nil || seen > 20 {
				t.Fatalf("row %d: %v", seen, err)
			}
			seen++
		}
		if seen != 20 {
			t.Errorf("%s: %d rows were seen one by one, want 20", way.sign, seen)
		}
	}
}

func testIDsNeverReused(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	first := f.stepsy(t, u, "A")
	second := f.stepsy(t, u, "B")
	f.raw(t, `delete from stepsies`)
	if third := f.stepsy(t, u, "C"); third.ID <= second.ID || second.ID <= first.ID {
		t.Errorf("ids are %d, %d and, after all rows were deleted, %d", first.ID, second.ID, third.ID)
	}
	if err := f.DeleteUser(t.Context(), byOperator, "sarah"); err != nil {
		t.Fatal(err)
	}
	f.clock.forward(stepsies.FormerUsernameKept)
	again := f.member(t, "sarah")
	if again.ID <= u.ID || again.Account.ID <= u.Account.ID {
		t.Errorf("user %d of account %d came after user %d of account %d", again.ID, again.Account.ID, u.ID, u.Account.ID)
	}
}

func testTimes(t *testing.T, f *fixture) {
	f.raw(t, `create table times (at bigint)`)
	for _, want := range []time.Time{
		{}, time.UnixMilli(0).UTC(), time.UnixMilli(-1).UTC(), epoch,
		time.Date(9999, time.December, 31, 23, 59, 59, 999_000_000, time.UTC),
		time.Date(1969, time.July, 20, 20, 17, 40, 0, time.UTC),
	} {
		f.raw(t, `delete from times`)
		f.raw(t, `insert into times (at) values ($1)`, stamp(want))
		got := time.Now()
		if err := f.read.one(t.Context(), `select at from times`, nil, stampTo{&got}); err != nil || got != want {
			t.Errorf("%v came back as %v (%v)", want, got, err)
		}
	}
}

// difficult are texts that a driver or a collation could get wrong.
var difficult = []string{
	"", "%", "'; drop table users; --", `\`, "A", "Z", "_", "a", "a\tb\r\nc", "e\u0301", "z", "\u00e9", "ß", "İ", "я",
	"שלום", "नमस्ते", "日本語", "\ufeff", "\ufffd", "\U0001d11e", "👩‍🚀",
}

func testUnicode(t *testing.T, f *fixture) {
	f.raw(t, `create table words (word text `+f.pick("", `collate "C"`)+` not null)`)
	for _, word := range slices.Backward(difficult) {
		f.raw(t, `insert into words (word) values ($1)`, word)
	}
	var got []string
	if err := f.read.each(t.Context(), `select word from words order by word`, nil, func(scan func(...any) error) error {
		var word string
		err := scan(&word)
		got = append(got, word)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(slices.Values(difficult)); !slices.Equal(got, want) {
		t.Errorf("the words came back as %q, want %q", got, want)
	}
	for _, word := range difficult {
		if n := f.count(t, `select count(*) from words where word = $1`, word); n != 1 {
			t.Errorf("%q is found %d times", word, n)
		}
		if n := f.count(t, `select count(*) from words where word like $1 escape '\'`, like(word)); n < 1 {
			t.Errorf("%q is not found by a pattern", word)
		}
	}
	u := f.member(t, "sarah")
	title := strings.Join(difficult[1:8], " ") + " 日本語 \U0001d11e 👩‍🚀"
	made := f.stepsy(t, u, title)
	read, err := f.Stepsy(t.Context(), made.ID, of(u))
	if err != nil || read.Title != title || read.Steps[0].Content.HTML() != "<p>The one step</p>" {
		t.Errorf("the title %q came back as %q (%v)", title, read.Title, err)
	}
}

// testRefusedText: PostgreSQL fails on text with a NUL or that is not UTF-8, SQLite
// takes both. Neither may be more than an answer that nothing is there, and neither
// is ever stored.
func testRefusedText(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	for _, bad := range []string{"sarah\x00", "\xff\xfe", "a\xc3\x28"} {
		for name, ask := range map[string]func() error{
			"User":           func() error { _, err := f.User(ctx, bad); return err },
			"PasswordHash":   func() error { _, _, err := f.PasswordHash(ctx, bad); return err },
			"StepsyBySlug":   func() error { _, err := f.StepsyBySlug(ctx, "sarah", bad, everyone); return err },
			"StepsyByAuthor": func() error { _, err := f.StepsyBySlug(ctx, bad, "slug", everyone); return err },
			"ListAPIKeys":    func() error { _, err := f.ListAPIKeys(ctx, everyone, bad, Page{Limit: 1}); return err },
			"ListStepsies": func() error {
				_, err := f.ListStepsies(ctx, StepsyFilter{Author: bad, Page: Page{Limit: 1}})
				return err
			},
			"UpdateUser": func() error { _, err := f.UpdateUser(ctx, byOperator, bad, stepsies.UserChange{}); return err },
			"UpdateUser role": func() error {
				_, err := f.UpdateUser(ctx, byOperator, bad, stepsies.UserChange{Role: ptr("member")})
				return err
			},
			"DeleteUser": func() error { return f.DeleteUser(ctx, byOperator, bad) },
		} {
			if err := ask(); stepsies.CodeOf(err) != stepsies.CodeNotFound {
				t.Errorf("%s(%q): %v, want not found", name, bad, err)
			}
		}
		if found, err := f.ListUsers(ctx, bad, Page{Limit: 10}); err != nil || len(found.Items) != 0 {
			t.Errorf("ListUsers(%q): %d users (%v)", bad, len(found.Items), err)
		}
		if _, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: of(u), Query: bad, Page: Page{Limit: 10}}); err != nil {
			t.Errorf("ListStepsies(%q): %v", bad, err)
		}
		w := by(u)
		w.Once = &Once{UserID: u.ID, Key: "k", Route: "PATCH /v1/users/" + bad}
		if _, err := f.UpdateUser(ctx, w, bad, stepsies.UserChange{}); stepsies.CodeOf(err) != stepsies.CodeNotFound {
			t.Errorf("UpdateUser(%q) with an idempotency key: %v, want not found", bad, err)
		}
		_, err := f.CreateStepsy(ctx, by(u), "sarah", stepsies.StepsyChange{Title: &bad})
		wantCode(t, err, stepsies.CodeValidation)
	}
}

func testRollback(t *testing.T, f *fixture) {
	f.raw(t, `create table place (id bigint primary key)`)
	err := f.transactUnjudged(t.Context(), func(t2 *tx) error {
		if _, err := t2.exec(t.Context(), `insert into place (id) values (1)`); err != nil {
			return err
		}
		_, err := t2.exec(t.Context(), `insert into place (id) values (1)`)
		return err
	})
	if err == nil || f.count(t, `select count(*) from place`) != 0 {
		t.Errorf("a failed transaction left something behind (%v)", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = f.transactUnjudged(t.Context(), func(t2 *tx) error {
			_, _ = t2.exec(t.Context(), `insert into place (id) values (2)`)
			panic("on purpose")
		})
	}()
	ctx, cancel := context.WithCancel(t.Context())
	err = f.transactUnjudged(ctx, func(t2 *tx) error {
		_, _ = t2.exec(ctx, `insert into place (id) values (3)`)
		cancel()
		return nil
	})
	wantCode(t, err, stepsies.CodeUnavailable)
	if n := f.count(t, `select count(*) from place`); n != 0 {
		t.Errorf("%d rows came from transactions that did not end well", n)
	}
}

func testForeignKeys(t *testing.T, f *fixture) {
	_, err := f.write.db.ExecContext(t.Context(), `insert into api_keys (user_id, name, description, scopes, hint, hash, created_at, revoked_reason, leak_source)
		values (12345, '', '', 'read', '', $1, 0, '', '')`, []byte{1})
	if err == nil {
		t.Error("a key of nobody was stored")
	}
}
