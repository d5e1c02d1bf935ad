package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stepsies/stepsies"
)

// Ago says how long ago a time was, as people would: "3 minutes ago", "21 Aug".
func Ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 0:
		return DayOf(now, t.In(now.Location()))
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return Plural(int(d/time.Minute), "minute") + " ago"
	case d < 24*time.Hour:
		return Plural(int(d/time.Hour), "hour") + " ago"
	case d < 7*24*time.Hour:
		return Plural(int(d/(24*time.Hour)), "day") + " ago"
	}
	return DayOf(now, t.In(now.Location()))
}

// In says how soon a time comes: "in 5 days". What was just set to end in 7 days does not
// end in 6, for the sake of seconds.
func In(now, t time.Time) string {
	d := t.Sub(now)
	switch {
	case d <= 0:
		return "now"
	case d < time.Hour:
		return "in " + Plural(int(d/time.Minute)+1, "minute")
	case d < 48*time.Hour:
		return "in " + Plural(int((d+time.Minute)/time.Hour), "hour")
	case d < 60*24*time.Hour:
		return "in " + Plural(int((d+time.Hour)/(24*time.Hour)), "day")
	}
	return "on " + DayOf(now, t)
}

// DayOf is the day of a time, with its year where it is another one.
func DayOf(now, t time.Time) string {
	if now.Year() == t.Year() {
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// Exact is a time to the second in its own time zone, for whoever hovers over a
// relative one.
func Exact(t time.Time) string { return t.Format("Mon 2 Jan 2006, 15:04:05 MST") }

// Machine is a time for <time datetime>.
func Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Plural counts things: "1 key", "2 keys".
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Number(int64(n)) + " " + thing + "s"
}

// Number writes thousands apart: 31,870.
func Number(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Initials stand in for a picture.
func Initials(u stepsies.User) string {
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

// UpperFirst begins a sentence with words that stand within one elsewhere. They begin
// with a letter of ASCII, where there are any.
func UpperFirst(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// CategoryName is a category as people read it.
func CategoryName(category string) string { return UpperFirst(category) }

// MeanOf is the mean of ratings with one decimal, "" without any.
func MeanOf(ratings, stars int64) string {
	mean, ok := stepsies.Stepsy{Ratings: ratings, Stars: stars}.AverageRating()
	if !ok {
		return ""
	}
	return strconv.FormatFloat(mean, 'f', 1, 64)
}

// RatingOf is that of a stepsy.
func RatingOf(s stepsies.Stepsy) string { return MeanOf(s.Ratings, s.Stars) }

// AuthorOf is the author as far as a stepsy knows them.
func AuthorOf(s stepsies.Stepsy) stepsies.User {
	return stepsies.User{ID: s.UserID, Username: s.Username, DisplayName: s.DisplayName}
}

// PlanName is a plan as people read it.
func PlanName(p stepsies.Plan) string { return UpperFirst(string(p)) }

// ShortName is the name of something where a long one would drown the sentence.
func ShortName(name string) string {
	const most = 40
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return name
}

// DoneBy names who made a change, to a reader who may be the same.
func DoneBy(reader stepsies.User, a stepsies.Actor) string {
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

// LineBreaks turns the line breaks of forms (CR LF, HTML §4.10.22.4) into those of
// what is stored, so that saving what nobody changed changes nothing.
func LineBreaks(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// Excerpt makes a line of a text, and ends it with … at a word where it has more than n
// characters.
func Excerpt(text string, n int) string {
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
