#!/usr/bin/env bash
# Guess: a redirect to the same host name keeps the Authorization header; only another host loses it. 301 turns POST into GET and
# leaves other methods whole.
#
# Another port is another place for curl, axios, got and Node's fetch: the key is taken off, so a redirect from http to
# https, which always changes the port, ends in a 401 that blames the key. curl -L -X keeps the method through a 301, but not
# the body: an empty POST or PATCH arrives. got keeps POST and its body, fetch and axios make a GET of it.
#
# For our users: who writes http:// for https:// is told "Missing or invalid API key" about a key that is right.
# What we do: the page on authentication says so, and our nginx.conf listens on https alone; Caddy's redirect is a 308.
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
deb curl libcurl4
export CURL=$dir/root/usr/bin/curl CURL_LIBRARY=$dir/root/usr/lib/$(uname -m)-linux-gnu
npm install --silent --no-audit --no-fund axios@1.21.1 got@14.6.6

cat > run.mjs <<'JS'
import {createServer} from 'node:http';
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {text} from 'node:stream/consumers';
import {readFileSync} from 'node:fs';
import axios from 'axios';
import got from 'got';

const version = name => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
const run = promisify(execFile);
const curl = (...args) => run(process.env.CURL, args, {env: {LD_LIBRARY_PATH: process.env.CURL_LIBRARY}});
console.log((await curl('--version')).stdout.split(' ').slice(0, 2).join(' '), '- axios', version('axios'),
  '- got', version('got'), '- fetch of Node', process.versions.node.split('.')[0]);
const body = '{"title":"x"}';
const headers = {Authorization: 'Bearer key', 'Content-Type': 'application/json'};
let seen;
const listen = server => new Promise(done => server.listen(0, '127.0.0.1', () => done('http://127.0.0.1:' + server.address().port)));
const to = await listen(createServer(async (q, response) => {
  seen = `${q.method}, ${q.headers.authorization ? 'with the key' : 'no key'}, ${await text(q) ? 'with the body' : 'no body'}`;
  response.end('{}');
}));
const from = await listen(createServer(async (q, response) => {
  await text(q);
  response.writeHead(+q.url.slice(1), {Location: to}).end();
}));
const clients = {
  curl: (method, url) => curl('-sL', '-X', method, '-H', 'Authorization: Bearer key', '-H', 'Content-Type: application/json', '-d', body, url),
  fetch: (method, url) => fetch(url, {method, headers, body}),
  axios: (method, url) => axios({method, url, headers, data: body}),
  got: (method, url) => got(url, {method, headers, body}),
};
for (const status of [301, 308]) {
  for (const method of ['POST', 'PATCH']) {
    for (const [name, ask] of Object.entries(clients)) {
      await ask(method, `${from}/${status}`);
      console.log(status, method, 'by', name + ':', seen);
    }
  }
}
process.exit();
JS
node run.mjs | tee seen
diff - seen <<'END'
curl 7.88.1 - axios 1.21.1 - got 14.6.6 - fetch of Node 20
301 POST by curl: POST, no key, no body
301 POST by fetch: GET, no key, no body
301 POST by axios: GET, no key, no body
301 POST by got: POST, no key, with the body
301 PATCH by curl: PATCH, no key, no body
301 PATCH by fetch: PATCH, no key, with the body
301 PATCH by axios: PATCH, no key, with the body
301 PATCH by got: PATCH, no key, with the body
308 POST by curl: POST, no key, with the body
308 POST by fetch: POST, no key, with the body
308 POST by axios: POST, no key, with the body
308 POST by got: POST, no key, with the body
308 PATCH by curl: PATCH, no key, with the body
308 PATCH by fetch: PATCH, no key, with the body
308 PATCH by axios: PATCH, no key, with the body
308 PATCH by got: PATCH, no key, with the body
END
