package stepsies

import "time"

// Activity is one row of the record of who did what.
type Activity struct {
	ID       int64
	At       time.Time
	Actor    Actor
	Action   Action
	OwnerID  int64 // the user whose thing it is, who may see the row
	Target   Target
	TargetID int64
	Name     string // of the target at that time
	Detail   string // what changed, in words; never a secret
}

// Action is what was done. The record keeps it for good, so an action is never
// renamed.
type Action string

// The actions.
const (
	ActionCreateKey   Action = "api_key.create"
	ActionUpdateKey   Action = "api_key.update"
	ActionRotateKey   Action = "api_key.rotate"
	ActionRevokeKey   Action = "api_key.revoke"
	ActionReportKey   Action = "api_key.leaked"    // by someone who held it
	ActionKeepBackKey Action = "api_key.keep_back" // restored with less than in the backup

	ActionCreateStepsy    Action = "stepsy.create"
	ActionUpdateStepsy    Action = "stepsy.update"
	ActionPublishStepsy   Action = "stepsy.publish"
	ActionUnpublishStepsy Action = "stepsy.unpublish"
	ActionDeleteStepsy    Action = "stepsy.delete" // to the trash
	ActionRestoreStepsy   Action = "stepsy.restore"
	ActionLinkStepsy      Action = "stepsy.preview_link"
	ActionUnlinkStepsy    Action = "stepsy.preview_link_end"

	ActionCreateUser    Action = "user.create"
	ActionUpdateUser    Action = "user.update"
	ActionSuspendUser   Action = "user.suspend"
	ActionUnsuspendUser Action = "user.unsuspend"
	ActionDeleteUser    Action = "user.delete"
	ActionAskEmail      Action = "user.email_ask" // for another address
	ActionEndEmail      Action = "user.email_end"
	ActionConfirmEmail  Action = "user.email_confirm"
	ActionVerifyEmail   Action = "user.email_verify"
	ActionSetPassword   Action = "user.password"
	ActionUnlockUser    Action = "user.unlock" // after wrong passwords
	ActionLinkPassword  Action = "user.password_link"
	ActionKeepBackUser  Action = "user.keep_back"
	ActionInviteUser    Action = "user.invite"
	ActionUninviteUser  Action = "user.uninvite"

	ActionSignIn            Action = "session.start"
	ActionSignOut           Action = "session.end"
	ActionSignOutEverywhere Action = "session.end_all"

	ActionRestoreBackup Action = "backup.restore"
)

// Target is what kind of thing something was done to.
type Target string

// The targets.
const (
	TargetKey          Target = "api_key"
	TargetStepsy       Target = "stepsy"
	TargetUser         Target = "user"
	TargetInstallation Target = "installation"
)

// targets are what actions are done to; an action without a row does not exist.
var targets = map[Action]Target{
	ActionCreateKey: TargetKey, ActionUpdateKey: TargetKey, ActionRotateKey: TargetKey, ActionRevokeKey: TargetKey, ActionReportKey: TargetKey,
	ActionKeepBackKey: TargetKey,

	ActionCreateStepsy: TargetStepsy, ActionUpdateStepsy: TargetStepsy, ActionPublishStepsy: TargetStepsy, ActionUnpublishStepsy: TargetStepsy,
	ActionDeleteStepsy: TargetStepsy, ActionRestoreStepsy: TargetStepsy, ActionLinkStepsy: TargetStepsy, ActionUnlinkStepsy: TargetStepsy,

	ActionCreateUser: TargetUser, ActionUpdateUser: TargetUser, ActionSuspendUser: TargetUser, ActionUnsuspendUser: TargetUser, ActionDeleteUser: TargetUser,
	ActionAskEmail: TargetUser, ActionEndEmail: TargetUser, ActionConfirmEmail: TargetUser, ActionVerifyEmail: TargetUser, ActionSetPassword: TargetUser, ActionUnlockUser: TargetUser,
	ActionLinkPassword: TargetUser, ActionKeepBackUser: TargetUser, ActionInviteUser: TargetUser, ActionUninviteUser: TargetUser,
	ActionSignIn: TargetUser, ActionSignOut: TargetUser, ActionSignOutEverywhere: TargetUser,

	ActionRestoreBackup: TargetInstallation,
}

// Target returns what the action is done to, "" for one that this program does not
// know.
func (a Action) Target() Target { return targets[a] }
