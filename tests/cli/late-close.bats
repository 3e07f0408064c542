#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A write error may be reported only by close().  The tools in $B/tests/late have a close() that fails for stdout.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	LATE=${B:-$TOP/build/release}/tests/late
	new_key k
	id=$(gn-key id k)
}

teardown() {
	kill_all
}

# fails_late TOOL ARGS...: asserts that the tool writes output and ends with 1 and a line
fails_late() {
	[ -x "$LATE/$1" ] || {
		echo "$LATE/$1 is missing: make aids" >&2
		return 1
	}
	run -1 --separate-stderr "$LATE/$1" "${@:2}"
	refute [ -z "$output" ]
	# With -j the events of the connection stand beside the error line.
	assert_equal "$(grep -v '^{' <<<"$stderr")" "$1: standard output: Disk quota exceeded"
}

@test "gn-key" {
	fails_late gn-key id k
	fails_late gn-key id -j k
	fails_late gn-key pub k
	fails_late gn-key pub --raw k
	fails_late gn-key convert -F pem k k.pem
	fails_late gn-key new other
	fails_late gn-key --help
	fails_late gn-key --version
}

@test "gn-seal and gn-open" {
	for form in raw line; do
		echo text >f
		fails_late gn-seal -k k -r "$id" -F $form <f
		gn-seal -k k -r "$id" -F $form <f >sealed
		fails_late gn-open -k k --from "$id" -F $form <sealed
	done
}

@test "gn-frame" {
	seq 3 >lines
	gn-frame encode <lines >frames
	for verb in encode "encode -w" "join lines"; do
		# shellcheck disable=SC2086
		fails_late gn-frame $verb <lines
	done
	for verb in decode count "count -j"; do
		# shellcheck disable=SC2086
		fails_late gn-frame $verb <frames
	done
}

@test "gn-dial" {
	start gn-listen -k k -a /ip4/127.0.0.1/tcp/0 /x/1
	for args in --ping=1 "--ping=1 -j" --identify "--identify -j"; do
		# shellcheck disable=SC2086
		fails_late gn-dial $args "$addr"
	done
}
