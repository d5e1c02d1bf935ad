package ratelimit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/stepsies/stepsies"
)

// RedisConfig is what a [Redis] limiter needs.
type RedisConfig struct {
	Config

	// URL is where Redis or Valkey is: redis://user:password@host:port/db, rediss://
	// with TLS, unix:///path. Further nodes of a cluster are added as ?addr=host:port,
	// the name of a sentinel's set as ?master_set=.
	URL string
	// Prefix begins every key; "stepsies:" where empty.
	Prefix string
	// Timeout is how long a command may take; 50 ms where zero.
	Timeout time.Duration
	// Observe, if set, is told how long each decision by Redis took, and its error.
	Observe func(took time.Duration, err error)

	testNow func() int64 // Unix seconds; nil, but in tests, for Redis's own clock
}

const (
	// failuresToOpen is how many commands in a row fail before Redis is left alone.
	failuresToOpen = 5
	// maxInFlight bounds the commands that are under way; more are not sent. It stays
	// below the 1,024 that the client queues.
	maxInFlight = 768
	// dialTimeout bounds connecting, which nobody's request waits for.
	dialTimeout = time.Second
	// silence is how long a connection may have nothing to say before it is closed.
	// Until then its answers may come late and are understood, so it is long.
	silence = 5 * time.Second
)

// errBusy says that too many commands are under way.
var errBusy = errors.New("too many commands wait for Redis")

// Redis limits accounts over any number of nodes. Each decision is one script on
// one hash, one round trip, by Redis's clock.
//
// Redis is not trusted to be there. A command may take 50 ms; the request whose
// command fails is decided on this node's own [Memory], which knows what Redis
// last said. After five failures in a row Redis is left alone and every decision
// is taken here, while the background looks for it. When it is back, it is first
// told what was admitted without it, and then decides again.
//
// Redis is not trusted to remember either. Each node writes what it admitted to
// the database, and a month that is missing in Redis is filled from there. What
// other nodes admitted in the second before may be missing from that.
//
// Redis should not evict (maxmemory-policy noeviction): an evicted account has
// its minute and hour back.
type Redis struct {
	config  RedisConfig
	options rueidis.ClientOption
	memory  *Memory
	client  atomic.Pointer[rueidis.Client] // nil until connected for the first time

	degraded atomic.Bool  // the circuit is open: Redis is left alone
	failures atomic.Int32 // in a row
	inFlight atomic.Int32

	debtors struct { // accounts of which Redis lacks something
		mu       sync.Mutex
		accounts []*account
	}

	outcomes        outcomes
	errors, outages atomic.Uint64

	tripped chan struct{}
	stop    context.CancelFunc
	stopped chan struct{}
}

// CheckURL reports whether the address of a Redis can be read.
func CheckURL(address string) error {
	_, err := parseURL(address)
	return err
}

func parseURL(address string) (rueidis.ClientOption, error) {
	options, err := rueidis.ParseURL(address)
	if err != nil {
		// The cause quotes from the URL, and so perhaps from the password.
		return options, errors.New("the address of Redis must be a URL such as redis://host:6379/0")
	}
	return options, nil
}

// NewRedis returns a limiter that runs until Close, and whose owner calls Flush every
// few seconds. It waits up to a second for
// Redis; when that is not there, the limiter begins without it. An error means
// that the URL is wrong; it does not repeat the URL, which may hold a password.
func NewRedis(config RedisConfig) (*Redis, error) {
	options, err := parseURL(config.URL)
	if err != nil {
		return nil, err
	}
	config.Config = config.withDefaults()
	if config.Prefix == "" {
		config.Prefix = "stepsies:"
	}
	if config.Timeout <= 0 {
		config.Timeout = 50 * time.Millisecond
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Redis{
		config: config, options: clientOptions(options), memory: NewMemory(config.Config),
		tripped: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{}),
	}
	r.degraded.Store(true)
	first := make(chan struct{})
	go r.run(ctx, first)
	select {
	case <-first:
	case <-time.After(dialTimeout):
	}
	return r, nil
}

func clientOptions(o rueidis.ClientOption) rueidis.ClientOption {
	o.DisableCache = true    // nothing here is read twice
	o.DisableRetry = true    // the request does not have the time
	o.PipelineMultiplex = -1 // one connection: with two, a decision takes a third longer
	o.ConnWriteTimeout = silence
	if o.Dialer.Timeout <= 0 {
		o.Dialer.Timeout = dialTimeout
	}
	o.ClusterOption.MaxMovedRedirections = 3
	if o.Sentinel.MasterSet != "" {
		o.Sentinel.TopologyRefreshInterval = 5 * time.Second // a missed announcement is made up for
	}
	// The client's defaults of half a MiB each are for bulk; a decision is 300 bytes.
	o.ReadBufferEachConn, o.WriteBufferEachConn = 64<<10, 64<<10
	return o
}

