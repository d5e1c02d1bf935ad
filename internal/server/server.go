// Package server makes a running server of a Config. It is the only place where
// everything meets.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/stepsies/stepsies/internal/api"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/mcp"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/readers"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web"
)

// Bounds of a server.
const (
	maxConnections   = 10_000
	shutdownTimeout  = 10 * time.Second // for requests that run when the end is asked for
	maxHeaderBytes   = 64 << 10
	readTimeout      = 60 * time.Second // a whole request, 2 MiB over a slow line
	writeTimeout     = 75 * time.Second // longer, so that a body that came too slowly is still told so
	idleTimeout      = 2 * time.Minute
	purgeInterval    = time.Hour
	watchInterval    = 250 * time.Millisecond // two system calls
	headerTimeout    = 10 * time.Second
	readinessTimeout = 2 * time.Second
)

// Config says what to serve and where.
type Config struct {
	DataDir     string // the folder of SQLite, the lock and the socket; unused with DatabaseURL
	DatabaseURL string // postgres://…; "" is SQLite in DataDir
	// PublicURL is without a slash at the end. The one of the first start stays in the ids of
	// feeds. "" is for what serves no readers, such as a command.
	PublicURL  string
	Origins    []string
	Proxies    reqlog.Proxies
	RateLimits bool // limits per account; leak reports and sign-ins are limited by address anyway
	// LeakPartners are the public keys of who may report leaked keys by signed messages,
	// in the form of api.ParsePartnerKeys; "": nobody may.
	LeakPartners string
	RedisURL     string        // redis://…, shared by the nodes for their limits; "" counts in memory
	SignUp       string        // open, invite or closed; "" is invite
	Mail         *mail.Mailer  // nil: no e-mail is sent
	Drain        time.Duration // how long /readyz says no before the listener closes
	// MetricsListener serves /metrics. Without one they are on the public listener,
	// for clients on this machine alone.
	MetricsListener net.Listener
	Version         string // of the program, as assistants are told it
	Log             *slog.Logger
	Now             func() time.Time // nil is time.Now
	// Migrate brings the database to this program's version first. Without it a
	// database that is behind is an error.
	Migrate bool
}

// CheckDatabaseURL reports whether Open can read a Config.DatabaseURL. What it says
// repeats nothing of it.
func CheckDatabaseURL(address string) error {
	if address == "" {
		return nil
	}
	return store.CheckURL(address)
}

// CheckRedisURL does the same for a Config.RedisURL.
func CheckRedisURL(address string) error {
	if address == "" {
		return nil
	}
	return ratelimit.CheckURL(address)
}

// CheckLeakPartners does the same for a Config.LeakPartners.
func CheckLeakPartners(keys string) error {
	_, err := leakPartners(keys)
	return err
}

func leakPartners(keys string) (api.PartnerKeys, error) {
	if keys == "" {
		return nil, nil
	}
	return api.ParsePartnerKeys([]byte(keys))
}

// Server is an open installation: its database and the handlers on it. Run makes
// it answer to the network.
type Server struct {
	config   Config
	dir      *dataDir // nil with PostgreSQL
	store    *store.Store
	usage    *auth.Usage
	readers  *readers.Counter
	metrics  *metrics
	limiter  limiter // nil: limits are off
	api      *api.API
	web      *web.Web
	public   http.Handler
	operator http.Handler
	draining atomic.Bool
}

