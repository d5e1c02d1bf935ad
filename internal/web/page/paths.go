package page

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/stepsies/stepsies"
)

// The addresses of pages, each of which is written here and in the table of routes.
const (
	NewestPath    = "/newest"
	BestRatedPath = "/best-rated"
	LatelyPath    = "/completed-lately"
	SearchPath    = "/search"
	DocsPath      = "/docs"
	FeedPath      = "/feed.atom"

	SignInPath         = "/sign-in"
	signOutPath        = "/sign-out"
	SignUpPath         = "/sign-up"
	ForgotPasswordPath = "/forgot-password"

	DashboardPath = "/dashboard"
	StepsiesPath  = "/dashboard/stepsies"
	NewStepsyPath = "/dashboard/stepsies/new"
	TrashPath     = "/dashboard/trash"
	DeveloperPath = "/dashboard/developer"
	NewKeyPath    = "/dashboard/developer/new"
	ActivityPath  = "/dashboard/activity"
	UsersPath     = "/dashboard/users"
	ProfilePath   = "/dashboard/profile"
)

// The beginnings of addresses that end in a secret.
const (
	PreviewPath       = "/preview/"
	WelcomePath       = "/welcome/"
	InvitationPath    = "/invitation/"
	VerifyEmailPath   = "/verify-email/"
	ResetPasswordPath = "/reset-password/"
)

// OfUser is an address in the dashboard, for the things of an owner: where they are not
// the reader's own, it names the owner.
func OfUser(path string, owner stepsies.User, foreign bool) string {
	if !foreign {
		return path
	}
	return path + "?user=" + url.QueryEscape(owner.Username)
}

// KeyPath is the address of a key's own page, or of one of its forms.
func KeyPath(k stepsies.APIKey, form string) string {
	path := fmt.Sprintf("%s/keys/%d", DeveloperPath, k.ID)
	if form != "" {
		path += "/" + form
	}
	return path
}

// StepsyPath is the address of a stepsy in the dashboard, or of what is done there.
func StepsyPath(s stepsies.Stepsy, act string) string {
	path := fmt.Sprintf("%s/%d", StepsiesPath, s.ID)
	if act != "" {
		path += "/" + act
	}
	return path
}

// PublicPath is where everyone reads a stepsy once it is published.
func PublicPath(s stepsies.Stepsy) string { return AuthorPath(s.Username) + "/" + s.Slug }

// StepAnchor names a step of a stepsy for good on every page that shows it, wherever it is
// moved to; "step-" and its number name a place.
func StepAnchor(step stepsies.Step) string { return "s-" + strconv.FormatInt(step.ID, 10) }

// AuthorPath is the address of an author's page.
func AuthorPath(username string) string { return "/@" + url.PathEscape(username) }

// CategoryPath is the list of a category.
func CategoryPath(category string) string { return "/categories/" + category }

// UserPath is the address of a user's page, or of one of its forms. The @ keeps a
// user called new apart from the form that makes one.
func UserPath(username, form string) string {
	path := UsersPath + "/@" + url.PathEscape(username)
	if form != "" {
		path += "/" + form
	}
	return path
}
