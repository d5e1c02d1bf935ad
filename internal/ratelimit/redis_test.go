package ratelimit

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/stepsies/stepsies/internal/testenv"
)

func TestNodesTogetherAdmitNoMoreThanTheLimit(t *testing.T) {
	w, l := clockAt(t, noon), newLedger()
	server := testenv.StartRedis(t)
	var nodes []limiter
	for range 3 {
		nodes = append(nodes, newRedis(t, server.URL(), w, l))
	}
	if got := takeParallel(nodes, 1, limits{Minute: 300, Hour: 10_000, Month: 50_000}, 64, 2000); got != 300 {
		t.Errorf("three nodes admitted %d, the limit is 300", got)
	}
	for _, n := range nodes {
		if s := n.Stats(); s.Memory != (Outcomes{}) || s.Redis.Allowed+s.Redis.RefusedMinute == 0 {
			t.Errorf("not decided by Redis: %+v", s)
		}
	}
	eventually(t, "each node has saved its part", func() bool { return l.total(1) == 300 })
}

func TestRedisDecidesByItsOwnClock(t *testing.T) {
	w, l := clockAt(t, "2001-01-01 00:00:00"), newLedger()
	c := redisConfig(testenv.StartRedis(t).URL(), w, l)
	c.testNow = nil
	r, err := NewRedis(c)
	if err != nil {
		t.Fatal(err)
	}
	flushing(t, r)
	before := time.Now().Unix()
	d := r.Take(context.Background(), 1, limits{Minute: 5})
	after := time.Now().Unix()
	if d.Degraded || d.Minute.Reset <= before || d.Minute.Reset > after+60 {
		t.Errorf("between %d and %d: %+v", before, after, d)
	}
}

func TestMonthMissingInRedisIsFilledFromTheDatabaseOnce(t *testing.T) {
	w, l := clockAt(t, noon), newLedger()
	l.days[[2]int64{1, w.unix.Load()/daySeconds - 1}] = 30
	l.days[[2]int64{1, w.unix.Load()/daySeconds - 31}] = 1000 // of the month before
	server := testenv.StartRedis(t)
	a, b := newRedis(t, server.URL(), w, l), newRedis(t, server.URL(), w, l)
	plan := limits{Month: 50}
	if admitted, _ := take(a, 1, plan, 5); admitted != 5 {
		t.Fatalf("admitted %d", admitted)
	}
	if d := b.Take(context.Background(), 1, plan); d.Month.Remaining != 14 || l.loadCount() != 1 {
		t.Errorf("after %d loads: %+v", l.loadCount(), d)
	}
	// The month begins anew at its end, on every node.
	w.set(t, "2024-04-01 00:00:00")
	if got := takeParallel([]limiter{a, b}, 1, plan, 16, 200); got != 50 {
		t.Errorf("the next month admitted %d", got)
	}
}

func TestAccountsInRedisVanishAfterTheMonth(t *testing.T) {
	w, l := clockAt(t, noon), newLedger()
	r := newRedis(t, testenv.StartRedis(t).URL(), w, l)
	take(r, 1, limits{Minute: 5}, 1)
	ttl, err := (*r.client.Load()).Do(context.Background(), (*r.client.Load()).B().Ttl().Key(r.key(1)).Build()).AsInt64()
	if err != nil || ttl < 31*daySeconds || ttl > 33*daySeconds {
		t.Errorf("it lives %d s, %v", ttl, err)
	}
}

