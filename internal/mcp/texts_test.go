package mcp

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestSlowTextsOfOneCallAreGivenUp, so that the texts of others get their places, and a
// call that is over takes none.
func TestSlowTextsOfOneCallAreGivenUp(t *testing.T) {
	s := &Server{reading: make(chan struct{}, 1)}
	own := s.texts(t.Context())
	if html, err := own.toHTML("**Water**", ""); err != nil || html != "<p><strong>Water</strong></p>" {
		t.Errorf("%q %v", html, err)
	}
	if *own.spent <= 0 {
		t.Error("reading takes no time")
	}
	*own.spent = maxReading + time.Nanosecond
	if _, err := own.toHTML("**Water**", ""); err == nil || !strings.Contains(err.Error(), "send it as html") {
		t.Errorf("a slow call reads on: %v", err)
	}
	if html, err := own.toHTML("<p>Water</p>", formatHTML); err != nil || html != "<p>Water</p>" {
		t.Errorf("HTML is not taken: %q %v", html, err)
	}
	if text, f := own.toMarkdown("<p>Water</p>"); text != "<p>Water</p>" || f != formatHTML {
		t.Errorf("a slow call gets %q as %q", text, f)
	}
	if text, f := s.texts(t.Context()).toMarkdown("<p>Water</p>"); text != "Water" || f != "" {
		t.Errorf("the next call gets %q as %q", text, f)
	}
	over, end := context.WithCancel(t.Context())
	end()
	for range 3 {
		if _, err := s.texts(over).toHTML("**Water**", ""); err == nil {
			t.Error("a call that is over reads on")
		}
	}
	if len(s.reading) != 0 {
		t.Error("a place was not given back")
	}
}
