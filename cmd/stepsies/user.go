package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-isatty"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/auth"
)

type userCmd struct {
	Create userCreateCmd `cmd:"" help:"Create a user."`
	List   userListCmd   `cmd:"" help:"List users, newest first."`
	Set    userSetCmd    `cmd:"" help:"Change a user."`
	Unlock userUnlockCmd `cmd:"" help:"Let a user sign in again after too many wrong passwords."`
	Delete userDeleteCmd `cmd:"" help:"Delete a user with all that they own, for good; nobody gets the name for 90 days."`
}

type userCreateCmd struct {
	Name          string `arg:"" help:"Username: 3 to 30 of a-z, 0-9, underscore and hyphen."`
	Email         string `help:"E-mail address." required:"" placeholder:"ADDRESS"`
	DisplayName   string `help:"Name as others see it. Default: the username." placeholder:"TEXT"`
	Admin         bool   `help:"Make the user an admin."`
	Plan          string `help:"Plan of the account: free, pro, team or enterprise." enum:"free,pro,team,enterprise" default:"free"`
	PasswordStdin bool   `help:"Read the password from standard input. Without it the user has none until one is set."`
}

// Run creates the user.
func (cmd *userCreateCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	password, err := readPassword(t, cmd.PasswordStdin)
	if err != nil {
		return err
	}
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	want := client.NewUser{Username: cmd.Name, Email: cmd.Email, DisplayName: cmd.DisplayName, Plan: client.Plan(cmd.Plan)}
	if cmd.Admin {
		want.Role = client.RoleAdmin
	}
	u, err := c.CreateUser(ctx, want)
	if err != nil {
		return err
	}
	if password != "" {
		if err := setPassword(ctx, c, u.Username, password); err != nil {
			return fmt.Errorf("the user was made, but has no password yet: %w", err)
		}
	}
	_, err = fmt.Fprintf(t.out, "Created %s with the role %s on the plan %s.\n", u.Username, u.Role, u.Plan)
	return err
}

