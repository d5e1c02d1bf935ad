package foldersync

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// document is the text of a stepsy, of a file or of a server.
type document struct {
	stepsyfile.File
	sum string // two that read the same have the same
}

// newDocument works out the sum of a text.
func newDocument(f stepsyfile.File) *document {
	settled := f
	settled.Steps = make([]stepsyfile.Step, len(f.Steps))
	for i, s := range f.Steps {
		settled.Steps[i] = stepsyfile.Step{Title: strings.TrimSpace(s.Title), HTML: richtext.Settled(s.HTML)}
	}
	text, err := json.Marshal(settled)
	if err != nil {
		panic("foldersync: a file of strings cannot be encoded: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return &document{f, hex.EncodeToString(sum[:])}
}

// ofServer returns what the server has, with all of its steps.
func ofServer(s *client.Stepsy) *document {
	f := stepsyfile.File{
		Title: s.Title, Slug: s.Slug, Description: s.Description, Category: s.Category,
		Status: string(s.Status), Featured: s.Featured,
	}
	for _, step := range s.Steps {
		f.Steps = append(f.Steps, stepsyfile.Step{Title: step.Title, HTML: step.Content})
	}
	return newDocument(f)
}

// ofFile returns what a file stands for beside what the server has (nil: nothing):
// fields that it leaves out are the server's, and the rules of a stepsy apply to
// it as the server would apply them.
func ofFile(f stepsyfile.File, has *client.Stepsy) (*document, error) {
	known := f.Category
	if has != nil {
		f.Slug, f.Status = or(f.Slug, has.Slug), or(f.Status, string(has.Status))
		known = or(f.Category, has.Category)
		if f.Category = known; known == has.Category {
			known = stepsies.DefaultCategory // a newer server may know more of them
		}
	}
	known = or(known, stepsies.DefaultCategory)
	steps := make([]stepsies.StepChange, len(f.Steps))
	for i, s := range f.Steps {
		steps[i] = stepsies.StepChange{Title: s.Title, Content: richtext.Sanitise(s.HTML)}
	}
	as, err := stepsies.NewStepsy(stepsies.User{}, stepsies.StepsyChange{
		Title: &f.Title, Slug: &f.Slug, Description: &f.Description, Category: &known, Featured: &f.Featured,
		Publish: f.Status == string(stepsies.StatusPublished), Steps: &steps,
	}, time.Unix(1, 0))
	if err != nil {
		return nil, problems(err)
	}
	d := stepsyfile.File{
		Title: as.Title, Slug: as.Slug, Description: as.Description, Category: or(f.Category, as.Category),
		Status: or(f.Status, string(as.Status)), Featured: f.Featured,
	}
	for _, s := range as.Steps {
		d.Steps = append(d.Steps, stepsyfile.Step{Title: s.Title, HTML: s.Content.HTML()})
	}
	return newDocument(d), nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// problems says in one line what is wrong with a file.
func problems(err error) error {
	e, ok := errors.AsType[*stepsies.Error](err)
	if !ok || len(e.Problems) == 0 {
		return err
	}
	var all []string
	for _, p := range e.Problems {
		all = append(all, p.Field+" "+p.Message)
	}
	return errors.New(strings.Join(all, "; "))
}

// differences names the fields in which the documents differ, but for the status.
func differences(a, b *document) []string {
	var names []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"title", a.Title == b.Title}, {"slug", a.Slug == b.Slug}, {"description", a.Description == b.Description},
		{"category", a.Category == b.Category}, {"featured", a.Featured == b.Featured},
		{"steps", slices.EqualFunc(a.Steps, b.Steps, sameStep)},
	} {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return names
}

func sameStep(a, b stepsyfile.Step) bool {
	return a.Title == b.Title && (a.HTML == b.HTML || richtext.Settled(a.HTML) == richtext.Settled(b.HTML))
}

// change returns what makes want of what the server has, and whether there is
// anything to change: only what differs, so that nothing else is touched.
func change(has *client.Stepsy, want *document) (c client.StepsyChange, any bool) {
	names := differences(ofServer(has), want)
	for _, name := range names {
		switch name {
		case "title":
			c.Title = client.Set(want.Title)
		case "slug":
			c.Slug = client.Set(want.Slug)
		case "description":
			c.Description = client.Set(want.Description)
		case "category":
			c.Category = client.Set(want.Category)
		case "featured":
			c.Featured = client.Set(want.Featured)
		case "steps":
			c.Steps = client.Set(matchSteps(has.Steps, want.Steps))
		}
	}
	return c, len(names) > 0
}

// matchSteps gives the wanted steps the identities of those that the server has:
// first of the same title, then of the same content, then, where only one is left
// between two that were found, that one. What reads the same keeps the server's
// HTML.
func matchSteps(has []client.Step, want []stepsyfile.Step) []client.StepInput {
	m := matcher{taken: make([]int, len(want)), used: make([]bool, len(has))}
	hasText, wantText := make([]string, len(has)), make([]string, len(want))
	for j, h := range has {
		hasText[j] = richtext.Settled(h.Content)
	}
	for i, w := range want {
		wantText[i] = richtext.Settled(w.HTML)
		m.taken[i] = -1
	}
	sameTitle := func(i, j int) bool { return want[i].Title == has[j].Title }
	sameText := func(i, j int) bool { return wantText[i] == hasText[j] }
	m.match(func(i, j int) bool { return sameTitle(i, j) && sameText(i, j) })
	m.match(sameTitle)
	m.match(func(i, j int) bool { return hasText[j] != "" && sameText(i, j) })
	m.fillGaps()

	inputs := make([]client.StepInput, len(want))
	for i, w := range want {
		inputs[i] = client.StepInput{Title: w.Title, Content: w.HTML}
		if j := m.taken[i]; j >= 0 {
			inputs[i].ID = has[j].ID
			if sameText(i, j) {
				inputs[i].Content = has[j].Content
			}
		}
	}
	return inputs
}

// matcher finds which wanted step is which of the present ones.
type matcher struct {
	taken []int  // by wanted step: the present one, -1 where it has none
	used  []bool // by present step
}

// match gives each wanted step that has none the first free one that is the same.
func (m *matcher) match(same func(want, has int) bool) {
	for i := range m.taken {
		for j := 0; j < len(m.used) && m.taken[i] < 0; j++ {
			if !m.used[j] && same(i, j) {
				m.taken[i], m.used[j] = j, true
			}
		}
	}
}

// fillGaps matches single steps that stand between the same neighbours.
func (m *matcher) fillGaps() {
	for i := range m.taken {
		before, after := -1, len(m.used)
		if i > 0 {
			before = m.taken[i-1]
		}
		if i+1 < len(m.taken) {
			after = m.taken[i+1]
		}
		if j := before + 1; m.taken[i] < 0 && (i == 0 || before >= 0) && j+1 == after && !m.used[j] {
			m.taken[i], m.used[j] = j, true
		}
	}
}

// newStepsy returns the document as one to be made.
func newStepsy(d *document) client.NewStepsy {
	n := client.NewStepsy{
		Title: d.Title, Description: d.Description, Category: d.Category, Slug: d.Slug,
		Featured: d.Featured, Status: client.Status(d.Status),
	}
	for _, s := range d.Steps {
		n.Steps = append(n.Steps, client.StepInput{Title: s.Title, Content: s.HTML})
	}
	return n
}

// format returns the file of what the server has.
func format(d *document) ([]byte, error) {
	text, err := stepsyfile.Format(d.File)
	if err != nil {
		return nil, fmt.Errorf("it stays on the server as it is: %w", err)
	}
	return text, nil
}
