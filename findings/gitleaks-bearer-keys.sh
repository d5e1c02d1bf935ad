#!/usr/bin/env bash
# Guess: gitleaks finds `sk_` and 48 hexadecimal digits wherever it stands, by entropy or as a Stripe key; if one key is found in a
# file, any other is found in its place.
#
# Its rules go by what stands around a secret. In a .env file, YAML and JSON "key" the key is a generic-api-key, in a curl line a
# curl-auth-header; in the same header written in JavaScript, Python or Ruby, as the first page of our documentation shows it, and
# in Go or prose, it is not seen at all. And a key with "feed" among its digits, one in 1,500, is not seen as a generic one either: that is a word.
#
# For our users: a clean scan says nothing of keys in the code of a program.
# What we do: the page on authentication gives a rule for .gitleaks.toml that finds all of them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir
export GOFLAGS=-modcacherw GOTOOLCHAIN=local CGO_ENABLED=0 GOBIN=$dir/bin

go install github.com/zricethezav/gitleaks/v8@v8.30.1 2> install.log || { cat install.log; exit 1; }

# Keys that nobody has: made of the hash of a word, so that no scanner finds one in this file.
key=sk_$(printf 'findings' | sha256sum | cut -c1-48)
with_word=sk_$(printf 'findings' | sha256sum | cut -c1-44)feed

cat > rule.toml <<'TOML'
[extend]
useDefault = true
[[rules]]
id = "stepsies-api-key"
description = "Stepsies API key"
regex = '''\bsk_[0-9a-f]{48}\b'''
keywords = ["sk_"]
TOML

scan() { # name of the file, its text, options
  local file=$1
  mkdir -p "$dir/one" && printf '%s\n' "$2" > "$dir/one/$file"
  shift 2
  bin/gitleaks dir --no-banner --exit-code 0 --report-format json --report-path report.json "$@" one 2> scan.log
  python3 -c 'import json; print(*sorted({f["RuleID"] for f in json.load(open("report.json"))}) or ["not seen"])'
  rm -r one
}
{
  echo "gitleaks $(go version -m bin/gitleaks | awk '$1 == "mod" { print $3 }')"
  while IFS='|' read -r file text; do
    printf '%-8s default: %-17s with the rule: %s\n' "$file" "$(scan "$file" "${text/@/$key}")" "$(scan "$file" "${text/@/$key}" --config rule.toml)"
  done <<'FORMS'
a.env|STEPSIES_API_KEY=@
a.yml|  STEPSIES_API_KEY: @
a.json|{"id":1,"key":"@"}
a.sh|curl https://api.example.com/v1/me -H "Authorization: Bearer @"
a.js|fetch(url, { headers: { 'Authorization': 'Bearer @' } });
a.py|    headers={'Authorization': 'Bearer @'}
a.rb|request['Authorization'] = 'Bearer @'
a.go|c := client.New("@")
FORMS
  echo "a.env with \"feed\" in the key: $(scan a.env "STEPSIES_API_KEY=$with_word")"
} | tee seen
diff - seen <<'END'
gitleaks v8.30.1
a.env    default: generic-api-key   with the rule: stepsies-api-key
a.yml    default: generic-api-key   with the rule: stepsies-api-key
a.json   default: generic-api-key   with the rule: stepsies-api-key
a.sh     default: curl-auth-header  with the rule: curl-auth-header stepsies-api-key
a.js     default: not seen          with the rule: stepsies-api-key
a.py     default: not seen          with the rule: stepsies-api-key
a.rb     default: not seen          with the rule: stepsies-api-key
a.go     default: not seen          with the rule: stepsies-api-key
a.env with "feed" in the key: not seen
END
