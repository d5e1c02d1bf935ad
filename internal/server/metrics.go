package server

import (
	"database/sql"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/reqlog"
)

// metrics is what a server tells of itself. Every label takes its values from a
// short list: routes are patterns, never paths.
type metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	admissions *prometheus.CounterVec
	lookups    *prometheus.CounterVec
	batches    prometheus.Histogram
	lookupTime prometheus.Histogram
	redisTime  prometheus.Histogram
	leaks      *prometheus.CounterVec
	leakedKeys *prometheus.CounterVec
}

// secondsBuckets go from 100 µs to 10 s.
var secondsBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stepsies_http_requests_total", Help: "Requests answered, by route, method and status.",
		}, []string{"route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stepsies_http_request_duration_seconds", Help: "How long requests took, by route.", Buckets: secondsBuckets,
		}, []string{"route"}),
		admissions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stepsies_admissions_total", Help: "API requests by how they were admitted: ok, or the code of the refusal.",
		}, []string{"outcome"}),
		lookups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stepsies_key_lookups_total", Help: "Queries for API keys, each for a batch of requests, by outcome.",
		}, []string{"outcome"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stepsies_key_lookup_keys", Help: "How many keys one query asked for.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64},
		}),
		lookupTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stepsies_key_lookup_duration_seconds", Help: "How long one query for API keys took.", Buckets: secondsBuckets,
		}),
		redisTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stepsies_redis_decision_duration_seconds", Help: "How long a decision by Redis took.", Buckets: secondsBuckets,
		}),
		leaks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stepsies_leak_reports_total", Help: "Reports of leaked keys, by who made them (anyone, or signed by github) and outcome: taken, or the code of the refusal.",
		}, []string{"from", "outcome"}),
		leakedKeys: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stepsies_leaked_keys_revoked_total", Help: "Keys that a leak report ended, by who made it.",
		}, []string{"from"}),
	}
	for _, from := range []string{"anyone", "github"} { // what never happened is 0, and not nothing
		m.leaks.WithLabelValues(from, "taken")
		m.leakedKeys.WithLabelValues(from)
	}
	m.registry.MustRegister(m.leaks, m.leakedKeys, m.requests, m.durations, m.admissions, m.lookups, m.batches, m.lookupTime, m.redisTime,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) answered(a reqlog.Answer) {
	route, method := a.Route, a.Method
	if route == "" {
		route = "none"
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodOptions:
	default:
		method = "other" // a client may make up any number of them
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(a.Status)).Inc()
	m.durations.WithLabelValues(route).Observe(a.Took.Seconds())
}

func (m *metrics) admitted(outcome string) { m.admissions.WithLabelValues(outcome).Inc() }

func (m *metrics) leaksReported(from, outcome string, revoked int) {
	m.leaks.WithLabelValues(from, outcome).Inc()
	m.leakedKeys.WithLabelValues(from).Add(float64(revoked))
}

func (m *metrics) lookedUp(keys int, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	m.lookups.WithLabelValues(outcome).Inc()
	m.batches.Observe(float64(keys))
	m.lookupTime.Observe(took.Seconds())
}

// watchDatabase exports the state of the pools.
func (m *metrics) watchDatabase(read, write *sql.DB) {
	m.registry.MustRegister(collectors.NewDBStatsCollector(write, "write"))
	if read != write {
		m.registry.MustRegister(collectors.NewDBStatsCollector(read, "read"))
	}
}

// watchLimiter exports what a limiter has done.
func (m *metrics) watchLimiter(stats func() ratelimit.Stats) {
	counter := func(name, help string, labels prometheus.Labels, value func(ratelimit.Stats) uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(value(stats())) }))
	}
	gauge := func(name, help string, value func(ratelimit.Stats) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return value(stats()) }))
	}
	for store, of := range map[string]func(ratelimit.Stats) ratelimit.Outcomes{
		"memory": func(s ratelimit.Stats) ratelimit.Outcomes { return s.Memory },
		"redis":  func(s ratelimit.Stats) ratelimit.Outcomes { return s.Redis },
	} {
		for decision, n := range map[string]func(ratelimit.Outcomes) uint64{
			"allowed":        func(o ratelimit.Outcomes) uint64 { return o.Allowed },
			"refused_minute": func(o ratelimit.Outcomes) uint64 { return o.RefusedMinute },
			"refused_hour":   func(o ratelimit.Outcomes) uint64 { return o.RefusedHour },
			"refused_month":  func(o ratelimit.Outcomes) uint64 { return o.RefusedMonth },
		} {
			counter("stepsies_limiter_decisions_total", "Decisions of the rate limiter, by where they were taken.",
				prometheus.Labels{"store": store, "decision": decision}, func(s ratelimit.Stats) uint64 { return n(of(s)) })
		}
	}
	counter("stepsies_limiter_redis_errors_total", "Commands to Redis that failed or took too long.", nil,
		func(s ratelimit.Stats) uint64 { return s.RedisErrors })
	counter("stepsies_limiter_redis_outages_total", "How often Redis was given up for a while.", nil,
		func(s ratelimit.Stats) uint64 { return s.RedisOutages })
	counter("stepsies_limiter_save_failures_total", "Writes of the month's counts that failed; they are kept and tried again.", nil,
		func(s ratelimit.Stats) uint64 { return s.SaveFailures })
	gauge("stepsies_limiter_accounts", "Accounts in this node's memory.", func(s ratelimit.Stats) float64 { return float64(s.Accounts) })
	gauge("stepsies_degraded", "1 while limits are kept on this node's memory alone, since Redis cannot be reached.", func(s ratelimit.Stats) float64 {
		if s.Degraded {
			return 1
		}
		return 0
	})
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 5 * time.Second})
}

// localOnly answers requests that come from this machine and through no proxy,
// and has nothing at this address for others.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reqlog.From(r.Context()).Route = "/metrics"
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		addr, addrErr := netip.ParseAddr(host)
		if err != nil || addrErr != nil || !addr.Unmap().IsLoopback() || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
