package stepsies

import "fmt"

// Plan names the limits that an account has bought.
type Plan string

// The plans, smallest first.
const (
	PlanFree       Plan = "free"
	PlanPro        Plan = "pro"
	PlanTeam       Plan = "team"
	PlanEnterprise Plan = "enterprise"
)

// Plans lists every plan, smallest first.
var Plans = []Plan{PlanFree, PlanPro, PlanTeam, PlanEnterprise}

// ParsePlan returns the plan of that name.
func ParsePlan(name string) (Plan, error) {
	for _, p := range Plans {
		if string(p) == name {
			return p, nil
		}
	}
	return "", fmt.Errorf("must be one of free, pro, team, enterprise")
}

// Limits is how many requests an account may make in each window. Zero means
// that the window is not limited.
type Limits struct {
	Minute int64 // requests per minute
	Hour   int64 // requests per hour
	Month  int64 // requests per calendar month in UTC
}

// MaxLimit is the highest number that may be set for a window.
const MaxLimit = 1_000_000_000

// LimitsOf returns what an account on the plan may do. The account's own
// numbers count on the enterprise plan alone.
func LimitsOf(p Plan, own Limits) Limits {
	switch p {
	case PlanPro:
		return Limits{Minute: 300, Hour: 10_000, Month: 50_000}
	case PlanTeam:
		return Limits{Minute: 600, Hour: 30_000, Month: 200_000}
	case PlanEnterprise:
		return own
	default:
		return Limits{Minute: 60, Hour: 1_000, Month: 5_000}
	}
}
