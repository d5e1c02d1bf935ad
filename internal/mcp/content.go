package mcp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/richtext"
)

// format is what content is written in. The zero format is Markdown.
type format string

const (
	formatMarkdown format = "markdown"
	formatHTML     format = "html"
)

// texts turns the texts of one call from and into Markdown until its context ends. Where
// the server has many assistants, that is as many texts at once as there are places.
type texts struct {
	ctx    context.Context
	places chan struct{}  // nil: any number
	spent  *time.Duration // in places
}

func (s *Server) texts(ctx context.Context) texts { return texts{ctx, s.reading, new(time.Duration)} }

// maxReading is how long the texts of one call may hold a place, give or take one of
// them. What people write takes a hundredth of that.
const maxReading = 5 * time.Second

var errSlow = errors.New("it takes too long; write it more simply, or send it as html")

// place waits for a place. What it returns gives it back.
func (t texts) place() (leave func(), err error) {
	leave = func() {}
	if t.places != nil {
		if *t.spent > maxReading {
			return nil, errSlow
		}
		select {
		case t.places <- struct{}{}:
			began := time.Now()
			leave = func() {
				*t.spent += time.Since(began)
				<-t.places
			}
		case <-t.ctx.Done():
		}
	}
	if err = t.ctx.Err(); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// toMarkdown returns content as Markdown where nothing is lost by that, and else, or
// where that takes too long, as it is.
func (t texts) toMarkdown(html string) (string, format) {
	leave, err := t.place()
	if err != nil {
		return html, formatHTML
	}
	defer leave()
	md, err := richtext.ToSection(html)
	if err != nil {
		return html, formatHTML
	}
	return strings.TrimSuffix(md, "\n"), ""
}

// toHTML returns what an assistant has written as HTML. The server sanitises it; what
// would vanish there without a word is refused.
func (t texts) toHTML(content string, f format) (string, error) {
	if f == formatHTML {
		return content, keeps(richtext.LostAddresses(content))
	}
	leave, err := t.place()
	if err != nil {
		return "", err
	}
	defer leave()
	c, err := richtext.FromMarkdown(content)
	if err != nil {
		return "", err
	}
	before, sections, err := richtext.Sections(content)
	if err != nil {
		return "", err
	}
	lost := before.Lost
	for _, s := range sections {
		lost = append(lost, s.Lost...)
	}
	return c.HTML(), keeps(lost)
}

// maxQuoted is how many characters of an address a refusal repeats.
const maxQuoted = 100

func keeps(lost []string) error {
	if len(lost) == 0 {
		return nil
	}
	address := []rune(lost[0])
	if len(address) > maxQuoted {
		address = append(address[:maxQuoted], '…')
	}
	return fmt.Errorf("%q is not an address that a link or a picture can have here; write a whole one, such as https://example.com/picture.png, or leave it out", string(address))
}

const (
	resourcePrefix = "stepsy://"
	markdownType   = "text/markdown"
)

// addResources offers each stepsy as a document, for people to hand to their
// assistant.
func (s *Server) addResources() {
	s.sdk.AddResourceTemplate(&sdk.ResourceTemplate{
		Name: "stepsy", Title: "A stepsy", MIMEType: markdownType, URITemplate: resourcePrefix + "{id}",
		Description: "A stepsy as one Markdown document with a heading for each step. The id is the one that list_stepsies gives.",
	}, s.document)
}

func (s *Server) document(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	uri := req.Params.URI
	id, err := strconv.ParseInt(strings.TrimPrefix(uri, resourcePrefix), 10, 64)
	if err != nil || id <= 0 {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	got, err := s.client.GetStepsy(ctx, id)
	if errors.Is(err, client.ErrNotFound) {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	if err != nil {
		s.logFailure("resource", err)
		return nil, errors.New(sentence(err))
	}
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: markdownType, Text: s.texts(ctx).document(got)}}}, nil
}

func (t texts) document(s *client.Stepsy) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", s.Title)
	if s.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", s.Description)
	}
	steps, next := t.readable(s.Steps, 1)
	for _, step := range steps {
		step.write(&b, "")
	}
	if next > 0 {
		fmt.Fprintf(&b, "\nThis text ends before step %d of %d. The tool read_stepsy gives the others.\n", next, s.StepsCount)
	}
	return b.String()
}

// write writes a step under a heading with a remark.
func (step readStep) write(b *strings.Builder, remark string) {
	fmt.Fprintf(b, "\n## %d. %s%s\n", step.Position, step.Title, remark)
	if step.Content != "" {
		fmt.Fprintf(b, "\n%s\n", step.Content)
	}
}
