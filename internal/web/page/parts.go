package page

// Choice is an option of a select.
type Choice struct{ Value, Label string }

// Link is a link that is shown once.
type Link struct {
	Title, Sentence string
	Address         string
}
