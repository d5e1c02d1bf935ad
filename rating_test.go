package stepsies_test

import (
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

func TestRatingHasOneToFiveStarsAndAShortComment(t *testing.T) {
	for stars := 1; stars <= 5; stars++ {
		if r, err := stepsies.NewRating(stars, "cafe\u0301\nthanks"); err != nil || r.Stars != stars || r.Comment != "café\nthanks" {
			t.Errorf("%d stars: %+v, %v", stars, r, err)
		}
	}
	for _, stars := range []int{-1, 0, 6} {
		if _, err := stepsies.NewRating(stars, ""); stepsies.CodeOf(err) != stepsies.CodeValidation {
			t.Errorf("%d stars: %v", stars, err)
		}
	}
	for name, comment := range map[string]string{
		"too long": strings.Repeat("é", stepsies.MaxRatingComment+1), "a control character": "a\x00b",
	} {
		if _, err := stepsies.NewRating(5, comment); stepsies.CodeOf(err) != stepsies.CodeValidation {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stepsies.NewRating(5, strings.Repeat("é", stepsies.MaxRatingComment)); err != nil {
		t.Errorf("a comment of the greatest length: %v", err)
	}
}
