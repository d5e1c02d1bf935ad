package api

import "strings"

// requestExamples are bodies that the documentation shows. A test sends each of
// them to a server.
var requestExamples = map[string]any{
	"create-stepsy": map[string]any{
		"title":       "Email Welcome Sequence Blueprint",
		"description": "Create a 5-email welcome sequence that converts.",
		"category":    "marketing",
		"steps": []any{
			map[string]any{"title": "Define Your Sequence Goal", "content": "<p>Before writing a single email...</p>"},
			map[string]any{"title": "Write the First Email", "content": "<p>Say hello, and keep your promise.</p>"},
		},
	},
	"update-stepsy": map[string]any{
		"description": "Create a welcome sequence that people look forward to.",
		"steps": []any{
			map[string]any{"id": 1, "title": "Define Your Sequence Goal", "content": "<p>Before writing a single email...</p>"},
			map[string]any{"title": "Send It to Yourself First", "content": "<p>Read it on your phone.</p>"},
		},
	},
	"update-me":          map[string]any{"bio": "Writes about email that people want to read."},
	"create-api-key":     map[string]any{"name": "CI Pipeline", "description": "Publishes the handbook on every merge", "scopes": []string{"read", "write"}, "expires_at": "2099-01-31T00:00:00Z"},
	"update-api-key":     map[string]any{"scopes": []string{"read"}, "expires_at": nil},
	"rotate-api-key":     map[string]any{"grace_period_seconds": 3600},
	"create-user":        map[string]any{"username": "omar", "email": "omar@example.com", "display_name": "Omar Haddad", "plan": "pro"},
	"update-user":        map[string]any{"plan": "enterprise", "limits": map[string]any{"minute": 1200, "hour": 60000, "month": nil}},
	"report-leaked-keys": map[string]any{"keys": []string{"sk_not_a_real_key"}, "source_url": "https://example.com/repository/config.js"},
}

// The things that answers show.
var (
	exampleHead = StepsyHead{
		ID: 123, Slug: "email-welcome-sequence", Title: "Email Welcome Sequence Blueprint",
		Description: "Create a 5-email welcome sequence that converts.", Category: "marketing", Status: "published",
		PublishedAt: new("2024-12-04T10:30:00Z"), Views: 150, Completions: 42, AverageRating: new(4.5),
		URL:  "https://stepsies.com/@sarahchen/email-welcome-sequence",
		User: author{Username: "sarahchen", DisplayName: "Sarah Chen"},
	}
	exampleSteps = []step{
		{ID: 1, Position: 1, Title: "Define Your Sequence Goal", Content: "<p>Before writing a single email...</p>"},
		{ID: 2, Position: 2, Title: "Write the First Email", Content: "<p>Say hello, and keep your promise.</p>"},
	}
	exampleTail = StepsyTail{StepsCount: 2, CreatedAt: "2024-12-04T10:00:00Z", UpdatedAt: "2024-12-04T10:30:00Z"}
	examplePage = meta{Limit: 20, HasMore: true, NextCursor: new("eyJzIjoiLWNyZWF0ZWRfYXQiLCJpIjoxMjN9")}
	exampleKey  = APIKey{
		ID: 7, Name: "CI Pipeline", Description: "Publishes the handbook on every merge", Scopes: []string{"read", "write"},
		Hint: "sk_1a2b…9f0e", Status: "active", CreatedAt: "2024-12-04T10:00:00Z", LastUsedAt: new("2024-12-04T10:29:58Z"),
		LastUsedIP: new("203.0.113.7"), ExpiresAt: new("2099-01-31T00:00:00Z"), User: "sarahchen",
	}
	exampleUser = user{
		Username: "sarahchen", DisplayName: "Sarah Chen", Email: "sarah@example.com", Bio: "Writes about email that people want to read.",
		Role: "member", Plan: "pro", CreatedAt: "2024-12-04T10:00:00Z",
	}
)

// responseExamples are bodies of successes that the documentation shows, as they
// are encoded.
var responseExamples = map[string]any{
	"list-stepsies":    list[listedStepsy]{Data: []listedStepsy{{StepsyHead: exampleHead, StepsyTail: exampleTail}}, Meta: examplePage},
	"create-stepsy":    exampleStepsy("draft"),
	"get-stepsy":       exampleStepsy("published"),
	"update-stepsy":    exampleStepsy("published"),
	"publish-stepsy":   exampleStepsy("published"),
	"unpublish-stepsy": exampleStepsy("draft"),

	"get-me":    exampleMe(),
	"update-me": exampleMe(),

	"list-api-keys":  list[APIKey]{Data: []APIKey{exampleKey}, Meta: examplePage},
	"create-api-key": exampleCreatedKey(7),
	"get-api-key":    exampleKey,
	"update-api-key": exampleKey,
	"revoke-api-key": exampleRevokedKey(),
	"rotate-api-key": exampleCreatedKey(8),

	"list-users":  list[user]{Data: []user{exampleUser}, Meta: examplePage},
	"create-user": exampleUser,
	"get-user":    exampleUser,
	"update-user": exampleEnterpriseUser(),

	"report-leaked-keys": map[string]any{"received": 1},
}

// list is the form of every list.
type list[T any] struct {
	Data []T  `json:"data"`
	Meta meta `json:"meta"`
}

func exampleStepsy(status string) stepsy {
	s := stepsy{StepsyHead: exampleHead, Steps: exampleSteps, StepsyTail: exampleTail}
	s.Status = status
	if status == "draft" {
		s.PublishedAt, s.Views, s.Completions, s.AverageRating = nil, 0, 0, nil
	}
	return s
}

func exampleMe() me {
	u, k := exampleUser, exampleKey
	return me{
		Username: u.Username, DisplayName: u.DisplayName, Email: u.Email, Bio: u.Bio, Role: u.Role, Plan: u.Plan, CreatedAt: u.CreatedAt,
		Limits: limits{
			Minute: &window{Limit: 300, Remaining: 295, Reset: 1702500000},
			Hour:   &window{Limit: 10_000, Remaining: 9_120, Reset: 1702501200},
			Month:  &window{Limit: 50_000, Remaining: 31_337, Reset: 1704067200},
		},
		Key: usedKey{ID: k.ID, Name: k.Name, Scopes: k.Scopes, Hint: k.Hint, ExpiresAt: k.ExpiresAt},
	}
}

// exampleCreatedKey shows a key that nobody can take for a real one.
func exampleCreatedKey(id int64) createdKey {
	k := exampleKey
	k.ID, k.Hint, k.LastUsedAt, k.LastUsedIP = id, "sk_0000…0000", nil, nil
	return createdKey{APIKey: k, Key: "sk_" + strings.Repeat("0", 48)}
}

func exampleRevokedKey() APIKey {
	k := exampleKey
	k.Status, k.RevokedAt, k.RevokedReason = "revoked", new("2024-12-04T10:30:00Z"), new("revoked")
	return k
}

func exampleEnterpriseUser() user {
	u := exampleUser
	u.Plan, u.Limits = "enterprise", &ownLimits{Minute: new(int64(1200)), Hour: new(int64(60_000))}
	return u
}
