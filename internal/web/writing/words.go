package writing

import (
	"fmt"

	"github.com/a-h/templ"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// rowID names a control of a step's row.
func rowID(row int, control string) string { return fmt.Sprintf("step-%d-%s", row, control) }

// focusOn gives the focus to the control that the form goes on from.
func focusOn(f stepsyForm, id string) templ.Attributes {
	return templ.Attributes{"autofocus": f.Focus == id}
}

// problemCount says how many fields do not fit.
func problemCount(problems map[string]string) string {
	if len(problems) == 1 {
		return "One thing does not fit; it is marked below."
	}
	return page.Number(int64(len(problems))) + " things do not fit; they are marked below."
}

// slugHint says what the address of a stepsy is, and what becomes of an old one.
func slugHint(v editorView) string {
	hint := v.Origin + v.Stepsy.Slug
	if v.Stepsy.Status == stepsies.StatusPublished {
		return hint + " · An old address leads on to the new one."
	}
	return hint + " · Empty: made from the title."
}
