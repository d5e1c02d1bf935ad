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

// ForgetName begins anew for a name: a sign-in that succeeded ends the count of
// those that failed.
func (l *AddressLimiter) ForgetName(ctx context.Context, name string) {
	c := nameCaller(name)
	l.mu.Lock()
	if e := l.callers[c]; e != nil {
		l.forget(e)
	}
	l.mu.Unlock()
	if l.config.Shared != nil {
		// At worst the count goes on until its window ends.
		_ = l.config.Shared.forgetEvents(ctx, l.key(c))
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
	return Verdict{Allowed: true}
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
	return Verdict{Allowed: true}, nil
}

func (r *Redis) forgetEvents(ctx context.Context, key string) error {
	client := r.client.Load()
	if client == nil || r.degraded.Load() {
		return errAlone
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.Timeout)
	defer cancel()
	return (*client).Do(ctx, (*client).B().Del().Key(r.config.Prefix+key).Build()).Error()
}
