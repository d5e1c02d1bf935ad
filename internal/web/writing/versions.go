package writing

import (
	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/web/page"
)

// versionsView sets what was typed beside what was stored meanwhile.
type versionsView struct {
	stepsyAction
	By    string        // who stored the other version, "" where that is not known
	Mine  stepsyForm    // ready to be stored over the other version
	Lines []versionLine // what differs
	Same  int           // steps that do not differ
}

// versionLine is a part of a stepsy in both versions.
type versionLine struct {
	Label        string
	Mine, Theirs versionPart
}

// versionPart is one side of a line: text, or a step with its content.
type versionPart struct {
	Text    string
	Content stepsies.Content
	Missing bool // there is no such step on this side
}

// versionsOf compares a form with the stored stepsy. The form becomes one of that
// version: steps that it no longer has would be new ones.
func versionsOf(a stepsyAction, f stepsyForm) versionsView {
	stored := stepsyFormOf(a.Stepsy)
	v := versionsView{stepsyAction: a, Mine: f}
	v.Mine.Version, v.Mine.Problems = stored.Version, nil
	v.line("Title", f.Title, stored.Title)
	v.line("Description", f.Description, stored.Description)
	v.line("Category", page.CategoryName(f.Category), page.CategoryName(stored.Category))
	if f.Slug != "" {
		v.line("Address ends in", f.Slug, stored.Slug)
	}
	v.line("Featured", yesNo(f.Featured), yesNo(stored.Featured))

	position := map[int64]int{}
	for i, s := range a.Stepsy.Steps {
		position[s.ID] = i
	}
	v.Mine.Steps = make([]stepForm, 0, len(f.Steps))
	kept := map[int64]bool{}
	for i, mine := range f.Steps {
		if mine.empty() {
			continue
		}
		line := versionLine{Label: stepLabel(i), Mine: versionPart{Text: mine.Title, Content: richtext.Sanitise(mine.HTML)}, Theirs: versionPart{Missing: true}}
		at, found := position[mine.ID]
		if !found || kept[mine.ID] {
			mine.ID = 0
		} else {
			kept[mine.ID] = true
			theirs := a.Stepsy.Steps[at]
			line.Theirs = versionPart{Text: theirs.Title, Content: theirs.Content}
			if at != i {
				line.Label += ", there step " + page.Number(int64(at+1))
			}
		}
		v.Mine.Steps = append(v.Mine.Steps, mine)
		if line.Mine == line.Theirs && at == i {
			v.Same++
			continue
		}
		v.Lines = append(v.Lines, line)
	}
	for i, s := range a.Stepsy.Steps {
		if !kept[s.ID] {
			v.Lines = append(v.Lines, versionLine{Label: "There step " + page.Number(int64(i+1)), Mine: versionPart{Missing: true}, Theirs: versionPart{Text: s.Title, Content: s.Content}})
		}
	}
	return v
}

func (v *versionsView) line(label, mine, theirs string) {
	if mine != theirs {
		v.Lines = append(v.Lines, versionLine{Label: label, Mine: versionPart{Text: mine}, Theirs: versionPart{Text: theirs}})
	}
}

func stepLabel(i int) string { return "Step " + page.Number(int64(i+1)) }

func yesNo(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}
