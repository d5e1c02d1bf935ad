package ratelimit

import (
	"container/list"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// maxCallers is how many addresses and names an AddressLimiter remembers; the ones
// whose window began first are forgotten first. That is 20 MB at most.
const maxCallers = 100_000

// AddressLimiter admits a number of events in a window for each client address, or
// for each name that someone tries to sign in with. A window begins with the first
// event. It is for those who have no API key; keys are never limited by address.
type AddressLimiter struct {
	config AddressConfig

	mu      sync.Mutex
	callers map[caller]*list.Element // of *events
	oldest  *list.List               // by the start of their windows
}

// AddressConfig is what an [AddressLimiter] admits.
type AddressConfig struct {
	Name   string        // what is limited, as a part of keys in Redis: "sign-in"
	Limit  int           // events in a window
	Window time.Duration // its length, from the first event on

	// Shared makes all nodes count together, while Redis can be reached. Without
	// it, or meanwhile, each node counts for itself.
	Shared *Redis
	Now    func() time.Time // time.Now where nil
}

// Verdict is the answer for one event.
type Verdict struct {
	Allowed bool
	// RetryAfter is how long the window goes on, in whole seconds, rounded up, at
	// least 1; 0 where the event was admitted.
	RetryAfter int64

	until  time.Time // when its window ends
	shared bool      // counted in Redis
	left   time.Duration
}

// caller is a hash of an address or a name, so that an entry has one size whatever
// a client sends, and that no address stands in Redis.
type caller [sha256.Size]byte

type events struct {
	caller caller
	began  time.Time
	count  int
}

// NewAddressLimiter returns a limiter. It needs no closing.
func NewAddressLimiter(config AddressConfig) *AddressLimiter {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &AddressLimiter{config: config, callers: make(map[caller]*list.Element), oldest: list.New()}
}

// Take counts an event from a client's address, if its limit admits it. The
// addresses of one IPv6 /64 count as one, since that is what a subscriber gets.
func (l *AddressLimiter) Take(ctx context.Context, address string) Verdict {
	return l.take(ctx, addressCaller(address))
}

// TakeName counts an event for a name, whoever it comes from. Names that differ in
// case only are one.
func (l *AddressLimiter) TakeName(ctx context.Context, name string) Verdict {
	return l.take(ctx, nameCaller(name))
}

// GiveBackName takes an event of a name back that [AddressLimiter.TakeName] admitted: it
// turned out to be none that counts. Once the window of that verdict is over there is
// nothing to give back, so that nobody gains a part of the next one.
func (l *AddressLimiter) GiveBackName(ctx context.Context, name string, v Verdict) {
	now := l.config.Now()
	if !v.Allowed || !now.Before(v.until) {
		return
	}
	c := nameCaller(name)
	if v.shared {
		// At worst the event counts until its window ends.
		_ = l.config.Shared.giveBackEvent(ctx, l.key(c))
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.callers[c]; e != nil {
		if ev := e.Value.(*events); ev.began.Add(l.config.Window).Equal(v.until) && ev.count > 0 {
			ev.count--
		}
	}
}

func addressCaller(address string) caller {
	return sha256.Sum256([]byte("address " + Network(address)))
}

func nameCaller(name string) caller {
	return sha256.Sum256([]byte("name " + strings.ToLower(name)))
}

// Network returns what an address counts as: itself, or with IPv6 its /64, since that
// is what a subscriber gets. What is no address is returned as it is.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

func (l *AddressLimiter) key(c caller) string {
	return "event:" + l.config.Name + ":" + hex.EncodeToString(c[:16])
}

func (l *AddressLimiter) take(ctx context.Context, c caller) Verdict {
	if l.config.Shared != nil {
		if v, err := l.config.Shared.takeEvent(ctx, l.key(c), l.config.Limit, l.config.Window); err == nil {
			v.until = l.config.Now().Add(v.left)
			return v
		}
	}
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(c, now)
	if e.count >= l.config.Limit {
		return refuse(l.config.Window - now.Sub(e.began))
	}
	e.count++
	return Verdict{Allowed: true, until: e.began.Add(l.config.Window)}
}

// entry returns the caller's window, a new one where it had none or it is over.
func (l *AddressLimiter) entry(c caller, now time.Time) *events {
	if e := l.callers[c]; e != nil {
		if ev := e.Value.(*events); now.Sub(ev.began) < l.config.Window {
			return ev
		}
		l.forget(e)
	}
	// Windows are equally long, so the ones that are over stand in front.
	for e := l.oldest.Front(); e != nil; e = l.oldest.Front() {
		if len(l.callers) < maxCallers && now.Sub(e.Value.(*events).began) < l.config.Window {
			break
		}
		l.forget(e)
	}
	ev := &events{caller: c, began: now}
	l.callers[c] = l.oldest.PushBack(ev)
	return ev
}

func (l *AddressLimiter) forget(e *list.Element) {
	delete(l.callers, l.oldest.Remove(e).(*events).caller)
}

func refuse(wait time.Duration) Verdict {
	return Verdict{RetryAfter: max(int64((wait+time.Second-1)/time.Second), 1)}
}

//go:embed event.lua
var eventSource string

var eventScript = rueidis.NewLuaScript(eventSource)

var errAlone = errors.New("redis is not in use")

// takeEvent counts an event over all nodes.
func (r *Redis) takeEvent(ctx context.Context, key string, limit int, window time.Duration) (Verdict, error) {
	client := r.client.Load()
	if client == nil || r.degraded.Load() {
		return Verdict{}, errAlone
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.Timeout)
	defer cancel()
	n, err := eventScript.Exec(ctx, *client, []string{r.config.Prefix + key},
		[]string{decimal(int64(limit)), decimal(window.Milliseconds())}).AsIntSlice()
	if err == nil && len(n) != 3 {
		err = fmt.Errorf("an answer of %d numbers", len(n))
	}
	if err != nil {
		r.failed(err)
		return Verdict{}, fmt.Errorf("count an event in Redis: %w", err)
	}
	r.succeeded()
	if n[0] == 0 {
		return refuse(time.Duration(n[2]) * time.Millisecond), nil
	}
	return Verdict{Allowed: true, shared: true, left: time.Duration(n[2]) * time.Millisecond}, nil
}

// giveBackScript lowers a counter that is there still.
var giveBackScript = rueidis.NewLuaScript(`local n = tonumber(redis.call('GET', KEYS[1])) or 0
if n > 0 then redis.call('DECR', KEYS[1]) end
return n`)

func (r *Redis) giveBackEvent(ctx context.Context, key string) error {
	client := r.client.Load()
	if client == nil || r.degraded.Load() {
		return errAlone
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.Timeout)
	defer cancel()
	return giveBackScript.Exec(ctx, *client, []string{r.config.Prefix + key}, nil).Error()
}