// Open opens the installation. With SQLite it owns the data folder until Close.
func Open(ctx context.Context, c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.SignUp == "" {
		c.SignUp = string(web.SignUpInvite)
	}
	s := &Server{config: c}
	if err := s.open(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	c := s.config
	data := store.Config{URL: c.DatabaseURL, Now: c.Now}
	var err error
	if c.DatabaseURL == "" {
		if s.dir, err = ownDataDir(c.DataDir); err != nil {
			return err
		}
		data.Path = s.dir.database()
	}
	if s.store, err = store.Open(ctx, data); err != nil {
		return err
	}
	if c.Migrate || s.dir != nil {
		_, err = s.store.Migrate(ctx)
	} else {
		err = s.store.CheckVersion(ctx)
	}
	if err != nil {
		return err
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://localhost"
	} else if err := s.store.KeepOrigin(ctx, c.PublicURL); err != nil {
		return err
	}
	s.metrics = newMetrics()
	s.metrics.watchDatabase(s.store.Pools())
	s.usage = auth.NewUsage(s.store)
	keys := auth.NewKeys(s.store, s.usage, c.Now)
	keys.Observe(s.metrics.lookedUp)
	config := api.Config{
		Store: s.store, Keys: keys, PublicURL: c.PublicURL, Origins: c.Origins, Now: c.Now, Log: c.Log,
		Observe: s.metrics.admitted, ObserveLeaks: s.metrics.leaksReported,
	}
	config.Assistants = s.assistants
	if config.Partners, err = leakPartners(c.LeakPartners); err != nil {
		return fmt.Errorf("keys of partners: %w", err)
	}
	if c.RateLimits {
		if err := s.openLimits(); err != nil {
			return err
		}
		config.Limiter = s.limiter
	}
	config.Leaks = s.leakLimiter()
	if s.api, err = api.New(config); err != nil {
		return err
	}
	shared, _ := s.limiter.(*ratelimit.Redis)
	s.readers = readers.New(s.store, c.Now, c.Log)
	s.web = web.New(web.Config{
		Store: s.store, Sessions: auth.NewSessions(s.store, c.Now, strings.HasPrefix(c.PublicURL, "https:")),
		PublicURL: c.PublicURL, Limiter: s.webLimiter(), Shared: shared, Readers: s.readers, Mail: c.Mail, SignUp: web.SignUp(c.SignUp), OpenAPI: s.api.Document(), Now: c.Now, Log: c.Log,
		StepsyJSON: s.api.StepsyJSON,
	})
	s.public = reqlog.Handler(c.Log, c.Proxies, s.metrics.answered, s.routes())
	s.operator = reqlog.Handler(c.Log, nil, s.metrics.answered, s.operatorRoutes())
	return nil
}

// routes are those of the network.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.web)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.config.MetricsListener == nil {
		mux.Handle("GET /metrics", localOnly(s.metrics.handler()))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if api.Serves(r.URL.Path) {
			s.api.ServeHTTP(w, r) // not through the mux, which redirects to cleaner paths in HTML
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// assistants makes what serves assistants over HTTP.
func (s *Server) assistants(inside http.RoundTripper) http.Handler {
	return mcp.NewHandler(inside, mcp.Config{Version: s.config.Version, Log: s.config.Log})
}

// Store gives demo and tests the database beneath.
func (s *Server) Store() *store.Store { return s.store }

// FirstAdminLink is where the operator becomes the first admin, "" once there is
// a user.
func (s *Server) FirstAdminLink(ctx context.Context) (string, error) {
	return s.web.FirstAdminLink(ctx)
}

// API gives documentation and tests the operations.
func (s *Server) API() *api.API { return s.api }

// Handler is what the network is given.
func (s *Server) Handler() http.Handler { return s.public }

// OperatorHandler is what the operator's socket is given, and commands that run
// without a server.
func (s *Server) OperatorHandler() http.Handler { return s.operator }

// Flush writes what is gathered in memory: how many requests accounts made, of the use
// of keys, and of what readers do. A server that runs does so every few seconds.
func (s *Server) Flush(ctx context.Context) error {
	var errs []error
	if s.limiter != nil {
		errs = append(errs, s.limiter.Flush(ctx))
	}
	if s.usage != nil {
		errs = append(errs, s.usage.Flush(ctx))
	}
	if s.readers != nil {
		errs = append(errs, s.readers.Flush(ctx))
	}
	return errors.Join(errs...)
}

// Close writes what is still in memory and closes everything. It is for a server
// that does not run, or no more.
func (s *Server) Close() error {
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if s.web != nil {
		s.web.Finish(ctx) // e-mails on their way read the database
	}
	if s.limiter != nil {
		errs = append(errs, s.limiter.Close(ctx))
	}
	errs = append(errs, s.Flush(ctx))
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.dir != nil {
		errs = append(errs, s.dir.release())
	}
	return errors.Join(errs...)
}

// Run serves on the listener, and on the operator's socket where there is a data
// folder, until ctx ends. Then it stops accepting and lets what runs finish.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	listeners := []net.Listener{refusals{netutil.LimitListener(l, maxConnections), s.config.Log}}
	servers := []*http.Server{s.httpServer(s.public)}
	failed := make(chan error, 4) // one for each listener there can be, and one for the data
	var operator *http.Server
	if s.dir != nil {
		socket, err := s.dir.listen()
		if err != nil {
			_ = l.Close()
			return err
		}
		operator = s.httpServer(s.operator)
		go func() { failed <- operator.Serve(socket) }()
	}
	if m := s.config.MetricsListener; m != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", s.metrics.handler())
		listeners, servers = append(listeners, netutil.LimitListener(m, 100)), append(servers, s.httpServer(mux))
	}

	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	var jobs sync.WaitGroup
	jobs.Go(func() { gather(background, s.Flush, s.config.Log) })
	jobs.Go(func() { s.purge(background) })
	jobs.Go(func() { s.watchFile(background, failed) })

	for i, srv := range servers {
		go func() { failed <- srv.Serve(listeners[i]) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.draining.Store(true)
	if errors.Is(err, store.ErrMoved) {
		// What runs would be answered from data that is not this server's any more.
		for _, srv := range servers {
			_ = srv.Close()
		}
	}
	if err == nil {
		time.Sleep(s.config.Drain) // a load balancer asks /readyz and sends no more
	}
	end := time.Now().Add(shutdownTimeout)
	for _, srv := range servers {
		s.shutDown(srv, end)
	}
	if operator != nil {
		// The last one, so that commands work while the others finish.
		s.dir.hideSocket()
		s.shutDown(operator, end)
	}
	stopBackground()
	jobs.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// shutDown stops accepting and lets what runs finish until the given time, and a
// second at least.
func (s *Server) shutDown(srv *http.Server, end time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), max(time.Until(end), time.Second))
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		s.config.Log.Warn("some requests did not finish in time", "error", err)
		_ = srv.Close()
	}
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn),
	}
}

