package stepsyfile_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

const sample = `---
title: 'Email: the "Welcome" Sequence'
slug: email-welcome-sequence
description: |-
    Create a sequence.

    It converts.
category: marketing
status: published
featured: true
---

## Define Your *Goal* & #1 thing ##

Before writing a **single** email...

<h2>A heading within</h2>

### And one below

` + "```sh\n## not a step\n```" + `

## Empty

## Last

- a
- b
`

func TestFileIsReadAsItIsWritten(t *testing.T) {
	f, err := stepsyfile.Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := stepsyfile.File{
		Title: `Email: the "Welcome" Sequence`, Slug: "email-welcome-sequence", Description: "Create a sequence.\n\nIt converts.",
		Category: "marketing", Status: "published", Featured: true,
		Steps: []stepsyfile.Step{
			{"Define Your *Goal* & #1 thing ##", "<p>Before writing a <strong>single</strong> email...</p>\n<h2>A heading within</h2>\n<h3>And one below</h3>\n" +
				"<pre><code class=\"language-sh\">## not a step</code></pre>"},
			{"Empty", ""},
			{"Last", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"},
		},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("Parse\n got %#v\nwant %#v", f, want)
	}
	out, err := stepsyfile.Format(f)
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != sample {
		t.Errorf("Format\n%s\nwant\n%s", out, sample)
	}
}

func TestByteOrderMarkAndWindowsLineEndsDoNotMatter(t *testing.T) {
	want, err := stepsyfile.Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	got, err := stepsyfile.Parse([]byte("\uFEFF" + strings.ReplaceAll(sample, "\n", "\r\n")))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got, err)
	}
}

func TestMinimalFileNeedsATitleOnly(t *testing.T) {
	for in, want := range map[string]stepsyfile.File{
		"---\ntitle: How to\n---":                              {Title: "How to"},
		"---\ntitle: 2024\nfeatured: false\n---\n":             {Title: "2024"},
		"--- \ntitle: yes\ndescription:\nslug: ~\n---\n\n\n":   {Title: "yes"},
		"---\n# a comment\ntitle: \" a \"\n---\n<!-- note -->": {Title: "a"},
	} {
		if got, err := stepsyfile.Parse([]byte(in)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q) = %#v, %v", in, got, err)
		}
	}
}

