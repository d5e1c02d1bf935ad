package api

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
