package richtext

// ToMarkdown is ToSection for content that stands under no heading.
func ToMarkdown(html string) (string, error) { return toMarkdown(html, 1) }