func TestWhatCannotBeUnderstoodIsRefusedWithItsLine(t *testing.T) {
	const head = "---\ntitle: a\n---\n"
	for _, c := range []struct {
		name, in string
		line     int
		says     string
	}{
		{"empty", "", 1, "is empty"},
		{"no front matter", "# Title\n", 1, "begins with front matter"},
		{"open front matter", "---\ntitle: a\n\n## b\n", 1, "does not end"},
		{"no fields", "---\n---\n", 1, "is empty"},
		{"no title", "---\nslug: a\n---\n", 1, "no title"},
		{"unknown field", "---\ntitle: a\n\ntags: [x]\n---\n", 4, "one of title, slug, description, category, status, featured"},
		{"field twice", "---\ntitle: a\nslug: b\ntitle: c\n---\n", 4, "second time"},
		{"not YAML", "---\ntitle: a: b\n---\n", 2, "must itself stand in quotes"},
		{"a list", "---\n- title\n---\n", 2, "names and values"},
		{"a list as value", "---\ntitle: a\nslug:\n  - b\n---\n", 4, "must be one value"},
		{"an alias", "---\ntitle: &t a\n---\n", 2, "must be one value"},
		{"title of two lines", "---\ntitle: |\n  a\n  b\n---\n", 2, "one line"},
		{"control character in YAML", "---\ntitle: \"a\\u0001\"\n---\n", 2, "U+0001"},
		{"status", "---\ntitle: a\nstatus: live\n---\n", 3, "must be draft or published, not \"live\""},
		{"featured", "---\ntitle: a\nfeatured: maybe\n---\n", 3, "true or false"},
		{"text before a step", head + "\n\nHello\n\n## One\n", 6, "before the first step"},
		{"heading before a step", head + "# Hello\n## One\n", 4, "before the first step"},
		{"step without a title", head + "## One\n\n##\ntext\n", 6, "no title"},
		{"control character", head + "## One\n\na\x00b\n", 6, "U+0000"},
		{"not UTF-8", head + "## One\xff\n", 4, "is not UTF-8; have your editor save"},
		{"local picture", head + "## One\n\n## Two\n\n![a](./pic.png)\n", 6, `"./pic.png" is not an address`},
		{"local picture in HTML", head + "## One\n\n<img src='pic.png'>\n", 4, `"pic.png" is not an address`},
		{"local picture before a step", head + "![a](pic.png)\n\n## One\n", 4, `"pic.png" is not an address`},
		{"link to another file", head + "## One\n\nSee [two](two.md#x).\n", 4, `"two.md#x" is not an address`},
		{"footnote", head + "## One\n\nSo[^1].\n\n[^1]: Because\n", 4, `"Because" is not an address`},
		{"data picture", head + "## One\n\n![a](data:image/png;base64," + strings.Repeat("A", 300) + ")\n", 4, `AAAA…" is not`},
		{"too deep", head + "## One\n" + strings.Repeat("> ", 500), 4, "200"},
		{"too large", head + strings.Repeat("x", stepsyfile.MaxSize), 1, "split it"},
		{"too much front matter", "---\ntitle: a\n" + strings.Repeat("# comment\n", 7000) + "---\n", 6555, "longer than"},
	} {
		f, err := stepsyfile.Parse([]byte(c.in))
		var refused *stepsyfile.Error
		if !errors.As(err, &refused) {
			t.Errorf("%s: %#v, %v", c.name, f, err)
			continue
		}
		if refused.Line != c.line || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want line %d and %q", c.name, err, c.line, c.says)
		}
	}
}

func TestFormatRefusesWhatAFileCannotHold(t *testing.T) {
	for name, f := range map[string]stepsyfile.File{
		"no title":             {},
		"no step title":        {Title: "a", Steps: []stepsyfile.Step{{Title: " "}}},
		"step title two lines": {Title: "a", Steps: []stepsyfile.Step{{Title: "a\nb"}}},
		"control character":    {Title: "a", Description: "\x01"},
		"status":               {Title: "a", Status: "live"},
		"too large":            {Title: "a", Steps: []stepsyfile.Step{{Title: "a", HTML: strings.Repeat("x ", stepsyfile.MaxSize/2)}}},
	} {
		if out, err := stepsyfile.Format(f); err == nil {
			t.Errorf("%s: got a file of %d bytes", name, len(out))
		}
	}
}

// TestFormattingIsStable draws stepsies and takes them to a file and back.
func TestOtherReadersOfYAMLGetTheSameTitle(t *testing.T) {
	for title, want := range map[string]string{
		"1,000":          "title: \"1,000\"\n", // a number to Ruby
		"10,5":           "title: \"10,5\"\n",
		"=":              "title: \"=\"\n", // refused by Python
		"<<":             "title: \"<<\"\n",
		"1,000 contacts": "title: 1,000 contacts\n",
	} {
		data, err := stepsyfile.Format(stepsyfile.File{Title: title})
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s is written as %s (%v), want %s", title, data, err, want)
		}
	}
}

