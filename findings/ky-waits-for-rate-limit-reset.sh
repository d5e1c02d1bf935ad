#!/usr/bin/env bash
# Guess: without Retry-After a client backs off by its own clock, a second and then two.
#
# ky reads X-RateLimit-Reset in the place of a missing Retry-After, as seconds from now or, where it is large, as Unix time:
# it asks again when that moment has come, twice, and only then fails. POST and PATCH it does not repeat.
#
# For our users: where the month is used up and Retry-After is left out, so that programs fail at once and are seen, one that
# uses ky waits for the end of the minute, and of the next one, before its owner learns of it: up to two minutes in silence.
# What we do: X-RateLimit-Reset stays the minute's, so the wait is bounded; never name the end of the month there. Who wants
# the error at once says retry: 0, or takes 429 out of retry.statusCodes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
npm install --silent --no-audit --no-fund ky@2.1.0

cat > run.mjs <<'JS'
import {createServer} from 'node:http';
import {readFileSync} from 'node:fs';
import ky from 'ky';

console.log('ky', JSON.parse(readFileSync('node_modules/ky/package.json')).version);
const wait = 6; // seconds: more than the backoff of 1 s and 2 s
let asked;
const server = createServer((request, response) => {
  const now = Date.now();
  asked.push(now);
  const headers = {'Content-Type': 'application/json'};
  if (request.url === '/reset') headers['X-RateLimit-Reset'] = Math.ceil(now / 1000) + wait;
  response.writeHead(429, headers).end('{"error":{"code":"quota_exceeded"}}');
}).listen(0, '127.0.0.1', async () => {
  const base = 'http://127.0.0.1:' + server.address().port;
  for (const [method, path] of [['get', '/plain'], ['get', '/reset'], ['post', '/reset'], ['patch', '/reset']]) {
    asked = [];
    const failed = await ky[method](base + path).then(() => 'no error', err => err.name);
    const gaps = asked.slice(1).map((at, i) => (at - asked[i] >= wait * 1000 - 100 ? 'until the reset' : 'less'));
    console.log(method, path, '-', asked.length, 'requests, waited', JSON.stringify(gaps), failed);
  }
  server.close();
});
JS
node run.mjs | tee seen
diff - seen <<'END'
ky 2.1.0
get /plain - 3 requests, waited ["less","less"] HTTPError
get /reset - 3 requests, waited ["until the reset","until the reset"] HTTPError
post /reset - 1 requests, waited [] HTTPError
patch /reset - 1 requests, waited [] HTTPError
END
