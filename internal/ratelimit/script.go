package ratelimit

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/stepsies/stepsies"
)

//go:embed take.lua
var takeSource string

var takeScript = rueidis.NewLuaScript(takeSource)

// question is what the script is asked.
type question struct {
	account int64
	limits  stepsies.Limits
	take    bool
	month   known
	held    held
}

// known is what the caller knows of the month's count.
type known struct {
	text string // "": nothing, "-": nothing and there is nothing to be had, or a number
	of   int64  // the month it is of, in Unix seconds of its start
}

// held is what Redis should at least have of a minute and the hour around it.
type held struct {
	of           int64 // start of the minute; 0 where there is nothing to say
	minute, hour int64 // counts that Redis has had before
	owed         owed  // counts to add to them
}

// answer is what the script says.
type answer struct {
	admitted bool
	missing  bool // the month is not in Redis, and nothing was counted
	counts        // after the request; month is -1 where it is not in Redis
	time     int64
	shift    int64
}

// ask runs the script, within the time that a command may take.
func (r *Redis) ask(ctx context.Context, q question) (answer, error) {
	client := r.client.Load()
	if client == nil {
		return answer{}, errors.New("not connected")
	}
	// The decision is taken even if the client hangs up: it has asked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.Timeout)
	defer cancel()
	began := time.Now()
	n, err := takeScript.Exec(ctx, *client, []string{r.key(q.account)}, q.arguments(r.config.testNow)).AsIntSlice()
	if r.config.Observe != nil {
		r.config.Observe(time.Since(began), err)
	}
	if err != nil {
		return answer{}, fmt.Errorf("ask Redis: %w", err)
	}
	if len(n) != 6 {
		return answer{}, fmt.Errorf("ask Redis: an answer of %d numbers", len(n))
	}
	return answer{
		admitted: n[0] == 1, missing: n[0] < 0, time: n[1], shift: n[2],
		counts: counts{minute: n[3], hour: n[4], month: n[5]},
	}, nil
}

// key is the account's hash. The braces make a cluster keep all keys of an account
// on one node.
func (r *Redis) key(account int64) string {
	return r.config.Prefix + "limit:{" + strconv.FormatInt(account, 10) + "}"
}

func (q question) arguments(now func() int64) []string {
	args := make([]string, 12) // "" stands for nothing
	args[0] = "0"
	if q.take {
		args[0] = "1"
	}
	args[1], args[2], args[3] = decimal(q.limits.Minute), decimal(q.limits.Hour), decimal(q.limits.Month)
	args[4] = q.month.text
	if q.month.of != 0 {
		month := time.Unix(q.month.of, 0).UTC()
		args[5] = decimal(int64(month.Year())*12 + int64(month.Month()) - 1)
	}
	if now != nil {
		args[6] = decimal(now())
	}
	if h := q.held; h.of != 0 {
		args[7] = decimal(h.of)
		args[8], args[9] = decimal(h.minute), decimal(h.owed.minute)
		args[10], args[11] = decimal(h.hour), decimal(h.owed.hour)
	}
	return args
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