func TestFormattingIsStable(t *testing.T) {
	line := rapid.OneOf(
		rapid.StringMatching(`[#*_\-+>~:'"\\&<|\[\]a-c ]{0,8}x[#*_\-:'"\\&> a-c]{0,8}`),
		rapid.StringMatching(`\PC{0,20}y`),
		rapid.SampledFrom([]string{"null", "true", "~", "0x1", "1.5", "2024-01-01", "---", "## a", "a # b", "- a", "{a}", "[a]", "! a", "@a", "%a", "`a`", "é", "🎉"}),
	)
	prose := rapid.Map(rapid.SliceOfN(rapid.OneOf(line, rapid.Just(""), rapid.Just("---"), rapid.Just(" x"), rapid.Just("x "), rapid.Just("\tx"), rapid.Just("x\r")), 0, 4),
		func(lines []string) string { return strings.Join(lines, "\n") })
	html := rapid.OneOf(prose, rapid.Map(prose, func(s string) string {
		return "<h1>T</h1><h2>" + s + "</h2><p>" + s + "</p><ul><li>" + s + "<h2>U</h2></li></ul><pre><code>## " + s + "\n```</code></pre><p>[x]: https://h/</p><p>[x] <u>y"
	}))
	rapid.Check(t, func(t *rapid.T) {
		f := stepsyfile.File{
			Title: line.Draw(t, "title"), Slug: rapid.SampledFrom([]string{"", "a-b", "007", "null"}).Draw(t, "slug"),
			Description: prose.Draw(t, "description"), Category: rapid.SampledFrom([]string{"", "other"}).Draw(t, "category"),
			Status: rapid.SampledFrom([]string{"", "draft", "published"}).Draw(t, "status"), Featured: rapid.Bool().Draw(t, "featured"),
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "steps") {
			f.Steps = append(f.Steps, stepsyfile.Step{
				Title: line.Draw(t, fmt.Sprint("step", i)), HTML: richtext.Sanitise(html.Draw(t, fmt.Sprint("content", i))).HTML(),
			})
		}
		first, err := stepsyfile.Format(f)
		if err != nil {
			t.Fatal(err)
		}
		back, err := stepsyfile.Parse(first)
		if err != nil {
			t.Fatal(err)
		}
		if back.Title != strings.TrimSpace(f.Title) || back.Description != f.Description || len(back.Steps) != len(f.Steps) {
			t.Fatalf("wrote %#v\n read %#v", f, back)
		}
		for i, s := range f.Steps {
			was, is := richtext.Sanitise(s.HTML).Text(), richtext.Sanitise(back.Steps[i].HTML).Text()
			if strings.Join(strings.Fields(was), " ") != strings.Join(strings.Fields(is), " ") {
				t.Fatalf("step %d: wrote %q, read %q", i, was, is)
			}
		}
		checkStable(t, first)
	})
}

// FuzzParse looks for files that are read, but not written as they are read.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	for _, s := range []string{
		"---\ntitle: a\n---\n## b\n# c\n\nd\n---\n\n## e\n",
		"---\ntitle: a\n---\n[l]\n\n## b\n\n[l]: https://h/\n",
		"---\ntitle: \"\\U0001F389\\n\"\ndescription: >\n  a\n  b\n---\n## #\n##\tb\n",
		"---\ntitle: a\n---\n## b\n<div>\n## c\n\n## d\n> ## e\n\n- ## f\n\n```\n## g",
		"---\ntitle: !!binary aGk=\nfeatured: yes\n---\n",
		"---\n? title\n: a\n<<: b\n---\n",
		"---\r\ntitle: 'a'\r\n---\r\n## b\r\n\r\nc\\\r\nd\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 8192 {
			return
		}
		file, err := stepsyfile.Parse(data)
		if err != nil {
			var refused *stepsyfile.Error
			if !errors.As(err, &refused) || refused.Line < 1 || refused.Line > strings.Count(string(data), "\n")+2 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		out, err := stepsyfile.Format(file)
		if err != nil {
			t.Fatalf("a file that was read cannot be written: %v", err)
		}
		checkStable(t, out)
	})
}

// checkStable takes a formatted file through Parse and Format once more.
func checkStable(t interface{ Fatalf(string, ...any) }, first []byte) {
	f, err := stepsyfile.Parse(first)
	if err != nil {
		t.Fatalf("%v:\n%s", err, first)
	}
	second, err := stepsyfile.Format(f)
	if err != nil || string(second) != string(first) {
		t.Fatalf("formatting is not stable (%v):\n%q\n%q", err, first, second)
	}
}
