#!/usr/bin/env bash
# Guess: an answer with an ETag and without Cache-Control is asked about again (If-None-Match), and an answer to one
# bearer key is never given to a request with another.
#
# axios-cache-interceptor keeps such an answer for five minutes and knows it by method, address, parameters and body: the next
# request gets it whatever its Authorization is, without any traffic, and also after a PATCH of the same address by the same client.
# "Cache-Control: private, no-cache" ends that; Vary: Authorization alone parts the keys, but leaves the staleness.
#
# For our users: a program with two keys (one for each author) mixes up GET /me; and If-Match with the old tag fails with 412.
# What we do: every answer under /v1 says Vary: Authorization and Cache-Control: private, no-cache (no-store where it
# holds a secret); internal/api/admit.go.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
npm install --silent --no-audit --no-fund axios@1.21.1 axios-cache-interceptor@1.12.3

cat > run.mjs <<'JS'
import {createServer} from 'node:http';
import {readFileSync} from 'node:fs';
import axios from 'axios';
import {setupCache} from 'axios-cache-interceptor';

const version = name => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
console.log('axios-cache-interceptor', version('axios-cache-interceptor'), 'on axios', version('axios'));
const answers = {
  '/tag': {},
  '/tag-vary': {Vary: 'Authorization'},
  '/tag-private': {'Cache-Control': 'private, no-cache', Vary: 'Authorization'},
};
let asked = [];
const server = createServer((q, response) => {
  asked.push(q.method + ' ' + q.headers.authorization.slice(-1));
  response.writeHead(200, {'Content-Type': 'application/json', ETag: '"1.1"', ...answers[q.url]});
  response.end(JSON.stringify({for: q.headers.authorization.slice(-1)}));
}).listen(0, '127.0.0.1', async () => {
  const base = 'http://127.0.0.1:' + server.address().port;
  for (const path of Object.keys(answers)) {
    asked = [];
    const client = setupCache(axios.create());
    const as = key => ({headers: {Authorization: 'Bearer ' + key}});
    const got = [];
    for (const key of ['A', 'B']) got.push(`${key} is given the answer for ${(await client.get(base + path, as(key))).data.for}`);
    await client.patch(base + path, {}, as('A'));
    got.push('after PATCH ' + ((await client.get(base + path, as('A'))).cached ? 'the old answer' : 'a new answer'));
    console.log(path, JSON.stringify(answers[path]), '-', got.join(', '), '- server saw', JSON.stringify(asked));
  }
  server.close();
});
JS
node run.mjs | tee seen
diff - seen <<'END'
axios-cache-interceptor 1.12.3 on axios 1.21.1
/tag {} - A is given the answer for A, B is given the answer for A, after PATCH the old answer - server saw ["GET A","PATCH A"]
/tag-vary {"Vary":"Authorization"} - A is given the answer for A, B is given the answer for B, after PATCH the old answer - server saw ["GET A","GET B","PATCH A"]
/tag-private {"Cache-Control":"private, no-cache","Vary":"Authorization"} - A is given the answer for A, B is given the answer for B, after PATCH a new answer - server saw ["GET A","GET B","PATCH A","GET A"]
END
