package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
// with a letter of ASCII, where there are any.
func upperFirst(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// categoryName is a category as people read it.
func categoryName(category string) string { return upperFirst(category) }

// meanOf is the mean of ratings with one decimal, "" without any.
func meanOf(ratings, stars int64) string {
	mean, ok := stepsies.Stepsy{Ratings: ratings, Stars: stars}.AverageRating()
	if !ok {
		return ""
	}
	return strconv.FormatFloat(mean, 'f', 1, 64)
}

// ratingOf is that of a stepsy.
func ratingOf(s stepsies.Stepsy) string { return meanOf(s.Ratings, s.Stars) }

// authorOf is the author as far as a stepsy knows them.
func authorOf(s stepsies.Stepsy) stepsies.User {
	return stepsies.User{ID: s.UserID, Username: s.Username, DisplayName: s.DisplayName}
}

// planName is a plan as people read it.
func planName(p stepsies.Plan) string { return upperFirst(string(p)) }

// shortName is the name of something where a long one would drown the sentence.
func shortName(name string) string {
	const most = 40
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return name
}

// doneBy names who made a change, to a reader who may be the same.
func doneBy(reader stepsies.User, a stepsies.Actor) string {
	switch a.Kind {
	case stepsies.ActorOperator:
		return "the operator"
	case stepsies.ActorAnonymous:
		return "someone who held the key"
	}
	name := a.Username
	if a.UserID == reader.ID {
		name = "you"
	}
	if a.Kind == stepsies.ActorKey {
		name += " with the key " + a.KeyName
	}
	return name
}

// lineBreaks turns the line breaks of forms (CR LF, HTML §4.10.22.4) into those of
// what is stored, so that saving what nobody changed changes nothing.
func lineBreaks(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// excerpt makes a line of a text, and ends it with … at a word where it has more than n
// characters.
func excerpt(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	cut := string([]rune(text)[:n])
	if at := strings.LastIndexByte(cut, ' '); at > n/2 {
		cut = cut[:at]
	}
	return strings.TrimRight(cut, " ,.;:–—-") + "…"
}