// readPassword reads a line from standard input and checks it before anything is
// made.
func readPassword(t *terminal, wanted bool) (string, error) {
	if !wanted {
		return "", nil
	}
	line, err := bufio.NewReader(io.LimitReader(t.in, auth.MaxPassword+2)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if err := auth.CheckPassword(password); err != nil {
		return "", usagef("the password %w", err)
	}
	return password, nil
}

func setPassword(ctx context.Context, c *client.Client, username, password string) error {
	return c.Do(ctx, "PUT", "/operator/users/"+username+"/password", map[string]string{"password": password}, nil)
}

type userListCmd struct {
	Query string `arg:"" optional:"" help:"Text in the username, e-mail address or display name."`
	JSON  bool   `help:"Print JSON."`
}

// Run lists the users.
func (cmd *userListCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	users := []client.User{}
	for u, err := range c.AllUsers(ctx, client.UserQuery{Q: cmd.Query}) {
		if err != nil {
			return err
		}
		users = append(users, u)
	}
	if cmd.JSON {
		return printJSON(t.out, users)
	}
	if len(users) == 0 {
		_, err := fmt.Fprintln(t.err, "There are no users. Make one: stepsies user create NAME --email YOU@EXAMPLE.COM"+in.flags())
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "USERNAME\tNAME\tE-MAIL\tROLE\tPLAN\tSTATUS\tCREATED")
	for _, u := range users {
		status := "active"
		if u.Suspended {
			status = "suspended"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", u.Username, u.DisplayName, u.Email, u.Role, u.Plan, status, u.CreatedAt.Format("2006-01-02"))
	}
	return w.Flush()
}

type userSetCmd struct {
	Name          string  `arg:"" help:"Username."`
	Email         *string `help:"E-mail address." placeholder:"ADDRESS"`
	DisplayName   *string `help:"Name as others see it." placeholder:"TEXT"`
	Role          *string `help:"member or admin." placeholder:"ROLE"`
	Plan          *string `help:"free, pro, team or enterprise." placeholder:"PLAN"`
	Suspend       bool    `help:"End every use of the user's keys and sessions at once." xor:"suspend"`
	Unsuspend     bool    `help:"Let them go on." xor:"suspend"`
	PasswordStdin bool    `help:"Read a new password from standard input."`
}

// Run changes the user.
func (cmd *userSetCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	var change client.UserChange
	if cmd.Email != nil {
		change.Email = client.Set(*cmd.Email)
	}
	if cmd.DisplayName != nil {
		change.DisplayName = client.Set(*cmd.DisplayName)
	}
	if cmd.Role != nil {
		change.Role = client.Set(client.Role(*cmd.Role))
	}
	if cmd.Plan != nil {
		change.Plan = client.Set(client.Plan(*cmd.Plan))
	}
	if cmd.Suspend || cmd.Unsuspend {
		change.Suspended = client.Set(cmd.Suspend)
	}
	if change == (client.UserChange{}) && !cmd.PasswordStdin {
		return usagef("nothing to change; see stepsies user set --help")
	}
	password, err := readPassword(t, cmd.PasswordStdin)
	if err != nil {
		return err
	}
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	u, err := c.UpdateUser(ctx, cmd.Name, change)
	if err != nil {
		return err
	}
	if password != "" {
		if err := setPassword(ctx, c, u.Username, password); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(t.out, "Changed %s.\n", u.Username)
	return err
}

type userUnlockCmd struct {
	Name string `arg:"" help:"Username."`
}

// Run lets the user try again, on every node.
func (cmd *userUnlockCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	if err := c.Do(ctx, "POST", "/operator/users/"+url.PathEscape(cmd.Name)+"/unlock", nil, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s may try again.\n", cmd.Name)
	return err
}

type userDeleteCmd struct {
	Name string `arg:"" help:"Username."`
	Yes  bool   `help:"Do not ask."`
}

// Run deletes the user.
func (cmd *userDeleteCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	if err := confirm(ctx, t, cmd.Yes, fmt.Sprintf("Delete %s with all stepsies and keys, for good?", cmd.Name)); err != nil {
		return err
	}
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	if err := c.DeleteUser(ctx, cmd.Name); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "Deleted %s.\n", cmd.Name)
	return err
}

// confirm asks before what cannot be undone.
func confirm(ctx context.Context, t *terminal, yes bool, question string) error {
	return ask(ctx, t, yes, question, "this cannot be undone; say --yes to do it without being asked")
}

// ask asks on a terminal. Elsewhere nothing may ask, so that --yes must say it, as
// the hint says.
func ask(ctx context.Context, t *terminal, yes bool, question, hint string) error {
	if yes {
		return nil
	}
	if !isTerminal(t.in) {
		return usagef("%s", hint)
	}
	_, _ = fmt.Fprint(t.err, question+" [y/N] ")
	answer, err := answer(ctx, t, bufio.NewReader(io.LimitReader(t.in, 100)))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if a := strings.ToLower(answer); a != "y" && a != "yes" {
		return fmt.Errorf("nothing was done")
	}
	return nil
}

// answer reads a line, without the space around it. Ctrl-C ends the reading, which
// does not end by itself.
func answer(ctx context.Context, t *terminal, in *bufio.Reader) (string, error) {
	type read struct {
		line string
		err  error
	}
	got := make(chan read, 1)
	go func() {
		line, err := in.ReadString('\n')
		got <- read{strings.TrimSpace(line), err}
	}()
	select {
	case r := <-got:
		if r.err == io.EOF {
			r.err = nil
		}
		return r.line, r.err
	case <-ctx.Done():
		_, _ = fmt.Fprintln(t.err)
		return "", context.Cause(ctx)
	}
}

// isTerminal reports whether a person can answer. /dev/null is a character device
// as well, so that the file's mode says too little.
func isTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
