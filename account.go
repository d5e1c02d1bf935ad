package stepsies

// Account is what a plan, its limits and their counters belong to. Each user has one
// today.
type Account struct {
	// The name is that of a user's field, under which answers are kept for requests that
	// are sent again.
	ID        int64 `json:"AccountID"`
	Plan      Plan
	OwnLimits Limits // count on the enterprise plan alone
}

// Limits returns what the account may do.
func (a Account) Limits() Limits { return LimitsOf(a.Plan, a.OwnLimits) }

// AccountChange says what becomes of an account; nil leaves a field as it is.
type AccountChange struct {
	Plan       *string
	Limits     *Limits // the account's own
	KeptLimits Windows // of Limits, those that stay as they are
}

// Windows is a set of the windows in which requests are counted.
type Windows struct{ Minute, Hour, Month bool }

func (a *Account) apply(want AccountChange, bad *Problems) {
	before := a.Plan
	if want.Plan != nil {
		p, err := ParsePlan(*want.Plan)
		bad.AddErr("plan", err)
		a.Plan = p
	}
	if want.Limits != nil {
		if before != PlanEnterprise {
			a.OwnLimits = Limits{} // of an earlier time, and not seen by whoever asks for this change
		}
		a.changeLimits(*want.Limits, want.KeptLimits, bad)
	}
}

func (a *Account) changeLimits(l Limits, kept Windows, bad *Problems) {
	if kept.Minute {
		l.Minute = a.OwnLimits.Minute
	}
	if kept.Hour {
		l.Hour = a.OwnLimits.Hour
	}
	if kept.Month {
		l.Month = a.OwnLimits.Month
	}
	for _, w := range []struct {
		field string
		limit int64
	}{{"limits.minute", l.Minute}, {"limits.hour", l.Hour}, {"limits.month", l.Month}} {
		if w.limit < 0 || w.limit > MaxLimit {
			bad.Add(w.field, "must be from 1 to %d, or null for no limit", MaxLimit)
		}
	}
	if l != (Limits{}) && a.Plan != PlanEnterprise {
		bad.Add("limits", "can be set on the enterprise plan only")
	}
	a.OwnLimits = l
}
