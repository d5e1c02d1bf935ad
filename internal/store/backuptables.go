package store

// backedUp are the tables of a backup, each after those that it refers to.
var backedUp = []string{
	"accounts", "users", "api_keys", "key_usage", "key_usage_days", "account_usage_days",
	"stepsies", "stepsy_counts", "stepsy_days", "step_reaches", "ratings", "slug_history", "former_usernames", "activity",
}

// since names the tables that backups of older databases lack, by the version that
// brought them.
var since = map[string]int64{"stepsy_days": 5, "step_reaches": 5, "ratings": 5, "former_usernames": 8}

// numbered are those of a backup whose rows have numbers that are never given twice:
// a new user must not be taken for one of whom the record of activity speaks, nor a
// new key for the successor of one that was rotated.
var numbered = []string{"accounts", "users", "api_keys", "stepsies", "ratings", "activity"}

// notBackedUp are the tables that a backup leaves out, and that a restore empties:
// what lives for a day, what signs people in, makes them users or shows them a draft,
// and what is made anew from the rest. So nothing of it that ended comes back.
var notBackedUp = []string{"sessions", "one_time_links", "email_changes", "preview_links", "idempotency_records", "reader_salts", "reader_marks", "stepsy_search"}

// stays are the tables that belong to the database itself. A restore leaves them as
// they are, but for the name and the origin of the installation, which it takes from the backup.
var stays = []string{"program_compat", "installation"}

// rights says what a restore gives for each column of the tables that hold what
// somebody may do, where the present database knows the row (see keepBack). In the
// other tables of a backup nothing gives a right. A migration that adds a column to
// one of these, or a table, says here what becomes of it; a test asks.
var rights = map[string]map[string]string{
	"accounts": {
		"id": backup, "plan": less, "limit_minute": less, "limit_hour": less, "limit_month": less, "created_at": backup,
	},
	"users": {
		"id": backup, "account_id": backup, "username": backup, "display_name": backup, "name_key": backup, "bio": backup,
		"time_zone": backup, "created_at": backup, "updated_at": backup, "sign_in_round": backup,
		"email": now, "email_key": now, "email_verified_at": now, "password_hash": now,
		"role": less, "suspended_at": less,
	},
	"api_keys": {
		"id": backup, "user_id": backup, "name": backup, "description": backup, "hint": backup, "hash": backup,
		"created_at": backup, "rotated_from": backup,
		"scopes": less, "expires_at": less, "revoked_at": less, "revoked_reason": less, "leak_source": less,
	},
}

// What a restore gives for a column.
const (
	backup = "as it is in the backup"
	now    = "as it is in the present database"
	less   = "what gives less of the two"
)
