#!/usr/bin/env bash
# Guess: readers of feeds agree on when an Atom entry was published and updated, show plain text as it is, and leave
# links of harmless HTML where they are.
#
# rss-parser (n8n's RSS nodes) knows `published` alone: pubDate and isoDate do not move when an entry is updated.
# @extractus/feed-extractor gives `updated` under the name published, and takes what looks like a tag out of a plain-text
# summary, with the text before it: "5 < 6 …" is lost up to the next ">". feedparser makes "#s-2" a place in the feed's own address,
# empties a tel: link, and drops <summary> around the words of <details>.
#
# For our users: a flow that waits for changed guides hears only of new ones; "compare updated" works by feedparser alone.
# What we do: the entry's id never changes and `updated` is right, which is all that the format asks. Content that may hold links
# within a stepsy has to be written into the feed with the page's whole address in them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
deb() { # packages of Debian, unpacked into root/ and installed nowhere
  mkdir -p apt/lists/partial apt/cache/archives/partial
  local apt=(apt-get -qq -o Dir::State::Lists="$dir/apt/lists" -o Dir::Cache="$dir/apt/cache" -o APT::Sandbox::User=root)
  "${apt[@]}" update
  "${apt[@]}" download "$@"
  for f in *.deb; do dpkg -x "$f" root; done
}
deb python3-feedparser python3-sgmllib3k
npm install --silent --no-audit --no-fund rss-parser@3.13.0 @extractus/feed-extractor@8.0.3

cat > feed.atom <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>https://example.com/feed.atom</id><title>Guides</title><updated>2026-11-02T10:30:00Z</updated>
<link rel="self" href="https://example.com/feed.atom"/><link rel="alternate" href="https://example.com/"/>
<entry><id>tag:example.com,2024-12-04:stepsy-123</id><title>Email</title>
<published>2024-12-04T10:30:00Z</published><updated>2026-11-02T10:30:00Z</updated><author><name>Sarah</name></author>
<link rel="alternate" href="https://example.com/@sarah/email"/>
<summary>Keep 5 &lt; 6 in List&lt;String&gt; as it is</summary>
<content type="html">&lt;details&gt;&lt;summary&gt;More&lt;/summary&gt;&lt;p&gt;&lt;a href="#s-2"&gt;next&lt;/a&gt; &lt;a href="tel:+4930123"&gt;call&lt;/a&gt;&lt;/p&gt;&lt;/details&gt;</content>
</entry></feed>
XML
cat > run.mjs <<'JS'
import {readFileSync} from 'node:fs';
import Parser from 'rss-parser';
import {extractFromXml} from '@extractus/feed-extractor';

const version = name => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
const xml = readFileSync('feed.atom', 'utf8');
const {id, pubDate, isoDate, updated, summary, content} = (await new Parser().parseString(xml)).items[0];
console.log('rss-parser', version('rss-parser'));
console.log(JSON.stringify({id, pubDate, isoDate, updated: updated ?? 'absent', summary, content}, null, 1));
console.log('@extractus/feed-extractor', version('@extractus/feed-extractor'));
console.log(JSON.stringify(extractFromXml(xml).entries[0], null, 1));
JS
cat > run.py <<'PY'
import feedparser
print('feedparser', feedparser.__version__)
entry = feedparser.parse(open('feed.atom').read(), response_headers={
    'content-type': 'application/atom+xml; charset=utf-8', 'content-location': 'https://example.com/feed.atom'}).entries[0]
for name in 'id', 'published', 'updated', 'summary': print('', name, entry[name])
print('', 'content', entry.content[0].value)
PY
{
  node run.mjs
  PYTHONPATH=$dir/root/usr/lib/python3/dist-packages python3 run.py
} | tee seen
diff - seen <<'END'
rss-parser 3.13.0
{
 "id": "tag:example.com,2024-12-04:stepsy-123",
 "pubDate": "2024-12-04T10:30:00.000Z",
 "isoDate": "2024-12-04T10:30:00.000Z",
 "updated": "absent",
 "summary": "Keep 5 < 6 in List<String> as it is",
 "content": "<details><summary>More</summary><p><a href=\"#s-2\">next</a> <a href=\"tel:+4930123\">call</a></p></details>"
}
@extractus/feed-extractor 8.0.3
{
 "id": "tag:example.com,2024-12-04:stepsy-123",
 "title": "Email",
 "link": "https://example.com/@sarah/email",
 "published": "2026-11-02T10:30:00.000Z",
 "description": "Keep 5  as it is"
}
feedparser 6.0.10
 id tag:example.com,2024-12-04:stepsy-123
 published 2024-12-04T10:30:00Z
 updated 2026-11-02T10:30:00Z
 summary Keep 5 < 6 in List<String> as it is
 content <details>More<p><a href="https://example.com/feed.atom#s-2">next</a> <a href="">call</a></p></details>
END
