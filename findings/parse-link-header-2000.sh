#!/usr/bin/env bash
# Guess: a Link header of any length is read; whoever follows rel="next" sees every page.
#
# parse-link-header gives null for a header of more than 2,000 characters, without an error unless an environment variable
# asks for one. A search in Cyrillic, Greek or Thai is six or nine characters in an address for each that was typed, so 340 letters are enough.
#
# For our users: `while (links?.next)` ends after the first page and looks complete. http-link-header reads the same header.
# What we do: q may have 500 characters, so Link can be longer than that; has_more and next_cursor in the body are for all.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
npm install --silent --no-audit --no-fund parse-link-header@2.0.0 http-link-header@1.1.4

cat > run.cjs <<'JS'
const parse = require('parse-link-header');
const LinkHeader = require('http-link-header');
console.log('parse-link-header', require('parse-link-header/package.json').version);
for (const letters of [300, 350]) {
  const query = new URLSearchParams({cursor: 'x'.repeat(60), q: 'настройка '.repeat(50).slice(0, letters)});
  const header = `<https://example.com/v1/stepsies?${query}>; rel="next"`;
  const links = parse(header);
  console.log(`q of ${letters} letters, header of ${header.length}: parse-link-header`, links && Object.keys(links),
    '- http-link-header', LinkHeader.parse(header).refs.map(ref => ref.rel));
}
JS
node run.cjs | tee seen
diff - seen <<'END'
parse-link-header 2.0.0
q of 300 letters, header of 1766: parse-link-header [ 'next' ] - http-link-header [ 'next' ]
q of 350 letters, header of 2041: parse-link-header null - http-link-header [ 'next' ]
END
