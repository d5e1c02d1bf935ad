package api_test

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// later moves this world's clock on by an hour, after its author and the author's
// stepsies have been made. The clock is set back when the scenario ends.
func later(w *world) {
	w.get("author")
	w.get("draft")
	w.get("public")
	w.moveClock(time.Hour)
}

// moveClock moves the clock on for as long as the scenario runs.
func (w *world) moveClock(d time.Duration) {
	w.in.clock.advance(d)
	w.tb.Cleanup(func() { w.in.clock.advance(-d) })
}

func (w *world) suspend(name string) {
	yes := true
	w.change(name, stepsies.UserChange{Suspended: &yes})
}

func (w *world) demote(name string) {
	role := string(stepsies.RoleMember)
	w.change(name, stepsies.UserChange{Role: &role})
}

func (w *world) change(name string, want stepsies.UserChange) {
	w.tb.Helper()
	_, err := w.in.Store().UpdateUser(context.Background(), operator, w.get(name), want)
	w.must(err)
}

func (w *world) changeAccount(name string, want stepsies.AccountChange) {
	w.tb.Helper()
	_, err := w.in.Store().UpdateUserAndAccount(context.Background(), operator, w.get(name), stepsies.UserChange{}, want)
	w.must(err)
}

// numberIn returns the id of the object in a body.
func (w *world) numberIn(body string) int64 {
	id, err := at(w.tb, body, "id").(json.Number).Int64()
	w.must(err)
	return id
}

// count gives a stepsy what readers did with the contract's sample.
func (w *world) count(name string) {
	w.must(w.in.Store().AddCounts(context.Background(), []store.Counts{
		{StepsyID: w.id(name), Views: 150, Completions: 42, Ratings: 10, Stars: 45},
	}))
}

// rate gives a stepsy ratings.
func (w *world) rate(name string, ratings, stars int64) {
	w.must(w.in.Store().AddCounts(context.Background(), []store.Counts{{StepsyID: w.id(name), Ratings: ratings, Stars: stars}}))
}

// unlimited gives a user's account limits that are counted and never met.
func (w *world) unlimited(name string) {
	plan, own := string(stepsies.PlanEnterprise), stepsies.Limits{Minute: stepsies.MaxLimit, Hour: stepsies.MaxLimit, Month: stepsies.MaxLimit}
	w.changeAccount(name, stepsies.AccountChange{Plan: &plan, Limits: &own})
}

// ownLimits gives the author limits of their own on the plan enterprise, then the
// plan.
func ownLimits(plan string) func(w *world) {
	return func(w *world) {
		w.get("author")
		enterprise, own := string(stepsies.PlanEnterprise), stepsies.Limits{Minute: 5, Hour: 50}
		w.changeAccount("author", stepsies.AccountChange{Plan: &enterprise, Limits: &own})
		w.changeAccount("author", stepsies.AccountChange{Plan: &plan})
	}
}
