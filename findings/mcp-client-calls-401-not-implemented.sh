#!/usr/bin/env bash
# Guess: a client of the Model Context Protocol that sends its key in a header, with no OAuth set up, reports a 401 as what it is.
#
# @modelcontextprotocol/client, the newer generation, throws an error with the code CLIENT_HTTP_NOT_IMPLEMENTED for it, as for a 405
# or a 500; with versionNegotiation for the revision 2026-07-28 the same answer is CLIENT_HTTP_AUTHENTICATION. The first
# generation, @modelcontextprotocol/sdk, gives the status itself as the code: 401. In the newer one it is err.data.status, where there is one.
#
# For our users: who looks at the code to ask for another key never asks, and "not implemented" sends people to look for a wrong address.
# What we do: the body of the 401 stands in the message of all three; the documentation names the status and the body, not codes of clients.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
npm install --silent --no-audit --no-fund @modelcontextprotocol/client@2.4.0 @modelcontextprotocol/sdk@1.32.2

cat > run.mjs <<'JS'
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import * as newer from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const version = name => JSON.parse(readFileSync(`node_modules/@modelcontextprotocol/${name}/package.json`)).version;
let status;
const server = createServer((req, res) => {
  req.resume();
  res.writeHead(status, {'Content-Type': 'application/json', 'WWW-Authenticate': 'Bearer realm="x"'}).end('{"error":{"code":"unauthorized"}}');
}).listen(0, '127.0.0.1');
await new Promise(listening => server.once('listening', listening));
const url = new URL(`http://127.0.0.1:${server.address().port}/mcp`);
const requestInit = {headers: {Authorization: 'Bearer k'}};
const newest = {versionNegotiation: {mode: {pin: '2026-07-28'}}};
for (status of [401, 405, 500]) {
  for (const [name, client, transport] of [
    ['sdk ' + version('sdk'), new Client({name: 'c', version: '1'}), new StreamableHTTPClientTransport(url, {requestInit})],
    ['client ' + version('client'), new newer.Client({name: 'c', version: '1'}), new newer.StreamableHTTPClientTransport(url, {requestInit})],
    ['client ' + version('client') + ', 2026-07-28', new newer.Client({name: 'c', version: '1'}, newest), new newer.StreamableHTTPClientTransport(url, {requestInit})],
  ]) {
    await client.connect(transport).then(() => console.log(status, name, 'connected'), err => console.log(status, name, err.code, err.data?.status));
  }
}
server.close();
server.closeAllConnections();
JS
node run.mjs | tee seen
diff - seen <<'END'
401 sdk 1.32.2 401 undefined
401 client 2.4.0 CLIENT_HTTP_NOT_IMPLEMENTED 401
401 client 2.4.0, 2026-07-28 CLIENT_HTTP_AUTHENTICATION 401
405 sdk 1.32.2 405 undefined
405 client 2.4.0 CLIENT_HTTP_NOT_IMPLEMENTED 405
405 client 2.4.0, 2026-07-28 ERA_NEGOTIATION_FAILED undefined
500 sdk 1.32.2 500 undefined
500 client 2.4.0 CLIENT_HTTP_NOT_IMPLEMENTED 500
500 client 2.4.0, 2026-07-28 ERA_NEGOTIATION_FAILED 500
END
