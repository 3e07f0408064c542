# SPDX-License-Identifier: MIT
# Shared by the cli tests: the environment, waiting for conditions, listeners, and cleaning up.

: "${TOP:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${B:=$TOP/build/release}" # the build tree, for the helper programs of the tests
: "${GN_BIN:=$B/bin}"
: "${GN_SLOW:=1}" # the factor by which time limits are extended, for example under valgrind
export BATS_LIB_PATH=${BATS_LIB_PATH:-/usr/lib/bats}
bats_load_library bats-support
bats_load_library bats-assert
PATH=$GN_BIN:$PATH
unset GN_KEY_FILE
# The tests never use the default key of the user who runs them.
HOME=${BATS_TEST_TMPDIR:-${BATS_FILE_TMPDIR:-/nonexistent}}/home
XDG_CONFIG_HOME=$HOME/.config
export HOME XDG_CONFIG_HOME

# until_true SECONDS COMMAND...: repeats the command until it succeeds; fails after that many seconds.
until_true() {
	local end=$((SECONDS + $1 * GN_SLOW))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		read -rt 0.02 <> <(:) || :
	done
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# start TOOL ARGS...: runs it in the background with --ready-fd; its stdout, stderr and addresses go to
# out, err and ready in the test's directory, or to NAME.out and so on with NAME in $as.  Sets $pid and $addr
# (the first IPv4 loopback address that it shows).
start() {
	local at=$BATS_TEST_TMPDIR/${as:+$as.} tool=$1
	shift
	rm -f "${at}ready"
	mkfifo "${at}ready"
	exec 8<>"${at}ready" # before the tool writes: a fifo that nobody has open keeps nothing
	"$tool" --ready-fd 9 "$@" >"${at}out" 2>"${at}err" <"${input:-/dev/null}" 3>&- 9>"${at}ready" 8>&- &
	pid=$!
	pids+=("$pid")
	addr=
	read -rt $((10 * GN_SLOW)) addr <&8 || {
		cat "${at}err" >&2
		return 1
	}
	exec 8<&-
}

# finish PID: waits for a child and returns its exit code; kills it after 20 s.
finish() {
	until_true 20 is_gone "$1" || {
		kill -9 "$1"
		echo "still running: $1" >&2
	}
	wait "$1"
}

# ends_with CODE PID: asserts that a child ends with that code.  Not to be used with `run`, whose subshell is not its parent.
ends_with() {
	local rc=0
	finish "$2" || rc=$?
	assert_equal "$rc" "$1"
}

kill_all() {
	local p
	for p in "${pids[@]}"; do
		kill -9 "$p" 2>/dev/null || :
		wait "$p" 2>/dev/null || :
	done
	pids=()
}
pids=()

# new_key NAME: makes a key file and sets $id.
new_key() { id=$(gn-key new "$BATS_TEST_TMPDIR/$1"); }
