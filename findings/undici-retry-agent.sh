#!/usr/bin/env bash
# Guesses: an answer that is not worth a retry reaches the caller as it is; an answer that was cut off is asked for again
# from its beginning.
#
# undici's RetryAgent throws "Request failed" for 429, 500, 502, 503 and 504 even where it never tries again (POST and PATCH),
# and the body of the answer is gone: no code, no sentence. After a connection that was cut in mid-answer it asks for the rest
# with Range, and with If-Match where there was a strong ETag; a server that does not know Range and answers 200 with
# everything makes it fail.
#
# For our users: in a program with this agent "rate_limit_exceeded" and "quota_exceeded" look the same, and GET is less safe to
# cut than without it. `new RetryAgent(agent, {throwOnError: false})` gives the answers back.
# What we do: say nothing in a body alone that a client must act on before it retries: Retry-After and X-RateLimit-* are headers,
# which the error keeps.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
npm install --silent --no-audit --no-fund undici@7.30.2

cat > run.mjs <<'JS'
import {createServer} from 'node:http';
import {readFileSync} from 'node:fs';
import {Agent, RetryAgent, request} from 'undici';

console.log('undici', JSON.parse(readFileSync('node_modules/undici/package.json')).version);
const whole = JSON.stringify({data: 'x'.repeat(9000)});
let asked = [];
const server = createServer((q, response) => {
  asked.push([q.method, q.headers.range, q.headers['if-match']].filter(Boolean).join(' '));
  if (q.url === '/limited') {
    return response.writeHead(429, {'Retry-After': '1', 'Content-Type': 'application/json'}).end('{"error":{"code":"rate_limit_exceeded"}}');
  }
  response.writeHead(200, {'Content-Length': whole.length, 'ETag': '"1.2"'});
  if (asked.length > 1) return response.end(whole);
  response.write(whole.slice(0, 4000));
  setTimeout(() => response.destroy(), 200);
}).listen(0, '127.0.0.1', async () => {
  const base = 'http://127.0.0.1:' + server.address().port;
  const ask = async (name, path, method, options) => {
    asked = [];
    let what;
    try {
      const answer = await request(base + path, {method, dispatcher: new RetryAgent(new Agent(), options)});
      what = answer.statusCode + ' ' + (await answer.body.text()).slice(0, 45);
    } catch (err) {
      what = `${err.name}: ${err.message}; data ${JSON.stringify(err.data)}, retry-after ${err.headers?.['retry-after']}`;
    }
    console.log(`${name}\n  asked ${JSON.stringify(asked)}\n  ${what}`);
  };
  await ask('POST, limited', '/limited', 'POST', {});
  await ask('POST, limited, throwOnError: false', '/limited', 'POST', {throwOnError: false});
  await ask('GET, cut off', '/cut', 'GET', {});
  process.exit();
});
JS
node run.mjs | tee seen
diff - seen <<'END'
undici 7.30.2
POST, limited
  asked ["POST"]
  RequestRetryError: Request failed; data {"count":1}, retry-after 1
POST, limited, throwOnError: false
  asked ["POST"]
  429 {"error":{"code":"rate_limit_exceeded"}}
GET, cut off
  asked ["GET","GET bytes=4000-9010 \"1.2\""]
  RequestRetryError: server does not support the range header and the payload was partially consumed; data {"count":2}, retry-after undefined
END
