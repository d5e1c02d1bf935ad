package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// Lifetimes of what a browser holds.
const (
	SessionLifetime    = 30 * 24 * time.Hour
	PasswordLink       = time.Hour
	EmailLink          = 24 * time.Hour
	InvitationLink     = 7 * 24 * time.Hour
	FirstAdminLink     = 24 * time.Hour
	touchEvery         = time.Minute
	maxUserAgent       = 200 // bytes kept of what a browser calls itself
	sessionTokenLength = 32  // random bytes
)

// ErrSignIn is the one answer to every sign-in that fails, whatever the cause.
var ErrSignIn = &stepsies.Error{Code: stepsies.CodeUnauthorized, Message: "The username or the password is not right."}

// Sessions signs people in to the dashboard.
type Sessions struct {
	store  *store.Store
	now    func() time.Time
	secure bool // behind TLS, so that cookies never leave it
}

// NewSessions returns what signs people in. Secure says that the installation is
// reached by https.
func NewSessions(s *store.Store, now func() time.Time, secure bool) *Sessions {
	return &Sessions{store: s, now: now, secure: secure}
}

// Session is a signed-in person.
type Session struct {
	store.Session
	User  stepsies.User
	token store.TokenHash
}

// Seal returns what shows that the server has handed a text to this session's browser:
// its HMAC-SHA256 under the session's token, in base64url. Nobody is signed in: "".
func (s Session) Seal(text string) string {
	if s.ID == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, s.token[:])
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Actor is the person, as the record of activity names them.
func (s Session) Actor(ip string) stepsies.Actor {
	return stepsies.Actor{Kind: stepsies.ActorSession, UserID: s.User.ID, Username: s.User.Username, IP: ip}
}

// Write is a change that the person makes on a page for those who have the role, ""
// for everybody.
func (s Session) Write(ip string, role stepsies.Role) store.Write {
	return store.Write{Actor: s.Actor(ip), Right: store.Right{SessionID: s.ID, Token: s.token, Role: role}}
}

// Access is how far the person reached when their session was read. What a write
// reaches is found out by the store.
func (s Session) Access() stepsies.Access {
	return stepsies.Access{UserID: s.User.ID, AccountID: s.User.Account.ID, Everyone: s.User.Role == stepsies.RoleAdmin}
}

// SignIn checks the password of whom a login names, see [store.Store.SignInOf], and
// starts a session, whose cookie it sets. The work is the same whether there is anybody.
// It is ErrSignIn where the password is wrong. The caller limits how often it may be
// tried.
func (s *Sessions) SignIn(ctx context.Context, w http.ResponseWriter, r *http.Request, who store.SignIn, password, ip string) error {
	ok, err := PasswordMatches(ctx, password, who.PasswordHash)
	if err != nil {
		return err
	}
	if !ok || who.User.Suspended() {
		return ErrSignIn
	}
	_, err = s.Start(ctx, w, r, who.User, who.PasswordHash, ip)
	return err
}

// Start begins a session of the user in this browser, in place of the one that it
// had: a token never outlives a sign-in. It is ErrSignIn where the user was suspended
// or deleted meanwhile, or where passwordHash is no longer that of their password.
func (s *Sessions) Start(ctx context.Context, w http.ResponseWriter, r *http.Request, u stepsies.User, passwordHash, ip string) (Session, error) {
	token, hash := NewToken()
	agent := r.UserAgent()
	agent = strings.ToValidUTF8(agent[:min(len(agent), maxUserAgent)], "") // the cut may go through a character
	made, err := s.store.CreateSession(ctx, store.NewSession{
		UserID: u.ID, PasswordHash: passwordHash, Token: hash, IP: ip, UserAgent: agent, Lifetime: SessionLifetime,
	})
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return Session{}, ErrSignIn
	}
	if err != nil {
		return Session{}, err
	}
	http.SetCookie(w, s.cookie(token, int(SessionLifetime.Seconds())))
	s.Remember(w, r, passwordHash)
	if old, err := s.Current(ctx, r); err == nil {
		if err := s.store.EndSession(ctx, old.Write(ip, ""), old.User, old.ID); err != nil && !errors.Is(err, store.ErrSignedOut) {
			return Session{}, err
		}
	}
	return Session{Session: made, User: u, token: hash}, nil
}

// ChangePassword sets the hash of the password of whoever is signed in. This browser
// gets a new token, every other one is signed out.
func (s *Sessions) ChangePassword(ctx context.Context, w http.ResponseWriter, write store.Write, session Session, passwordHash string) (Session, error) {
	token, hash := NewToken()
	if err := s.store.ChangePassword(ctx, write, session.User.Username, passwordHash, session.ID, hash); err != nil {
		return session, err
	}
	http.SetCookie(w, s.cookie(token, max(1, int(session.ExpiresAt.Sub(s.now()).Seconds()))))
	session.token = hash
	return session, nil
}

// Current returns the session of a request's cookie. The error has the code
// not_found where nobody is signed in.
func (s *Sessions) Current(ctx context.Context, r *http.Request) (Session, error) {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return Session{}, stepsies.NotFound("session")
	}
	hash, ok := ParseToken(c.Value)
	if !ok {
		return Session{}, stepsies.NotFound("session")
	}
	found, u, err := s.store.SessionByToken(ctx, hash)
	return Session{Session: found, User: u, token: hash}, err
}

// Touch notes that a session was seen, at most once a minute.
func (s *Sessions) Touch(ctx context.Context, session Session, ip string) error {
	if s.now().Sub(session.LastSeenAt) < touchEvery {
		return nil
	}
	return s.store.TouchSession(ctx, session.ID, ip)
}

// SignOut ends the session of this browser.
func (s *Sessions) SignOut(ctx context.Context, w http.ResponseWriter, session Session, ip string) error {
	http.SetCookie(w, s.cookie("", -1))
	return s.store.EndSession(ctx, session.Write(ip, ""), session.User, session.ID)
}

func (s *Sessions) cookieName() string { return CookieName("stepsies_session", s.secure) }

// CookieName is what a cookie is called. Where there is TLS it has the prefix that
// binds it to this host (RFC 6265bis §4.1.3.2): browsers then take it from no neighbour
// under the same domain.
func CookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

func (s *Sessions) cookie(token string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(), Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	}
}

// NewToken makes a token for a session or a link: 256 random bits in base64url,
// and the hash under which it is stored.
func NewToken() (string, store.TokenHash) {
	var random [sessionTokenLength]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand says so
	token := base64.RawURLEncoding.EncodeToString(random[:])
	return token, sha256.Sum256([]byte(token))
}

// ParseToken returns the hash of what has the form of a token.
func ParseToken(token string) (store.TokenHash, bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != sessionTokenLength {
		return store.TokenHash{}, false
	}
	return sha256.Sum256([]byte(token)), true
}
