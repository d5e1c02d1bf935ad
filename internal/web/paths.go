package web

import (
	"fmt"
	"net/url"

	"github.com/stepsies/stepsies"
)

// The addresses of pages, each of which is written here and in the table of routes.
const (
	newestPath    = "/newest"
	bestRatedPath = "/best-rated"
	latelyPath    = "/completed-lately"
	searchPath    = "/search"
	docsPath      = "/docs"
	feedPath      = "/feed.atom"

	signInPath         = "/sign-in"
	signOutPath        = "/sign-out"
	signUpPath         = "/sign-up"
	forgotPasswordPath = "/forgot-password"

	dashboardPath = "/dashboard"
	stepsiesPath  = "/dashboard/stepsies"
	newStepsyPath = "/dashboard/stepsies/new"
	trashPath     = "/dashboard/trash"
	developerPath = "/dashboard/developer"
	newKeyPath    = "/dashboard/developer/new"
	activityPath  = "/dashboard/activity"
	usersPath     = "/dashboard/users"
	profilePath   = "/dashboard/profile"
)

// The beginnings of addresses that end in a secret.
const (
	previewPath       = "/preview/"
	welcomePath       = "/welcome/"
	invitationPath    = "/invitation/"
	verifyEmailPath   = "/verify-email/"
	resetPasswordPath = "/reset-password/"
)

// ofUser is an address in the dashboard, for the things of an owner: where they are not
// the reader's own, it names the owner.
func ofUser(path string, owner stepsies.User, foreign bool) string {
	if !foreign {
		return path
	}
	return path + "?user=" + url.QueryEscape(owner.Username)
}

// keyPath is the address of a key's own page, or of one of its forms.
func keyPath(k stepsies.APIKey, form string) string {
	path := fmt.Sprintf("%s/keys/%d", developerPath, k.ID)
	if form != "" {
		path += "/" + form
	}
	return path
}

// stepsyPath is the address of a stepsy in the dashboard, or of what is done there.
func stepsyPath(s stepsies.Stepsy, act string) string {
	path := fmt.Sprintf("%s/%d", stepsiesPath, s.ID)
	if act != "" {
		path += "/" + act
	}
	return path
}

// publicPath is where everyone reads a stepsy once it is published.
func publicPath(s stepsies.Stepsy) string { return authorPath(s.Username) + "/" + s.Slug }

// authorPath is the address of an author's page.
func authorPath(username string) string { return "/@" + url.PathEscape(username) }

// categoryPath is the list of a category.
func categoryPath(category string) string { return "/categories/" + category }

// userPath is the address of a user's page, or of one of its forms. The @ keeps a
// user called new apart from the form that makes one.
func userPath(username, form string) string {
	path := usersPath + "/@" + url.PathEscape(username)
	if form != "" {
		path += "/" + form
	}
	return path
}
