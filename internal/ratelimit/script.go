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
	of           int64  // start of the minute; 0 where there is nothing to say
	minute, hour int64  // counts that Redis has had before
	owed         counts // counts to add to them
}

// answer is what the script says.
type answer struct {
	admitted bool
	missing  bool // the month is not in Redis, and nothing was counted
	counts        // after the request; month is -1 where it is not in Redis
	time     int64
	shift    int64
}

func (a answer) minuteStart() int64 { return a.time - a.time%minuteSeconds }

// reply is what comes of a question.
type reply struct {
	answer
	err error
}

// errLate says that there was no answer in time. There still may be one.
var errLate = errors.New("no answer from Redis in time")

// ask puts a question and waits for the answer as long as a command may take. An
// answer that is late comes by the channel, as does the error when the connection
// ends before it: that tells whether Redis has counted the request. The client
// library would let a deadline cancel the wait as well, but keeps the late answer
// to itself.
func (r *Redis) ask(q question) (answer, <-chan reply, error) {
	client := r.client.Load()
	if client == nil {
		return answer{}, nil, errors.New("not connected to Redis")
	}
	if r.inFlight.Add(1) > maxInFlight {
		r.inFlight.Add(-1)
		return answer{}, nil, errBusy
	}
	began := time.Now()
	done := make(chan reply, 1)
	go func() {
		a, err := r.evaluate(*client, q)
		r.inFlight.Add(-1)
		done <- reply{a, err}
	}()
	timer := time.NewTimer(r.config.Timeout)
	defer timer.Stop()
	got, late := reply{err: errLate}, (<-chan reply)(done)
	select {
	case got = <-done:
		late = nil
	case <-timer.C:
	}
	if r.config.Observe != nil {
		r.config.Observe(time.Since(began), got.err)
	}
	return got.answer, late, got.err
}

// evaluate runs the script. It ends with an answer, or with the connection.
func (r *Redis) evaluate(client rueidis.Client, q question) (answer, error) {
	n, err := takeScript.Exec(context.Background(), client, []string{r.key(q.account)}, q.arguments(r.config.testNow)).AsIntSlice()
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
