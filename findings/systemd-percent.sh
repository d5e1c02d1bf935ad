#!/usr/bin/env bash
# Guess: a unit file with a wrong specifier does not start, so a percent-encoded password in it is found at once.
#
# In Environment= an unknown specifier (%40, %2F, %23: what "@", "/" and "#" become in a URL) makes systemd drop the whole assignment,
# with a line in its log and success; the service starts without the variable. A known one is replaced in silence: %C is
# /var/cache, %B the build's id, so that %C3%BC ("ü") is another password. In ExecStart= the unknown one does stop the unit. %% is a percent sign.
#
# For our users: Environment=STEPSIES_DATABASE=postgres://stepsies:p%40ss@… starts a server without that setting, on SQLite, empty.
# What we do: the unit in docs/operating.md uses EnvironmentFile=, where % means nothing, and says why.
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
deb systemd libsystemd-shared
export LD_LIBRARY_PATH=$dir/root/usr/lib/$(uname -m)-linux-gnu/systemd:$dir/root/usr/lib/$(uname -m)-linux-gnu
analyze=$dir/root/usr/bin/systemd-analyze

verify() { # a line of [Service]
  local code=0
  printf '[Service]\nExecStart=/bin/true\n%s\n' "$1" > check.service
  printf '%s\n' "$1"
  "$analyze" --man=no verify ./check.service > said 2>&1 || code=$?
  sed "s|$dir/||; s/^/    /" said
  printf '    exit code %d\n' "$code"
}
{
  "$analyze" --version | cut -d' ' -f1-2 | head -n 1
  verify 'Environment=STEPSIES_DATABASE=postgres://stepsies:p%40ss@127.0.0.1/stepsies'
  verify 'Environment=STEPSIES_DATABASE=postgres://stepsies:p%%40ss@127.0.0.1/stepsies'
  verify 'Environment=STEPSIES_DATABASE=postgres://stepsies:p%C3ss@127.0.0.1/stepsies'
  # What a known specifier becomes is shown of a command alone, so here are commands that do not exist.
  verify 'ExecStartPre=/nowhere/p%C3ss'
  verify 'ExecStartPre=/nowhere/p%40ss'
} | tee seen
diff - seen <<'END'
systemd 252
Environment=STEPSIES_DATABASE=postgres://stepsies:p%40ss@127.0.0.1/stepsies
    check.service:3: Failed to resolve specifiers in STEPSIES_DATABASE=postgres://stepsies:p%40ss@127.0.0.1/stepsies, ignoring: Invalid slot
    exit code 0
Environment=STEPSIES_DATABASE=postgres://stepsies:p%%40ss@127.0.0.1/stepsies
    exit code 0
Environment=STEPSIES_DATABASE=postgres://stepsies:p%C3ss@127.0.0.1/stepsies
    exit code 0
ExecStartPre=/nowhere/p%C3ss
    check.service: Command /nowhere/p/var/cache3ss is not executable: No such file or directory
    exit code 1
ExecStartPre=/nowhere/p%40ss
    check.service:3: Failed to resolve unit specifiers in '/nowhere/p%40ss': Invalid slot
    check.service: Unit configuration has fatal error, unit will not be started.
    Unit check.service has a bad unit file setting.
    exit code 1
END