// purge removes what has had its time, at start and every hour.
func (s *Server) purge(ctx context.Context) {
	tick := time.NewTicker(purgeInterval)
	defer tick.Stop()
	for {
		gone, err := s.store.Purge(ctx)
		if err != nil && ctx.Err() == nil {
			s.config.Log.Warn("old trash could not be purged; it is tried again in an hour", "error", err)
		}
		if gone > 0 {
			continue // a bounded part went; there may be more
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// watchFile ends the server where its database is not where it was: somebody moved the
// data folder, or put another file in its place. Writes and new connections have looked
// by themselves; this is for what is remembered and for connections that are open.
func (s *Server) watchFile(ctx context.Context, failed chan<- error) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		if err := s.store.CheckFile(); err != nil {
			failed <- errors.Unwrap(err)
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	reqlog.From(r.Context()).Route = "/healthz"
	plain(w, http.StatusOK, "ok")
}

// readyz says whether requests should be sent here: the database answers and the
// server is not about to stop.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	reqlog.From(r.Context()).Route = "/readyz"
	ctx, cancel := context.WithTimeout(r.Context(), readinessTimeout)
	defer cancel()
	switch {
	case s.draining.Load():
		plain(w, http.StatusServiceUnavailable, "draining")
	case s.store.Ping(ctx) != nil:
		plain(w, http.StatusServiceUnavailable, "database unavailable")
	case s.limiter != nil && s.limiter.Degraded():
		plain(w, http.StatusOK, "degraded: Redis cannot be reached, limits are kept by each node alone")
	default:
		plain(w, http.StatusOK, "ready")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}
