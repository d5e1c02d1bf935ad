#!/usr/bin/env bash
# Guess: `curl --retry` shows the last answer alone, and does not care where the output goes.
#
# curl 7.88 (Debian 12) cuts the output back before it tries again. What cannot be cut ends it: with -o /dev/null there is one
# request, exit code 23, "Failed to truncate file", and -w prints nothing. Standard output is not cut at all, so a pipe
# gets the body of every answer, one behind the other. Both go away with -f, where a refusal has no body to cut; --fail-with-body brings them back.
#
# For our users: a check in CI (`curl -s --retry 5 -o /dev/null -w '%{http_code}'`) is not repeated at the first 429 or 503, and
# `curl -s --retry 5 … | jq` sees {"error":…} before {"data":…}.
# What we do: recipes that use --retry have -f as well, or -o with a real file.
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
export LD_LIBRARY_PATH=$dir/root/usr/lib/$(uname -m)-linux-gnu
curl=$dir/root/usr/bin/curl

cat > server.py <<'PY'
# Refuses each address once, with a second to wait, and then answers.
import http.server
asked = {}
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        if self.path == '/asked':
            body = repr(asked) + '\n'
        else:
            asked[self.path] = asked.get(self.path, 0) + 1
            body = '{"data":[]}\n' if asked[self.path] > 1 else '{"error":{}}\n'
        self.send_response(429 if body.startswith('{"error') else 200)
        self.send_header('Retry-After', '1')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args): pass
server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.timeout = 30
while True: server.handle_request()
PY
python3 server.py > port 2> server.log &
trap 'kill %1; rm -rf "$dir"' EXIT
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
at=http://127.0.0.1:$(cat port)

try() { # name, then what curl is told
  local name=$1 code=0
  shift
  "$curl" -sS --retry 3 "$@" "$at/$name" > out 2>&1 || code=$?
  printf '%s: curl %s\n' "$name" "${*//$dir\//}"
  sed 's/^/    /' out
  printf '    exit code %d\n' "$code"
}
{
  "$curl" --version | cut -d' ' -f1-2 | head -n 1
  try devnull -o /dev/null -w '%{http_code}\n'
  try file -o "$dir/answer" -w '%{http_code}\n'
  try devnull-fail -f -o /dev/null -w '%{http_code}\n'
  try pipe
  try pipe-fail -f
  try pipe-fail-with-body --fail-with-body
  echo "requests: $("$curl" -s "$at/asked")"
} | tee seen
diff - seen <<'END'
curl 7.88.1
devnull: curl -o /dev/null -w %{http_code}\n
    curl: (23) Failed to truncate file
    exit code 23
file: curl -o answer -w %{http_code}\n
    200
    exit code 0
devnull-fail: curl -f -o /dev/null -w %{http_code}\n
    curl: (22) The requested URL returned error: 429
    200
    exit code 0
pipe: curl 
    {"error":{}}
    {"data":[]}
    exit code 0
pipe-fail: curl -f
    curl: (22) The requested URL returned error: 429
    {"data":[]}
    exit code 0
pipe-fail-with-body: curl --fail-with-body
    curl: (22) The requested URL returned error: 429
    {"error":{}}
    {"data":[]}
    exit code 0
requests: {'/devnull': 1, '/file': 2, '/devnull-fail': 2, '/pipe': 2, '/pipe-fail': 2, '/pipe-fail-with-body': 2}
END
