#!/usr/bin/env bash
# Guess: the Markdown node of n8n reads Markdown as GitHub does, as CommonMark at least.
#
# It runs showdown with its own defaults. An underscore within a word is emphasis there, so STEPSIES_API_KEY loses both of
# its underscores, and so does an address with them; a code block or a list of two spaces under a numbered step ends the
# numbered list; a heading in a script other than Latin gets no id but a number.
#
# For our users: who builds a guide in n8n and sends the node's HTML to us stores names that nobody can copy, numbers that begin
# again and flat lists. Nothing is refused, since it is all valid HTML.
# What we do: take HTML as it is. In the node's options switch on "Middle Word Underscores", "Spaces Indented Sublists",
# "Tables Support", "GitHub Task Lists" and "Strikethrough", which are all off, as the recipes say; names in backticks are safe without.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
npm install --silent --no-audit --no-fund showdown@2.1.0

cat > run.cjs <<'JS'
const {Converter} = require('showdown');
const plain = new Converter();
const careful = new Converter({literalMidWordUnderscores: true, disableForced4SpacesIndentedSublists: true});
console.log('showdown', require('showdown/package.json').version);
for (const text of [
  'Set STEPSIES_API_KEY first.',
  'Open https://example.com/how_to_start now.',
  'Set `STEPSIES_API_KEY` first.',
  '1. Install\n   ```\n   make\n   ```\n2. Start\n  - with care\n\n3. Look',
  '## Начало\n\n## Конец',
]) {
  console.log(JSON.stringify(text));
  console.log('  ' + JSON.stringify(plain.makeHtml(text)));
}
console.log('with options');
console.log('  ' + JSON.stringify(careful.makeHtml('Set STEPSIES_API_KEY first.')));
console.log('  ' + JSON.stringify(careful.makeHtml('- a\n  - b')));
JS
node run.cjs | tee seen
diff - seen <<'END'
showdown 2.1.0
"Set STEPSIES_API_KEY first."
  "<p>Set STEPSIES<em>API</em>KEY first.</p>"
"Open https://example.com/how_to_start now."
  "<p>Open https://example.com/how<em>to</em>start now.</p>"
"Set `STEPSIES_API_KEY` first."
  "<p>Set <code>STEPSIES_API_KEY</code> first.</p>"
"1. Install\n   ```\n   make\n   ```\n2. Start\n  - with care\n\n3. Look"
  "<ol>\n<li>Install</li>\n</ol>\n<pre><code>   make\n</code></pre>\n<ol start=\"2\">\n<li>Start</li>\n</ol>\n<ul>\n<li>with care</li>\n</ul>\n<ol start=\"2\">\n<li>Look</li>\n</ol>"
"## Начало\n\n## Конец"
  "<h2 id=\"\">Начало</h2>\n<h2 id=\"-1\">Конец</h2>"
with options
  "<p>Set STEPSIES_API_KEY first.</p>"
  "<ul>\n<li>a<ul>\n<li>b</li></ul></li>\n</ul>"
END
