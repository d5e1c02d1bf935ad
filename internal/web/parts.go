package web

// choice is an option of a select.
type choice struct{ Value, Label string }

// linkView is a link that is shown once.
type linkView struct {
	Title, Sentence string
	Address         string
}
