#!/usr/bin/env bash
# Guess: turning HTML into Markdown leaves the text within <pre><code> alone, and numbers where the HTML has them.
#
# node-html-markdown (the Markdown node of n8n, in the other direction) ends every line of a code block within a list with
# two spaces and does not indent the block, so it also falls out of its list. In a shell a backslash, a space and a line
# break are no continued line: the command is cut in two. The start of a numbered list is lost. Outside of lists code is right.
#
# For our users: a guide read by the API and turned into Markdown in n8n has commands that fail when they are pasted, and
# they look right on the page.
# What we do: the Markdown that we write ourselves (`stepsies pull`, the download on a page) keeps code as it is; the recipes
# say so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
npm install --silent --no-audit --no-fund node-html-markdown@1.2.0

cat > run.cjs <<'JS'
const {NodeHtmlMarkdown} = require('node-html-markdown');
const {execFileSync} = require('node:child_process');
console.log('node-html-markdown', require('node-html-markdown/package.json').version);
const code = '<pre><code class="language-sh">printf %s \\\n  one</code></pre>';
const inList = NodeHtmlMarkdown.translate('<ol start="3"><li><p>Run</p>' + code + '</li></ol>');
const alone = NodeHtmlMarkdown.translate(code);
console.log('in a list:', JSON.stringify(inList));
console.log('alone:    ', JSON.stringify(alone));
const shell = text => {
  const script = text.match(/```\S* *\n([^]*?)\n```/)[1];
  try { return JSON.stringify(execFileSync('sh', ['-c', script], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']})); }
  catch (err) { return 'exit ' + err.status; }
};
console.log('the command alone prints:', shell(alone));
console.log('the command in a list:   ', shell(inList));
JS
node run.cjs | tee seen
diff - seen <<'END'
node-html-markdown 1.2.0
in a list: "1. Run  \n```sh  \nprintf %s \\  \n  one  \n```"
alone:     "```sh\nprintf %s \\\n  one\n```"
the command alone prints: "one"
the command in a list:    exit 127
END