func TestScriptKnowsTheCalendar(t *testing.T) {
	w, l := clockAt(t, "1999-12-01 00:00:00"), newLedger()
	r := newRedis(t, testenv.StartRedis(t).URL(), w, l)
	end := clockAt(t, "2105-01-01 00:00:00").unix.Load()
	for account := int64(0); w.unix.Load() < end; account++ {
		start, next := monthOf(w.unix.Load())
		for _, c := range []struct {
			at   int64
			want int64
		}{{start - 1, -1}, {start, 7}, {start + 27*daySeconds, 7}, {next - 1, 7}, {next, -1}} {
			w.unix.Store(c.at)
			// What is known of a month is taken in that month alone.
			a, _, err := r.ask(question{account: account*10 + c.at%10, month: known{text: "7", of: start}})
			if err != nil {
				t.Fatal(err)
			}
			if a.month != c.want {
				t.Errorf("at %v, with 7 known of the month from %v: month %d, want %d", w.now(), time.Unix(start, 0).UTC(), a.month, c.want)
			}
			if err := (*r.client.Load()).Do(context.Background(), (*r.client.Load()).B().Flushdb().Build()).Error(); err != nil {
				t.Fatal(err)
			}
		}
		w.unix.Store(next)
	}
}

func TestMonthThatTheDatabaseCannotSayIsAddedToRedisLater(t *testing.T) {
	w, l := clockAt(t, noon), newLedger()
	l.days[[2]int64{1, w.unix.Load() / daySeconds}] = 20
	l.failLoad.Store(true)
	r := newRedis(t, testenv.StartRedis(t).URL(), w, l)
	plan := limits{Minute: 10, Month: 50}
	if admitted, d := take(r, 1, plan, 12); admitted != 10 || d.Degraded || d.Exceeded != Minute {
		t.Errorf("without the database admitted %d, %+v", admitted, d)
	}
	l.failLoad.Store(false)
	eventually(t, "what the database has counts", func() bool {
		w.move(time.Minute)
		d := r.Peek(context.Background(), 1, plan)
		return d.Month.Remaining == 20
	})
}

func TestWrongAddressOfRedisIsToldWithoutItsPassword(t *testing.T) {
	for _, address := range []string{"redis://user:53cret/1@host", "redis://user:se%zzcret@host", "ftp://user:s3cret@host", "", "://s3cret"} {
		c := redisConfig(address, clockAt(t, noon), newLedger())
		r, err := NewRedis(c)
		if err == nil {
			r.Close(context.Background())
			t.Errorf("%q was taken", address)
		} else if strings.Contains(err.Error(), "cret") || strings.Contains(err.Error(), "53") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

func TestLimiterWorksOnACluster(t *testing.T) {
	server := testenv.StartRedis(t, "--cluster-enabled", "yes")
	single, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	ctx := context.Background()
	if err := single.Do(ctx, single.B().ClusterAddslotsrange().StartSlotEndSlot().StartSlotEndSlot(0, 16383).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster is up", func() bool {
		info, err := single.Do(ctx, single.B().ClusterInfo().Build()).ToString()
		return err == nil && strings.Contains(info, "cluster_state:ok")
	})
	w := clockAt(t, noon)
	r := newRedis(t, "redis://"+server.Addr(), w, newLedger())
	if mode := (*r.client.Load()).Mode(); mode != rueidis.ClientModeCluster {
		t.Errorf("connected as to a %s", mode)
	}
	for account := range int64(20) {
		if got := takeParallel([]limiter{r}, account, limits{Minute: 10, Month: 100}, 8, 40); got != 10 {
			t.Errorf("account %d was admitted %d times", account, got)
		}
	}
	if s := r.Stats(); s.Memory != (Outcomes{}) {
		t.Errorf("not decided by Redis: %+v", s)
	}
}

func TestChangesOfStateAreLoggedOnce(t *testing.T) {
	server := testenv.StartRedis(t)
	w, l := clockAt(t, noon), newLedger()
	var logged bytes.Buffer
	c := redisConfig(server.URL(), w, l)
	c.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	r, err := NewRedis(c)
	if err != nil {
		t.Fatal(err)
	}
	take(r, 1, limits{Minute: 5}, 1)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	take(r, 1, limits{Minute: 1000}, 500)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Redis is in use again", func() bool { return !r.Degraded() })
	if err := r.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if text := logged.String(); strings.Count(text, "cannot be used") != 1 || strings.Count(text, "is back") != 1 || strings.Count(text, "\n") != 2 {
		t.Errorf("logged:\n%s", text)
	}
}
