package server

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/api"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
)

// operatorRoutes are those of the operator's socket: the API with all of scope
// admin, and the few operations that are the operator's alone.
func (s *Server) operatorRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.api)
	mux.HandleFunc("PUT /operator/users/{username}/password", s.setPassword)
	mux.HandleFunc("POST /operator/users/{username}/unlock", s.unlockUser)
	mux.HandleFunc("GET /operator/backup", s.backup)
	mux.HandleFunc("GET /operator/activity", s.readActivity)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(api.AsOperator(r.Context())))
	})
}

// setPassword takes {"password": "…"}.
func (s *Server) setPassword(w http.ResponseWriter, r *http.Request) {
	reqlog.From(r.Context()).Route = "/operator/users/{username}/password"
	var in struct {
		Password string `json:"password"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<10)).Decode(&in); err != nil {
		api.WriteError(w, r, stepsies.BadRequest("The body must be {\"password\": \"…\"}."))
		return
	}
	if err := auth.CheckPassword(in.Password); err != nil {
		api.WriteError(w, r, stepsies.Invalid("password", "%s", err))
		return
	}
	hash, err := auth.HashPassword(r.Context(), in.Password)
	if err == nil {
		err = s.store.SetPassword(r.Context(), store.Write{Actor: auth.Operator().Actor}, r.PathValue("username"), hash, 0)
	}
	if err != nil {
		api.WriteError(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// unlockUser lets a user sign in again after too many wrong passwords.
func (s *Server) unlockUser(w http.ResponseWriter, r *http.Request) {
	reqlog.From(r.Context()).Route = "/operator/users/{username}/unlock"
	if err := s.store.UnlockSignIn(r.Context(), store.Write{Actor: auth.Operator().Actor}, r.PathValue("username")); err != nil {
		api.WriteError(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// BackupComplete is the trailer of a backup that was written to its end.
const BackupComplete = "Stepsies-Backup-Complete"

// backup streams a backup. That it broke off shows in the missing trailer.
func (s *Server) backup(w http.ResponseWriter, r *http.Request) {
	entry := reqlog.From(r.Context())
	entry.Route = "/operator/backup"
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // as long as it takes
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Trailer", BackupComplete)
	if err := s.store.Backup(r.Context(), w); err != nil {
		entry.Err = err
		return
	}
	w.Header().Set(BackupComplete, "true")
}
