package api

import "strings"

// The things that the answers of the documentation show.
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
	examplePage = pageMeta{Limit: 20, HasMore: true, NextCursor: new("eyJzIjoiLWNyZWF0ZWRfYXQiLCJpIjoxMjN9")}
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

func exampleStepsy(status string) stepsy {
	s := stepsy{StepsyHead: exampleHead, Steps: exampleSteps, StepsyTail: exampleTail}
	s.Status = status
	if status == "draft" {
		s.PublishedAt, s.Views, s.Completions, s.AverageRating = nil, 0, 0, nil
	}
	return s
}

func exampleMe() profile {
	u, k := exampleUser, exampleKey
	return profile{
		Username: u.Username, DisplayName: u.DisplayName, Email: u.Email, Bio: u.Bio, Role: u.Role, Plan: u.Plan, CreatedAt: u.CreatedAt,
		Limits: limits{
			Minute: &window{Limit: 300, Remaining: 295, Reset: 1702500000},
			Hour:   &window{Limit: 10_000, Remaining: 9_120, Reset: 1702501200},
			Month:  &window{Limit: 50_000, Remaining: 31_337, Reset: 1704067200},
		},
		Key: keyInUse{ID: k.ID, Name: k.Name, Scopes: k.Scopes, Hint: k.Hint, ExpiresAt: k.ExpiresAt},
	}
}

// exampleCreatedKey shows a key that nobody can take for a real one.
func exampleCreatedKey(id int64) createdAPIKey {
	k := exampleKey
	k.ID, k.Hint, k.LastUsedAt, k.LastUsedIP = id, "sk_0000…0000", nil, nil
	return createdAPIKey{APIKey: k, Key: "sk_" + strings.Repeat("0", 48)}
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
