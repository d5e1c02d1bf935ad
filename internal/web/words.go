package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// ago says how long ago a time was, as people would: "3 minutes ago", "21 Aug".
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 0:
		return dayOf(now, t.In(now.Location()))
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute") + " ago"
	case d < 24*time.Hour:
		return plural(int(d/time.Hour), "hour") + " ago"
	case d < 7*24*time.Hour:
		return plural(int(d/(24*time.Hour)), "day") + " ago"
	}
	return dayOf(now, t.In(now.Location()))
}

// in says how soon a time comes: "in 5 days". What was just set to end in 7 days does not
// end in 6, for the sake of seconds.
func in(now, t time.Time) string {
	d := t.Sub(now)
	switch {
	case d <= 0:
		return "now"
	case d < time.Hour:
		return "in " + plural(int(d/time.Minute)+1, "minute")
	case d < 48*time.Hour:
		return "in " + plural(int((d+time.Minute)/time.Hour), "hour")
	case d < 60*24*time.Hour:
		return "in " + plural(int((d+time.Hour)/(24*time.Hour)), "day")
	}
	return "on " + dayOf(now, t)
}

// dayOf is the day of a time, with its year where it is another one.
func dayOf(now, t time.Time) string {
	if now.Year() == t.Year() {
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// exact is a time to the second in its own time zone, for whoever hovers over a
// relative one.
func exact(t time.Time) string { return t.Format("Mon 2 Jan 2006, 15:04:05 MST") }

// machine is a time for <time datetime>.
func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// plural counts things: "1 key", "2 keys".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(int64(n)) + " " + thing + "s"
}

// number writes thousands apart: 31,870.
func number(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// initials stand in for a picture.
func initials(u stepsies.User) string {
	var letters []rune
	for _, word := range strings.Fields(u.DisplayName) {
		letters = append(letters, []rune(strings.ToUpper(word))[0])
	}
	switch len(letters) {
	case 0:
		return "?"
	case 1:
		return string(letters)
	}
	return string([]rune{letters[0], letters[len(letters)-1]})
}

// upperFirst begins a sentence with words that stand within one elsewhere. They begin
// with a letter of ASCII.
func upperFirst(words string) string { return strings.ToUpper(words[:1]) + words[1:] }
