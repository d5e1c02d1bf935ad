package store

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

func TestCursorIsReadBackInItsOwnOrderOnly(t *testing.T) {
	t.Parallel()
	for _, want := range []cursor{
		{Sort: "title", ID: 7, Text: "crème 日本 😀"}, {Sort: "-id", ID: math.MaxInt64}, {Sort: "-created_at", ID: 1, Num: math.MinInt64},
		{Sort: "title", ID: 1, Text: strings.Repeat("😀", stepsies.MaxTitle)},
	} {
		got, err := parseCursor(want.String(), want.Sort)
		if err != nil || got == nil || *got != want {
			t.Errorf("%+v is read back as %+v (%v)", want, got, err)
		}
		_, err = parseCursor(want.String(), "other")
		wantCode(t, err, stepsies.CodeBadRequest)
	}
	if got, err := parseCursor("", "title"); got != nil || err != nil {
		t.Errorf("no cursor is read as %+v (%v)", got, err)
	}
	for _, bad := range []string{
		"!", cursor{Sort: "title", ID: 1}.String() + "\n", "e30=", base64.RawURLEncoding.EncodeToString([]byte(`{}`)), base64.RawURLEncoding.EncodeToString([]byte(`null`)),
		base64.RawURLEncoding.EncodeToString([]byte(`{"s":"title","i":"1"}`)), base64.RawURLEncoding.EncodeToString([]byte(`{"s":"title","t":"a\u0000"}`)),
		cursor{Sort: "title", Text: strings.Repeat("a", maxCursor)}.String(),
	} {
		if _, err := parseCursor(bad, "title"); stepsies.CodeOf(err) != stepsies.CodeBadRequest {
			t.Errorf("%.40s: %v, want a bad request", bad, err)
		}
	}
}

// FuzzCursor: whatever a client sends is refused as a bad request or is a place that
// a database can be asked about.
func FuzzCursor(f *testing.F) {
	f.Add("", "title")
	f.Add(cursor{Sort: "title", ID: 3, Text: "a"}.String(), "title")
	f.Add(cursor{Sort: "-created_at", ID: 3, Num: 1_700_000_000_000}.String(), "-created_at")
	f.Fuzz(func(t *testing.T, text, sort string) {
		c, err := parseCursor(text, sort)
		switch {
		case err != nil:
			if stepsies.CodeOf(err) != stepsies.CodeBadRequest || c != nil {
				t.Errorf("refused with %+v, %v", c, err)
			}
			return
		case c == nil:
			if text != "" {
				t.Error("a cursor is taken for none")
			}
			return
		}
		if c.Sort != sort || stepsies.CheckText(c.Text, false) != nil || len(text) > maxCursor {
			t.Errorf("%+v was let through", c)
		}
		again, err := parseCursor(c.String(), sort)
		if err != nil || *again != *c {
			t.Errorf("%+v is read back as %+v (%v)", c, again, err)
		}
	})
}
