package web

import (
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// TellActivity tells an action of each kind of actor to each kind of reader.
func TellActivity(action stepsies.Action) []string {
	target := action.Target()
	var told []string
	for _, kind := range []stepsies.ActorKind{stepsies.ActorKey, stepsies.ActorSession, stepsies.ActorOperator, stepsies.ActorAnonymous} {
		for _, reader := range []stepsies.User{{ID: 1, Username: "sarah", Role: stepsies.RoleMember}, {ID: 2, Username: "boss", Role: stepsies.RoleAdmin}, {ID: 3, Username: "other", Role: stepsies.RoleAdmin}} {
			for _, target := range []stepsies.Activity{{Target: target, TargetID: 1, Name: "sarah"}, {Target: target, TargetID: 2, Name: "boss"}} {
				a := target
				a.Action = action
				a.Actor = stepsies.Actor{Kind: kind, UserID: 1, Username: "sarah", KeyID: 4, KeyName: "CI"}
				if kind == stepsies.ActorOperator || kind == stepsies.ActorAnonymous {
					a.Actor = stepsies.Actor{Kind: kind}
				}
				if action == stepsies.ActionInviteUser || action == stepsies.ActionUninviteUser {
					a.TargetID, a.Name = 0, "" // nobody is a user yet
				}
				d := page.DeedOf(reader, a)
				told = append(told, strings.TrimSuffix(d.Actor+" "+d.Verb+" "+d.Name, " ")+d.Tail)
			}
		}
	}
	return told
}

// KeyChanged is what the page of a key says of an action.
func KeyChanged(action stepsies.Action) string {
	return page.KeyChanged(stepsies.Activity{Action: action})
}

// Route is a row of the table of routes.
type Route struct {
	Pattern string
	Public  bool
	Admin   bool
}

// Routes is the table of routes.
func (web *Web) Routes() []Route {
	var list []Route
	for _, r := range web.routes() {
		list = append(list, Route{Pattern: r.Pattern, Public: r.Access == page.Public || r.Access == page.Entrance || r.Access == page.Impersonal, Admin: r.Access == page.AdminOnly})
	}
	return list
}
