package writing

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// savedAnswer tells the editor's script what became of what it sent.
type savedAnswer struct {
	Version  int64             `json:"version,omitempty"`  // that the next save names
	Slug     string            `json:"slug,omitempty"`     // which may have been made from the title
	Steps    []int64           `json:"steps,omitempty"`    // the ids of the steps as they were sent, 0 for those left out
	Error    string            `json:"error,omitempty"`    // what to do
	Problems map[string]string `json:"problems,omitempty"` // by field
}

// Save is Edit for the script: JSON in and out, so that a page is saved
// without being left. 409: the stored version is newer; 422: something does not fit.
func (p *Pages) Save(q *page.Request) error {
	status, answer, err := p.saveTyped(q)
	if err != nil {
		return err
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	q.W.WriteHeader(status)
	_, _ = q.W.Write(body) // the client has gone
	return nil
}

func (p *Pages) saveTyped(q *page.Request) (int, savedAnswer, error) {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return saveFailed(q, err)
	}
	var f struct {
		stepsyForm
		Quiet bool `json:"quiet"` // nobody pressed a button
	}
	if err := json.NewDecoder(q.Body).Decode(&f); err != nil || f.Steps == nil {
		return saveFailed(q, stepsies.BadRequest("What you typed could not be read. It may be too large; shorten it."))
	}
	saved, err := p.update(q, s.ID, f.stepsyForm, false, f.Quiet)
	if formProblem(err) {
		return http.StatusUnprocessableEntity, savedAnswer{Error: "Something does not fit yet.", Problems: f.rowProblems(problemsOf(err))}, nil
	}
	if err != nil {
		return saveFailed(q, err)
	}
	answer := savedAnswer{Version: saved.Version, Slug: saved.Slug, Steps: make([]int64, len(f.Steps))}
	i := 0
	for row, step := range f.Steps {
		if !step.empty() {
			answer.Steps[row] = saved.Steps[i].ID
			i++
		}
	}
	return http.StatusOK, answer, nil
}

// saveFailed is the answer to a failure that is not about a field. Who is signed out
// meanwhile is answered as on every other page.
func saveFailed(q *page.Request, err error) (int, savedAnswer, error) {
	if errors.Is(err, store.ErrSignedOut) {
		return 0, savedAnswer{}, err
	}
	if e, ok := errors.AsType[*stepsies.Error](err); ok {
		switch e.Code {
		case stepsies.CodePreconditionFailed:
			return http.StatusConflict, savedAnswer{Error: "This stepsy was changed elsewhere meanwhile."}, nil
		case stepsies.CodeNotFound:
			return http.StatusNotFound, savedAnswer{Error: "This stepsy was deleted meanwhile, or is not yours any more. If it is in the trash, put it back and save again."}, nil
		case stepsies.CodeBadRequest:
			return http.StatusBadRequest, savedAnswer{Error: e.Message}, nil
		case stepsies.CodeUnavailable:
			reqlog.From(q.Context()).Err = err
			return http.StatusServiceUnavailable, savedAnswer{Error: e.Message}, nil
		}
	}
	reqlog.From(q.Context()).Err = err
	return http.StatusInternalServerError, savedAnswer{Error: "Something went wrong on our side. It has been logged."}, nil
}
