package web

import (
	"regexp"
	"time"

	"github.com/stepsies/stepsies"
)

// deed is a row of the record of activity as a sentence: "sarahchen · revoked the
// key · CI Pipeline".
type deed struct {
	Actor  string
	Verb   string
	Name   string // of what it was done to, "" where the sentence needs none
	Href   string // of that, "" where it has no page
	Tail   string // what follows the name
	Detail string
	IP     string // "" where it is nobody's business
	At     time.Time
}

// deedsOf tells a reader what happened.
func (q *request) deedsOf(rows []stepsies.Activity) []deed {
	deeds := make([]deed, len(rows))
	for i, a := range rows {
		deeds[i] = deedOf(q.session.User, a)
	}
	return deeds
}

// deedOf tells one row. Where an admin did something to what is another's, the
// address they came from is not for the other to know.
func deedOf(reader stepsies.User, a stepsies.Activity) deed {
	d := deed{Actor: actorName(reader, a.Actor), Name: a.Name, Detail: readableTimes(a.Detail), At: a.At}
	if reader.Role == stepsies.RoleAdmin || a.Actor.UserID == reader.ID || a.Actor.Kind == stepsies.ActorAnonymous {
		d.IP = a.Actor.IP
	}
	switch a.Target {
	case "api_key":
		d.ofKey(a)
	case "stepsy":
		d.ofStepsy(a)
	case "user":
		d.ofUser(reader, a)
	default:
		d.Verb = map[string]string{"backup.restore": "restored a backup"}[a.Action]
		d.Name = ""
	}
	if d.Verb == "" { // of another version of this program
		d.Verb, d.Name = "did "+a.Action, a.Name
	}
	return d
}

// machineTime is a time as the record holds it.
var machineTime = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// readableTimes writes the times of a detail as people do.
func readableTimes(detail string) string {
	return machineTime.ReplaceAllStringFunc(detail, func(text string) string {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return text
		}
		return t.Format("2 Jan 2006, 15:04 UTC")
	})
}

// actorName names who did something, to a reader who may be the same.
func actorName(reader stepsies.User, a stepsies.Actor) string {
	switch a.Kind {
	case stepsies.ActorOperator:
		return "The operator"
	case stepsies.ActorAnonymous:
		return "Someone"
	case stepsies.ActorKey:
		if a.UserID == reader.ID {
			return "Your key " + a.KeyName
		}
		return a.Username + "’s key " + a.KeyName
	}
	if a.UserID == reader.ID {
		return "You"
	}
	return a.Username
}

func (d *deed) ofKey(a stepsies.Activity) {
	d.Href = keyPath(stepsies.APIKey{ID: a.TargetID}, "")
	d.Verb = map[string]string{
		"api_key.create": "created the key", "api_key.update": "edited the key", "api_key.revoke": "revoked the key",
		"api_key.rotate": "rotated the key", "api_key.leaked": "reported the key", "api_key.keep_back": "restored the key",
	}[a.Action]
	if a.Action == "api_key.keep_back" {
		d.Tail = " with less than in the backup"
	}
	if a.Action == "api_key.revoke" && a.Actor.Kind == stepsies.ActorAnonymous {
		d.Actor = "A new password, set by e-mail," // see Store.ResetPassword
	}
	if a.Action == "api_key.leaked" {
		d.Tail = " as leaked, so it was revoked"
		if a.Actor.Kind == stepsies.ActorAnonymous {
			d.Actor = "Someone who held it"
			if a.Actor.Username != "" {
				d.Actor = a.Actor.Username // who signed the report
			}
		}
		if d.Detail != "" {
			d.Detail = "Found at, as they say: " + d.Detail
		}
	}
}

func (d *deed) ofStepsy(a stepsies.Activity) {
	if a.Action != "stepsy.delete" {
		d.Href = stepsyPath(stepsies.Stepsy{ID: a.TargetID}, "")
	}
	d.Verb = map[string]string{
		"stepsy.create": "created the stepsy", "stepsy.update": "edited the stepsy", "stepsy.publish": "published the stepsy",
		"stepsy.unpublish": "took the stepsy", "stepsy.delete": "moved the stepsy", "stepsy.restore": "put the stepsy",
		"stepsy.preview_link": "made a preview link of the stepsy", "stepsy.preview_link_end": "ended the preview link of the stepsy",
	}[a.Action]
	d.Tail = map[string]string{
		"stepsy.unpublish": " back to draft", "stepsy.delete": " to the trash", "stepsy.restore": " back from the trash",
	}[a.Action]
}

// ofUser tells what was done to a user, or what they did to themselves.
func (d *deed) ofUser(reader stepsies.User, a stepsies.Activity) {
	self := a.Actor.UserID != 0 && a.Actor.UserID == a.TargetID
	their := "their"
	if a.TargetID == reader.ID {
		their = "your"
	}
	if a.Actor.Kind == stepsies.ActorAnonymous && a.TargetID != 0 {
		self, d.Actor = true, a.Name
		if a.TargetID == reader.ID {
			d.Actor = "You"
		}
	}
	// What someone did to themselves, to the reader, and to anybody else.
	type words struct{ self, reader, other string }
	w, known := map[string]words{
		"user.create":        {"signed up", "created your account", "created the user"},
		"user.update":        {"changed " + their + " profile", "changed your account", "changed the user"},
		"user.suspend":       {"suspended " + their + " account", "suspended your account", "suspended the user"},
		"user.unsuspend":     {"ended the suspension of " + their + " account", "ended the suspension of your account", "ended the suspension of"},
		"user.delete":        {"deleted " + their + " account", "deleted your account", "deleted the user"},
		"user.email_ask":     {"asked for another e-mail address", "asked for another e-mail address for you", "asked for another e-mail address for"},
		"user.email_end":     {"took back the e-mail address asked for", "took back the e-mail address asked for", "took back the e-mail address asked for by"},
		"user.email_confirm": {"changed " + their + " e-mail address, by confirming the new one", "changed your e-mail address", "changed the e-mail address of"},
		"user.email_verify":  {"confirmed " + their + " e-mail address", "confirmed your e-mail address", "confirmed the e-mail address of"},
		"user.password":      {"set a new password", "set a new password for you", "set a new password for"},
		"user.password_link": {"made a link to set " + their + " password", "made a link to set your password", "made a link to set a new password for"},
		"user.keep_back":     {"", "restored your account with less than in the backup", "restored with less than in the backup the user"},
		"user.invite":        {"", "", "invited"},
		"user.uninvite":      {"", "", "took back the invitation of"},
		"session.start":      {"signed in", "signed in as you", "signed in as"},
		"session.end":        {"signed out", "signed you out", "signed out"},
		"session.end_all":    {"signed out everywhere", "signed you out everywhere", "ended every session of"},
	}[a.Action]
	switch {
	case !known:
	case self:
		d.Verb, d.Name = w.self, ""
	case a.TargetID == reader.ID:
		d.Verb, d.Name = w.reader, ""
	case a.Name == "": // an invitation that was sent to nobody
		d.Verb = map[string]string{"user.invite": "made an invitation", "user.uninvite": "took back an invitation"}[a.Action]
	default:
		d.Verb = w.other
		if reader.Role == stepsies.RoleAdmin && a.TargetID != 0 && a.Action != "user.delete" {
			d.Href = userPath(a.Name, "")
		}
	}
}
