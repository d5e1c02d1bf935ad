package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestPublishedGuideIsTheSameFileForReadersAndForItsAuthor compares to the byte what the
// public address with .md answers and what pull writes.
func TestPublishedGuideIsTheSameFileForReadersAndForItsAuthor(t *testing.T) {
	t.Parallel()
	d, _, s, _ := author(t)
	d.write(t, "guides/bread.md", strings.Join([]string{
		"---", "title: 'Bread: the \"daily\" one'", "slug: bread", "description: Crusty & plain.", "category: lifestyle", "status: published", "featured: true", "---", "",
		"## Mix *flour* & water", "", "Weigh **everything**:", "", "- 500 g flour", "- 350 g water", "", "```sh", "oven --on", "```", "", "## Bake", "",
	}, "\n"))
	d.done(t, "push", "guides", "--yes")
	d.done(t, "pull", "copy")
	r, err := http.Get(s.url + "/@ada/bread.md")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if want := d.read(t, "copy/bread.md"); err != nil || r.StatusCode != http.StatusOK || string(body) != want {
		t.Errorf("the answer is %d (%v):\n%s\nthe file is:\n%s", r.StatusCode, err, body, want)
	}
}
