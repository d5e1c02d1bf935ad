package page

import (
	"regexp"
	"time"

	"github.com/stepsies/stepsies"
)

// Deed is a row of the record of activity as a sentence: "sarahchen · revoked the
// key · CI Pipeline".
type Deed struct {
	Actor  string
	Verb   string
	Name   string // of what it was done to, "" where the sentence needs none
	Href   string // of that, "" where it has no page
	Tail   string // what follows the name
	Detail string
	IP     string // "" where it is nobody's business
	At     time.Time
}

// Deeds tells a reader what happened.
func (q *Request) Deeds(rows []stepsies.Activity) []Deed {
	deeds := make([]Deed, len(rows))
	for i, a := range rows {
		deeds[i] = DeedOf(q.Session.User, a)
	}
	return deeds
}

// DeedOf tells one row. Where an admin did something to what is another's, the
// address they came from is not for the other to know.
func DeedOf(reader stepsies.User, a stepsies.Activity) Deed {
	d := Deed{Actor: actorName(reader, a.Actor), Name: a.Name, Detail: ReadableTimes(a.Detail), At: a.At}
	if reader.Role == stepsies.RoleAdmin || a.Actor.UserID == reader.ID || a.Actor.Kind == stepsies.ActorAnonymous {
		d.IP = a.Actor.IP
	}
	switch a.Target {
	case stepsies.TargetKey:
		d.ofKey(a)
	case stepsies.TargetStepsy:
		d.ofStepsy(a)
	case stepsies.TargetUser:
		d.ofUser(reader, a)
	default:
		d.Verb = map[stepsies.Action]string{stepsies.ActionRestoreBackup: "restored a backup"}[a.Action]
		d.Name = ""
	}
	if d.Verb == "" { // of another version of this program
		d.Verb, d.Name = "did "+string(a.Action), a.Name
	}
	return d
}

// machineTime is a time as the record holds it.
var machineTime = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// ReadableTimes writes the times of a detail as people do.
func ReadableTimes(detail string) string {
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

// keyDeeds are what is done to a key: in a sentence that names it, and in a word on its
// own page.
var keyDeeds = map[stepsies.Action]struct{ told, word string }{
	stepsies.ActionCreateKey:   {"created the key", "Created"},
	stepsies.ActionUpdateKey:   {"edited the key", "Edited"},
	stepsies.ActionRotateKey:   {"rotated the key", "Rotated"},
	stepsies.ActionRevokeKey:   {"revoked the key", "Revoked"},
	stepsies.ActionReportKey:   {"reported the key", "Reported as leaked and revoked"},
	stepsies.ActionKeepBackKey: {"restored the key", "Restored with less than in the backup"},
}

// KeyChanged says in a word what a row of the record did to a key.
func KeyChanged(a stepsies.Activity) string {
	if deed, ok := keyDeeds[a.Action]; ok {
		return deed.word
	}
	return string(a.Action) // of another version of this program
}

func (d *Deed) ofKey(a stepsies.Activity) {
	d.Href = KeyPath(stepsies.APIKey{ID: a.TargetID}, "")
	d.Verb = keyDeeds[a.Action].told
	if a.Action == stepsies.ActionKeepBackKey {
		d.Tail = " with less than in the backup"
	}
	if a.Action == stepsies.ActionRevokeKey && a.Actor.Kind == stepsies.ActorAnonymous {
		d.Actor = "A new password, set by e-mail," // see Store.ResetPassword
	}
	if a.Action == stepsies.ActionReportKey {
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

func (d *Deed) ofStepsy(a stepsies.Activity) {
	if a.Action != stepsies.ActionDeleteStepsy {
		d.Href = StepsyPath(stepsies.Stepsy{ID: a.TargetID}, "")
	}
	d.Verb = map[stepsies.Action]string{
		stepsies.ActionCreateStepsy: "created the stepsy", stepsies.ActionUpdateStepsy: "edited the stepsy", stepsies.ActionPublishStepsy: "published the stepsy",
		stepsies.ActionUnpublishStepsy: "took the stepsy", stepsies.ActionDeleteStepsy: "moved the stepsy", stepsies.ActionRestoreStepsy: "put the stepsy",
		stepsies.ActionLinkStepsy: "made a preview link of the stepsy", stepsies.ActionUnlinkStepsy: "ended the preview link of the stepsy",
	}[a.Action]
	d.Tail = map[stepsies.Action]string{
		stepsies.ActionUnpublishStepsy: " back to draft", stepsies.ActionDeleteStepsy: " to the trash", stepsies.ActionRestoreStepsy: " back from the trash",
	}[a.Action]
}

// ofUser tells what was done to a user, or what they did to themselves.
func (d *Deed) ofUser(reader stepsies.User, a stepsies.Activity) {
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
	w, known := map[stepsies.Action]words{
		stepsies.ActionCreateUser:        {"signed up", "created your account", "created the user"},
		stepsies.ActionUpdateUser:        {"changed " + their + " profile", "changed your account", "changed the user"},
		stepsies.ActionSuspendUser:       {"suspended " + their + " account", "suspended your account", "suspended the user"},
		stepsies.ActionUnsuspendUser:     {"ended the suspension of " + their + " account", "ended the suspension of your account", "ended the suspension of"},
		stepsies.ActionDeleteUser:        {"deleted " + their + " account", "deleted your account", "deleted the user"},
		stepsies.ActionAskEmail:          {"asked for another e-mail address", "asked for another e-mail address for you", "asked for another e-mail address for"},
		stepsies.ActionEndEmail:          {"took back the e-mail address asked for", "took back the e-mail address asked for", "took back the e-mail address asked for by"},
		stepsies.ActionConfirmEmail:      {"changed " + their + " e-mail address, by confirming the new one", "changed your e-mail address", "changed the e-mail address of"},
		stepsies.ActionVerifyEmail:       {"confirmed " + their + " e-mail address", "confirmed your e-mail address", "confirmed the e-mail address of"},
		stepsies.ActionSetPassword:       {"set a new password", "set a new password for you", "set a new password for"},
		stepsies.ActionUnlockUser:        {"ended the wait after wrong passwords", "ended your wait after wrong passwords", "ended the wait after wrong passwords of"},
		stepsies.ActionLinkPassword:      {"made a link to set " + their + " password", "made a link to set your password", "made a link to set a new password for"},
		stepsies.ActionKeepBackUser:      {"restored " + their + " account with less than in the backup", "restored your account with less than in the backup", "restored with less than in the backup the user"},
		stepsies.ActionInviteUser:        {"", "", "invited"},
		stepsies.ActionUninviteUser:      {"", "", "took back the invitation of"},
		stepsies.ActionSignIn:            {"signed in", "signed in as you", "signed in as"},
		stepsies.ActionSignOut:           {"signed out", "signed you out", "signed out"},
		stepsies.ActionSignOutEverywhere: {"signed out everywhere", "signed you out everywhere", "ended every session of"},
	}[a.Action]
	switch {
	case !known:
	case self:
		d.Verb, d.Name = w.self, ""
	case a.TargetID == reader.ID:
		d.Verb, d.Name = w.reader, ""
	case a.Name == "": // an invitation that was sent to nobody
		d.Verb = map[stepsies.Action]string{stepsies.ActionInviteUser: "made an invitation", stepsies.ActionUninviteUser: "took back an invitation"}[a.Action]
	default:
		d.Verb = w.other
		if reader.Role == stepsies.RoleAdmin && a.TargetID != 0 && a.Action != stepsies.ActionDeleteUser {
			d.Href = UserPath(a.Name, "")
		}
	}
}
