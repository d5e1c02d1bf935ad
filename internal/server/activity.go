package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/api"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
)

// activityPart is how many rows one answer holds.
const activityPart = 500

// activityRow is a row of the record of activity as the operator reads it.
type activityRow struct {
	ID         int64  `json:"id"`
	At         string `json:"at"`
	Actor      string `json:"actor"` // key, session, operator or anonymous
	ActorID    int64  `json:"actor_id,omitempty"`
	Username   string `json:"username,omitempty"` // of the actor
	KeyID      int64  `json:"key_id,omitempty"`   // that the actor used
	KeyName    string `json:"key_name,omitempty"`
	IP         string `json:"ip,omitempty"`
	Action     string `json:"action"`
	Target     string `json:"target"`
	TargetID   int64  `json:"target_id,omitempty"`
	TargetName string `json:"target_name,omitempty"`
	OwnerID    int64  `json:"owner_id,omitempty"` // whose the target is
	Detail     string `json:"detail,omitempty"`
}

// readActivity answers with a part of the record, oldest first: {"data":[…],
// "next":ID}. Parameters: since, an RFC 3339 time; newest, how many of the newest rows
// there are to be; after, the next of the part before. next is absent at the end.
func (s *Server) readActivity(w http.ResponseWriter, r *http.Request) {
	reqlog.From(r.Context()).Route = "/operator/activity"
	l, err := activityLog(r)
	if err != nil {
		api.WriteError(w, r, err)
		return
	}
	rows, err := s.store.ReadActivity(r.Context(), l)
	if err != nil {
		api.WriteError(w, r, err)
		return
	}
	var out struct {
		Data []activityRow `json:"data"`
		Next int64         `json:"next,omitempty"`
	}
	out.Data = make([]activityRow, len(rows))
	for i, a := range rows {
		out.Data[i] = activityRow{
			ID: a.ID, At: a.At.UTC().Format(time.RFC3339), Actor: string(a.Actor.Kind), ActorID: a.Actor.UserID, Username: a.Actor.Username,
			KeyID: a.Actor.KeyID, KeyName: a.Actor.KeyName, IP: a.Actor.IP, Action: string(a.Action),
			Target: string(a.Target), TargetID: a.TargetID, TargetName: a.Name, OwnerID: a.OwnerID, Detail: a.Detail,
		}
	}
	if len(rows) == activityPart {
		out.Next = rows[len(rows)-1].ID
	}
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(out) // the command has gone
}

func activityLog(r *http.Request) (store.ActivityLog, error) {
	l := store.ActivityLog{Limit: activityPart}
	q := r.URL.Query()
	var err error
	if text := q.Get("since"); text != "" {
		if l.Since, err = stepsies.ParseTime(text); err != nil {
			return l, stepsies.BadRequest("since must be a time such as 2024-12-04T10:30:00Z.")
		}
	}
	if text := q.Get("newest"); text != "" {
		if l.Newest, err = strconv.Atoi(text); err != nil || l.Newest < 1 {
			return l, stepsies.BadRequest("newest must be a whole number from 1 on.")
		}
	}
	if text := q.Get("after"); text != "" {
		if l.After, err = strconv.ParseInt(text, 10, 64); err != nil || l.After < 0 || l.Newest > 0 {
			return l, stepsies.BadRequest("after must be the id of a row, without newest.")
		}
	}
	return l, nil
}
