package page

import "strings"

// Readable makes of sanitised content what readers get: pictures load when they
// come into sight, and each that is not a link already leads to its large form. The
// content is canonical, so that a "<" begins a tag wherever it stands.
func Readable(content string) string {
	if !strings.Contains(content, "<img ") {
		return content
	}
	var b strings.Builder
	b.Grow(len(content) + 256)
	inLink := false
	for content != "" {
		start := strings.IndexByte(content, '<')
		if start < 0 {
			break
		}
		end := start + strings.IndexByte(content[start:], '>') + 1
		if end <= start {
			break
		}
		tag := content[start:end]
		b.WriteString(content[:start])
		switch {
		case strings.HasPrefix(tag, "<a "):
			inLink = true
		case tag == "</a>":
			inLink = false
		case strings.HasPrefix(tag, "<img "):
			tag = `<img loading="lazy" decoding="async" ` + tag[len("<img "):]
			if src := attributeIn(tag, "src"); src != "" && !inLink {
				tag = `<a class="enlarge" href="` + src + `" rel="nofollow ugc noopener">` + tag + `</a>`
			}
		}
		b.WriteString(tag)
		content = content[end:]
	}
	b.WriteString(content)
	return b.String()
}

// attributeIn returns the value of an attribute of a canonical tag, escaped as it
// stands there.
func attributeIn(tag, name string) string {
	_, rest, found := strings.Cut(tag, " "+name+`="`)
	if !found {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
