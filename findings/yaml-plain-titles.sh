#!/usr/bin/env bash
# Guess: a string that a YAML library writes without quotes is the same string for every other one; what is not (no, 12:30,
# 0x1F, 1_000), writers quote.
#
# Go's yaml writes the title "1,000" bare, and Ruby's Psych reads the number 1000, since it lets commas part digits, as no version of
# YAML does. Go writes "=" and "<<" bare, and PyYAML refuses the whole document: they are tags of YAML 1.1. All the rest is quoted.
#
# For our users: a stepsy file with such a title builds under Hugo and not under Jekyll or in a Python script.
# What we do: stepsy files have quotes around what looks like a number with commas, and around these two.
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
deb python3-yaml
export GOFLAGS='-modcacherw -mod=mod' GOTOOLCHAIN=local

cat > titles.json <<'JSON'
["1,000", "10,5", "=", "<<", "no", "12:30", "0x1F", "1_000", "2024-12-04", "1e3", "~", "08", "1.10"]
JSON
cat > go.mod <<'MOD'
module example.com/titles

go 1.24
MOD
go get go.yaml.in/yaml/v3@v3.0.5 2> get.log || { cat get.log; exit 1; }
cat > main.go <<'GO'
package main

import (
	"encoding/json"
	"os"

	"go.yaml.in/yaml/v3"
)

func main() {
	var titles, documents []string
	if err := json.NewDecoder(os.Stdin).Decode(&titles); err != nil {
		panic(err)
	}
	for _, title := range titles {
		document, err := yaml.Marshal(map[string]string{"title": title})
		if err != nil {
			panic(err)
		}
		documents = append(documents, string(document))
	}
	json.NewEncoder(os.Stdout).Encode(documents)
}
GO
go run . < titles.json > documents.json
cat > read.py <<'PY'
import json, yaml
print('PyYAML', yaml.__version__)
for title, document in zip(json.load(open('titles.json')), json.load(open('documents.json'))):
    try: read = repr(yaml.safe_load(document)['title'])
    except yaml.YAMLError as err: read = type(err).__name__
    if read != repr(title): print('  ', document.strip(), '->', read)
PY
cat > read.rb <<'RB'
require 'psych'
require 'json'
puts "Psych #{Psych::VERSION}"
JSON.parse(File.read('titles.json')).zip(JSON.parse(File.read('documents.json'))) do |title, document|
  read = Psych.safe_load(document)['title']
  puts "   #{document.strip} -> #{read.inspect}" unless read == title
end
RB
{
  echo "written by go.yaml.in/yaml/v3 v3.0.5"
  PYTHONPATH=$dir/root/usr/lib/python3/dist-packages python3 read.py
  ruby read.rb
} | tee seen
diff - seen <<'END'
written by go.yaml.in/yaml/v3 v3.0.5
PyYAML 6.0
   title: = -> ConstructorError
   title: << -> ConstructorError
Psych 4.0.3
   title: 1,000 -> 1000
   title: 10,5 -> 105
END
