package web_test

import (
	"fmt"
	"testing"
)

// paste puts HTML, or files of these names, into the nth step's text as a browser does.
func (p *tab) paste(t *testing.T, n int, html string, files ...string) {
	t.Helper()
	p.wait(t, fmt.Sprintf("%s > %d", richSteps, n))
	js[any](t, p, `void (window.pasted = new DataTransfer())`)
	if html != "" {
		js[any](t, p, fmt.Sprintf("void pasted.setData('text/html', %q)", html))
	}
	for _, name := range files {
		js[any](t, p, fmt.Sprintf("void pasted.items.add(new File(['x'], %q, {type: 'image/png'}))", name))
	}
	js[any](t, p, fmt.Sprintf(`void document.querySelectorAll(".tiptap")[%d].editor.commands.selectAll()`, n))
	js[any](t, p, fmt.Sprintf(`void document.querySelectorAll(".tiptap")[%d].dispatchEvent(new ClipboardEvent("paste", {clipboardData: pasted, bubbles: true, cancelable: true}))`, n))
}

// What other programs put on the clipboard, and what is stored of it.
var pastedTexts = []struct{ name, html, want string }{
	{"Google Docs",
		`<meta charset='utf-8'><b style="font-weight:normal;" id="docs-internal-guid-1"><h2 dir="ltr" style="line-height:1.38"><span style="font-size:16pt;font-weight:400">Before you begin</span></h2>` +
			`<p dir="ltr" style="line-height:1.38"><span style="font-weight:400">Plain, </span><span style="font-size:11pt;font-weight:700">bold</span><span style="font-weight:400;font-style:italic">, italic</span><span style="text-decoration:line-through">, out</span> <a href="https://example.com/x" style="text-decoration:none"><span style="color:#1155cc;text-decoration:underline">link</span></a></p><br>` +
			`<ul style="margin-top:0"><li dir="ltr" style="list-style-type:disc;font-weight:400" aria-level="1"><p dir="ltr" role="presentation"><span style="font-weight:400">One</span></p></li><ul><li dir="ltr" aria-level="2"><p dir="ltr"><span>Nested</span></p></li></ul></ul></b><br class="Apple-interchange-newline">`,
		`<h2>Before you begin</h2><p>Plain, <strong>bold</strong><em>, italic</em><s>, out</s> <a href="https://example.com/x" rel="nofollow ugc noopener">link</a></p><ul><li><p>One</p><ul><li>Nested</li></ul></li></ul>`},
	{"Word",
		`<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0}</style></head><body lang=EN-US><!--StartFragment--><p class=MsoNormal><b><span style='font-size:14.0pt'>You need</span></b><o:p></o:p></p>` +
			`<p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>Flour<o:p></o:p></p>` +
			`<p class=MsoListParagraphCxSpMiddle style='mso-list:l0 level2 lfo1'><span style='mso-list:Ignore'>o<span>&nbsp;&nbsp; </span></span>of rye</p><p class=MsoListParagraphCxSpLast style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·<span>&nbsp; </span></span>Water</p>` +
			`<p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoListParagraph style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>1.<span>&nbsp; </span></span>Mix</p><p class=MsoListParagraph style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>2.<span>&nbsp; </span></span>Bake</p>` +
			`<table class=MsoTableGrid><tr><td width=100><p class=MsoNormal>A</p></td><td><p class=MsoNormal>B</p></td></tr></table><!--EndFragment--></body></html>`,
		`<p><strong>You need</strong></p><ul><li><p>Flour</p><ul><li>of rye</li></ul></li><li>Water</li></ul><ol><li>Mix</li><li>Bake</li></ol><table><tbody><tr><td>A</td><td>B</td></tr></tbody></table>`},
	{"a web page", `<div style="color:red"><p onclick="payload()">Text with <b>bold</b> style = "x" &lt;b style="y"&gt;</p><script>payload()</script></div>`, `<p>Text with <strong>bold</strong> style = "x" &lt;b style="y"&gt;</p>`},
	{"an editor such as this one", `<p data-pm-slice="1 1 []">One</p><p></p><p>Two</p>`, `<p>One</p><p></p><p>Two</p>`},
}

func TestWhatOtherProgramsPasteIsWhatTheyMeant(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	var steps []string
	for _, c := range pastedTexts {
		steps = append(steps, c.name, "<p>x</p>")
	}
	s := h.newStepsy(t, h.sarah, "Pasted", steps...)
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, "")) // the console stays silent: no style is refused
	for i, c := range pastedTexts {
		p.paste(t, i, c.html)
	}
	js[any](t, p, `void document.querySelector(".savebar [value=save]").click()`)
	p.wait(t, isSaved)
	for i, step := range h.stored(t, s).Steps {
		if got := step.Content.HTML(); got != pastedTexts[i].want {
			t.Errorf("from %s is stored\n%s\nwant\n%s", pastedTexts[i].name, got, pastedTexts[i].want)
		}
	}
}

func TestPicturesWithoutAnAddressAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Pasted", "Mix", "<p>Flour</p>")
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	const told = `document.querySelector(".told").textContent`
	p.paste(t, 0, `<p>Before</p><img src="file:///C:/a.png"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><p>after</p>`)
	p.wait(t, told+`.startsWith("2 images were left out. ")`)
	p.typeInto(t, 0, "!")
	p.wait(t, told+` === ""`)
	p.paste(t, 0, "", "photo.png")
	p.wait(t, told+`.startsWith("Images are shown from where they are in the web")`)
	p.wait(t, isSaved)
	if got := h.stored(t, s).Steps[0].Content.HTML(); got != "<p>Before</p><p>after!</p>" {
		t.Errorf("stored is %s", got)
	}
}

func TestNothingStandsBehindAnImageInTheEditor(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Seen", "Look", `<p>Before <img src="https://images.invalid/a.png" alt="A" width="20" height="20"></p>`)
	p := h.openChromium(t, h.sarah).openTab(t, stepsyAt(s, ""))
	p.refuse = "net::ERR_NAME_NOT_RESOLVED"
	p.goTo(t, stepsyAt(s, ""))
	p.wait(t, `document.querySelector("img.ProseMirror-separator")`)
	if high := js[int64](t, p, `document.querySelector("img.ProseMirror-separator").offsetHeight`); high != 0 {
		t.Errorf("what stands there for the caret alone is %d px high", high)
	}
}
