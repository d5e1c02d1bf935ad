#!/usr/bin/env bash
# Guess: what an OpenAPI document calls optional is switched off in the collection that Postman makes of it, as it is in Bruno's; an
# example in the document is the value that stands there; const is a constant.
#
# openapi-to-postmanv2 switches every optional header and query parameter on, with the text "<string>" for its value even where the
# parameter has an example, and writes "" for a const. {parametersResolution: 'Example'} takes examples where there are any.
#
# For our users: the first PATCH of an imported collection carries If-Match: <string> and fails with 412 or 400, and every POST the same
# Idempotency-Key: <string>: the second one is the first one's answer again, or 422, for 24 hours. A list asks with cursor=<string>.
# What we do: the page with recipes says: after an import untick all headers but Authorization, and set "Parameter generation" to "Example".
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
npm install --silent --no-audit --no-fund openapi-to-postmanv2@6.3.3

cat > api.json <<'JSON'
{"openapi": "3.1.0", "info": {"title": "Guides", "version": "1"}, "servers": [{"url": "https://example.com/v1"}],
 "paths": {"/stepsies": {"post": {
  "parameters": [
   {"name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string"}, "example": "row-17"},
   {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
   {"name": "cursor", "in": "query", "schema": {"type": "string"}}],
  "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {
   "kind": {"const": "stepsy"}, "cover": {"type": ["string", "null"], "format": "uri"}}}}}},
  "responses": {"201": {"description": "made"}}}}}}
JSON
cat > run.cjs <<'JS'
const {convertV2} = require('openapi-to-postmanv2');
const {readFileSync} = require('node:fs');
console.log('openapi-to-postmanv2', require('openapi-to-postmanv2/package.json').version);
const data = readFileSync('api.json', 'utf8');
const convert = options => new Promise((done, fail) =>
  convertV2({type: 'string', data}, options, (err, result) => err || !result.result ? fail(err ?? result.reason) : done(result.output[0].data)));
const requests = item => item.item ? item.item.flatMap(requests) : [item.request];
(async () => {
  for (const options of [{}, {parametersResolution: 'Example', requestParametersResolution: 'Example'}]) {
    const [request] = requests(await convert(options));
    console.log(JSON.stringify(options));
    for (const {key, value, disabled} of [...request.header, ...request.url.query]) console.log(`  ${disabled ? 'off' : 'on '} ${key}: ${value}`);
    console.log('  ' + JSON.stringify(JSON.parse(request.body.raw)));
  }
})();
JS
node run.cjs | tee seen
diff - seen <<'END'
openapi-to-postmanv2 6.3.3
{}
  on  Idempotency-Key: <string>
  on  If-Match: <string>
  on  Content-Type: application/json
  on  cursor: <string>
  {"kind":"","cover":"<string,null-uri>"}
{"parametersResolution":"Example","requestParametersResolution":"Example"}
  on  Idempotency-Key: row-17
  on  If-Match: string
  on  Content-Type: application/json
  on  cursor: string
  {"kind":"","cover":null}
END
