package writing

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/web/page"
)

// stepsyForm is a stepsy as it is typed. The HTML of its steps is not sanitised.
type stepsyForm struct {
	Version     int64      `json:"version"` // of the stored stepsy that was on the page
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Category    string     `json:"category"`
	Slug        string     `json:"slug"` // "": made from the title
	Featured    bool       `json:"featured"`
	Steps       []stepForm `json:"steps"`

	Problems map[string]string `json:"-"` // by field, as "steps[2].title"
	Unsaved  bool              `json:"-"` // the page shows what is not stored
	Focus    string            `json:"-"` // id of the control to go on from
}

// stepForm is a step as it is typed. An ID of 0 makes a new one.
type stepForm struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
	HTML  string `json:"content"`
}

// empty reports whether nothing was typed into a new step.
func (s stepForm) empty() bool { return s.ID == 0 && strings.TrimSpace(s.Title) == "" && s.HTML == "" }

// stepsyFormOf is the form of a stepsy as it is stored.
func stepsyFormOf(s stepsies.Stepsy) stepsyForm {
	f := stepsyForm{
		Version: s.Version, Title: s.Title, Description: s.Description, Category: s.Category, Slug: s.Slug,
		Featured: !s.FeaturedAt.IsZero(), Steps: make([]stepForm, len(s.Steps)),
	}
	for i, step := range s.Steps {
		f.Steps[i] = stepForm{ID: step.ID, Title: step.Title, HTML: step.Content.HTML()}
	}
	return f
}

// readStepsyForm reads a form with its steps in the order in which they stand on the
// page. A form that came in part is refused: it would remove steps.
func readStepsyForm(r *http.Request) (stepsyForm, error) {
	if err := r.ParseMultipartForm(page.MaxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return stepsyForm{}, stepsies.BadRequest("The form is too large or could not be read. Go back, shorten it and send it again.")
	}
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	ids, titles, contents := r.PostForm["step_id"], r.PostForm["step_title"], r.PostForm["step_content"]
	if err != nil || !r.PostForm.Has("end") || len(titles) != len(ids) || len(contents) != len(ids) {
		return stepsyForm{}, page.ErrHalfForm
	}
	f := stepsyForm{
		Version: version, Title: r.PostFormValue("title"), Description: page.LineBreaks(r.PostFormValue("description")),
		Category: r.PostFormValue("category"), Slug: strings.TrimSpace(r.PostFormValue("slug")), Featured: r.PostForm.Has("featured"),
	}
	for i := range ids {
		id, err := strconv.ParseInt(ids[i], 10, 64)
		if err != nil {
			return stepsyForm{}, page.ErrHalfForm
		}
		f.Steps = append(f.Steps, stepForm{ID: id, Title: titles[i], HTML: page.LineBreaks(contents[i])})
	}
	return f, nil
}

// change is what the form wants of the store. New steps into which nothing was typed
// are left out.
func (f stepsyForm) change() (stepsies.StepsyChange, error) {
	if err := f.checkText(); err != nil {
		return stepsies.StepsyChange{}, err
	}
	steps := []stepsies.StepChange{}
	for _, s := range f.Steps {
		if !s.empty() {
			steps = append(steps, stepsies.StepChange{ID: s.ID, Title: s.Title, Content: richtext.Sanitise(s.HTML)})
		}
	}
	return stepsies.StepsyChange{
		Title: &f.Title, Description: &f.Description, Category: &f.Category, Slug: &f.Slug, Featured: &f.Featured, Steps: &steps,
	}, nil
}

// checkText refuses what HTML cannot hold, before the sanitiser would drop it.
func (f stepsyForm) checkText() error {
	var bad stepsies.Problems
	i := 0
	for _, s := range f.Steps {
		if s.empty() {
			continue
		}
		bad.AddErr(fmt.Sprintf("steps[%d].content", i), stepsies.CheckText(s.HTML, true))
		i++
	}
	return bad.Err()
}

// withProblems returns the form with what is wrong with it. The store counts steps
// without those that are left out.
func (f stepsyForm) withProblems(err error) stepsyForm {
	f.Problems = f.rowProblems(problemsOf(err))
	return f
}

func (f stepsyForm) rowProblems(problems map[string]string) map[string]string {
	rows := map[string]string{}
	i := 0
	for row, s := range f.Steps {
		if s.empty() {
			continue
		}
		for _, field := range []string{"title", "content", "id"} {
			if sentence := problems[fmt.Sprintf("steps[%d].%s", i, field)]; sentence != "" {
				rows[fmt.Sprintf("steps[%d].%s", row, field)] = sentence
			}
		}
		i++
	}
	for field, sentence := range problems {
		if !strings.HasPrefix(field, "steps[") {
			rows[field] = sentence
		}
	}
	return rows
}

// problem is what is wrong with a field of a step, "" for nothing.
func (f stepsyForm) problem(row int, field string) string {
	return f.Problems[fmt.Sprintf("steps[%d].%s", row, field)]
}

// rearrange does what a button beside the steps says, without a script.
func (f *stepsyForm) rearrange(act string, row int) {
	last := len(f.Steps) - 1
	switch {
	case act == "add" && len(f.Steps) < stepsies.MaxSteps:
		f.Steps = append(f.Steps, stepForm{})
		f.Focus = fmt.Sprintf("step-%d-title", last+1)
	case act == "add":
		f.Problems = map[string]string{"steps": "A stepsy has at most " + strconv.Itoa(stepsies.MaxSteps) + " steps."}
	case row < 0 || row > last:
	case act == "remove":
		f.Steps = slices.Delete(f.Steps, row, row+1)
		f.Focus = "add-step"
	case act == "up" && row > 0:
		f.Steps[row], f.Steps[row-1] = f.Steps[row-1], f.Steps[row]
		f.Focus = fmt.Sprintf("step-%d-up", row-1)
		if row == 1 {
			f.Focus = "step-0-down"
		}
	case act == "down" && row < last:
		f.Steps[row], f.Steps[row+1] = f.Steps[row+1], f.Steps[row]
		f.Focus = fmt.Sprintf("step-%d-down", row+1)
		if row+1 == last {
			f.Focus = fmt.Sprintf("step-%d-up", last)
		}
	}
}