// Take counts one request of the account if its limits admit it, over all nodes.
// It waits at most 50 ms for Redis; at an account's first use in a month also for
// the database, at most half a second, and for Redis again.
func (r *Redis) Take(ctx context.Context, account int64, limits stepsies.Limits) Decision {
	return r.decide(ctx, account, limits, true)
}

// Peek returns what Take would decide, and counts nothing.
func (r *Redis) Peek(ctx context.Context, account int64, limits stepsies.Limits) Decision {
	return r.decide(ctx, account, limits, false)
}

func (r *Redis) decide(ctx context.Context, id int64, l stepsies.Limits, take bool) Decision {
	if r.degraded.Load() {
		return r.decideAlone(ctx, id, l, take, nil)
	}
	q := question{account: id, limits: l, take: take}
	a, late, err := r.ask(q)
	if err == nil && a.missing {
		q.month, q.held = r.recall(ctx, id, a.time)
		a, late, err = r.ask(q)
	}
	if err != nil {
		r.failed(err)
		return r.decideAlone(ctx, id, l, take, late)
	}
	r.succeeded()
	return r.believe(id, l, take, a)
}

// decideAlone takes a decision on this node's memory, and owes the request to
// Redis. Where an answer may still come, that is in doubt until then.
func (r *Redis) decideAlone(ctx context.Context, id int64, l stepsies.Limits, take bool, late <-chan reply) Decision {
	d := r.memory.decide(ctx, id, l, take, func(a *account) {
		r.owe(a)
		if late != nil {
			one := counts{1, 1, 1}
			a.doubt = a.doubt.plus(one, 1)
			go r.awaitLate(a, one, a.clock, late)
		}
	})
	d.Degraded = true
	return d
}

// awaitLate ends a doubt. The wait ends with the connection at the latest.
func (r *Redis) awaitLate(a *account, n counts, of clock, late <-chan reply) {
	got := <-late
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resolve(n, of, got.err == nil && got.admitted)
	if got.err == nil && !got.missing && a.clock.minute == got.minuteStart() {
		a.heard(got.counts)
	}
}

// believe takes over what Redis has decided, so that this node knows it when it
// has to go on alone, and notes it for the database.
func (r *Redis) believe(id int64, l stepsies.Limits, take bool, said answer) Decision {
	a := r.memory.lock(id)
	a.advance(said.time)
	if a.clock.minute == said.minuteStart() {
		a.heard(said.counts)
	}
	at := moment{time: said.time, shift: said.shift, monthEnd: a.clock.monthEnd}
	if said.time < a.clock.monthStart { // an answer of the month before, overtaken by newer ones
		_, at.monthEnd = monthOf(said.time)
	}
	if take && said.admitted {
		r.memory.admitted(a, at)
	}
	if said.month < 0 { // Redis goes on without it
		if take && said.admitted {
			a.month++
		}
		said.month = a.month
	}
	a.mu.Unlock()

	refused := None
	if !take || !said.admitted {
		refused = said.exceeded(l)
	}
	d := said.describe(l, refused, at)
	if take {
		r.outcomes.count(d)
	}
	return d
}

// recall returns what this node knows of an account that Redis does not know: the
// month from the database, and the minute and hour as Redis last said them.
func (r *Redis) recall(ctx context.Context, id, time int64) (known, held) {
	a := r.memory.lock(id)
	defer a.mu.Unlock()
	a.advance(time)
	return r.recallLocked(ctx, a)
}

func (r *Redis) recallLocked(ctx context.Context, a *account) (known, held) {
	r.memory.learnMonth(ctx, a)
	k := known{text: "-"}
	if a.monthKnown {
		k = known{text: decimal(a.month), of: a.clock.monthStart}
	}
	return k, held{of: a.clock.minute, minute: a.minute, hour: a.hour}
}

// Flush does what [Memory.Flush] does. Redis is told in the background.
func (r *Redis) Flush(ctx context.Context) error { return r.memory.Flush(ctx) }

// Degraded reports whether this node decides alone, since Redis cannot be reached.
func (r *Redis) Degraded() bool { return r.degraded.Load() }

// Stats returns what the limiter has done so far.
func (r *Redis) Stats() Stats {
	s := r.memory.Stats()
	r.outcomes.addTo(&s.Redis)
	s.Degraded, s.Owed = r.degraded.Load(), r.debtorCount()
	s.RedisErrors, s.RedisOutages = r.errors.Load(), r.outages.Load()
	return s
}

// Close tells Redis and the database what they have not got, and stops the
// background. It returns an error where counts could not be written to the database
// before the context was done.
func (r *Redis) Close(ctx context.Context) error {
	r.stop()
	select {
	case <-r.stopped:
	case <-ctx.Done():
	}
	if !r.degraded.Load() {
		r.settle(ctx)
	}
	err := r.memory.Close(ctx)
	if client := r.client.Load(); client != nil {
		closed := make(chan struct{})
		go func() { (*client).Close(); close(closed) }() // waits for commands that are under way
		select {
		case <-closed:
		case <-ctx.Done():
		}
	}
	return err
}
