# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Shared by cross.bats and gn.bats.

bats_load_library bats-support
bats_load_library bats-assert

# The tests never use the default key of the user who runs them.
unset GN_KEY_FILE
export XDG_CONFIG_HOME=${BATS_TEST_TMPDIR:-${BATS_FILE_TMPDIR:-/nonexistent}}/config
INTEROP=$BATS_TEST_DIRNAME
MIB=1048576

# sha256 of the first bytes of the pattern that /test/source/1.0.0 sends: byte i is the low byte of i*2654435761 >> 13
PATTERN_1M=f5600770a8695a85fc7bb6d18a40a5b80a2b8a39c86f346a1b58f8ccc1e8fde6
PATTERN_10M=c5079a702c68ace38cbd6cb8e3ae951546689871abb72ddfc94876d554dd8137
PATTERN_100M=71be553f99b215ee5b742681bcdfa2b930af33863e8a333d48d7faf4a02cbf41
export MIB PATTERN_1M PATTERN_10M PATTERN_100M

# within SECONDS COMMAND...: repeats COMMAND until it succeeds; fails after that many seconds
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || { echo "gave up waiting for: $*" >&2; return 1; }
		sleep 0.05
	done
}

has_line() { [ -s "$1" ] && [ -z "$(tail -c 1 "$1")" ]; }
has_bytes() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -ge "$2" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# stop PID...: sends SIGTERM, and SIGKILL to processes that do not end
stop() {
	local pid
	for pid; do
		kill "$pid" 2>/dev/null || continue
		within 8 gone "$pid" || kill -KILL "$pid" 2>/dev/null || :
	done
}

# ended PID SECONDS: waits for a child and returns its exit code
ended() {
	within "$2" gone "$1" || { kill -KILL "$1"; return 124; }
	wait "$1"
}

# assert_ended CODE PID SECONDS: not to be used with `run`, whose subshell cannot wait for the child
assert_ended() {
	local code=0
	ended "$2" "$3" || code=$?
	assert_equal "$code" "$1"
}

sum() { sha256sum | cut -c1-64; }

# other_id ADDR ID: prints the address with another identity
other_id() { echo "${1%/p2p/*}/p2p/$2"; }

# json_has KEY: succeeds if the JSON object on stdin has the key
json_has() { grep -q "\"$1\"[[:space:]]*:"; }
