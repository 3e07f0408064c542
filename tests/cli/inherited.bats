#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Ignored and blocked signals that are inherited from the parent.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	srv=$id
	new_key cli
	mkfifo hold
	exec 7<>hold # an input that never ends
}

teardown() {
	exec 7>&-
	kill_all
}

# left BLOCK|IGNORE|BOTH SIGNALS COMMAND...: replaces the shell by the command, with these signals blocked, ignored or both.
left='
import os, signal, sys
how, names = sys.argv[1:3]
sigs = {getattr(signal, "SIG" + n) for n in names.split(",")} if names != "all" else signal.valid_signals()
for s in sigs - {signal.SIGKILL, signal.SIGSTOP}:
    if how in ("ignore", "both") and int(s) < 32: signal.signal(s, signal.SIG_IGN)
if how in ("block", "both"): signal.pthread_sigmask(signal.SIG_BLOCK, sigs)
os.execvp(sys.argv[3], sys.argv[3:])'
left() { exec python3 -c "$left" "$@"; }

# mask FIELD PID: prints the signals in that line of the process's status as a number.
mask() { echo $((16#$(sed -n "s/^$1:\s*//p" "/proc/$2/status"))); }

is_running() { [ "$(tr "\0" " " 2>/dev/null <"/proc/$2/cmdline" | cut -d" " -f1)" = "$1" ]; } 2>/dev/null
is_unblocked() { [ "$(mask SigBlk "$1")" = 0 ]; }

@test "every tool unblocks all signals, and keeps only those ignored that nohup and a shell's & ignore" {
	[ "$GN_SLOW" = 1 ] || skip "valgrind has signals of its own"
	# Bit N-1 is signal N: HUP INT QUIT TSTP TTIN TTOU, and PIPE and XFSZ, which the tools always ignore.
	# 32 and 33 are reserved by glibc: programs that make starts by posix_spawn() have them ignored, and no tool can change that.
	allowed=$((1 << 0 | 1 << 1 | 1 << 2 | 1 << 19 | 1 << 20 | 1 << 21 | 1 << 12 | 1 << 24 | 1 << 31 | 1 << 32))
	local tools=("gn-frame encode" "gn-frame decode" "gn-frame split -- cat" "gn-frame count" "gn-seal -k cli -r $srv"
		"gn-open -k cli --from any" "gn-listen -k srv -a /ip4/127.0.0.1/tcp/0 /x/1"
		"gn-cat -l /ip4/127.0.0.1/tcp/0")
	start gn-listen -k srv -a /ip4/127.0.0.1/tcp/0 --wire raw -F raw /x/1
	tools+=("gn-dial --wire raw $addr /x/1")
	for tool in "${tools[@]}"; do
		(left both all $tool) <hold >/dev/null 2>"err.tool" 3>&- 7>&- &
		pid=$!
		pids+=("$pid")
		until_true 10 is_running "${tool%% *}" "$pid" || fail "$tool: does not run: $(cat err.tool)"
		until_true 10 is_unblocked "$pid" || fail "$tool: $(grep Sig "/proc/$pid/status") $(cat err.tool)"
		[ $(($(mask SigIgn "$pid") & ~allowed)) = 0 ] || fail "$tool: $(grep SigIgn "/proc/$pid/status")"
		kill_all_but_first
	done
}

kill_all_but_first() {
	local first=${pids[0]}
	pids=("${pids[@]:1}")
	kill_all
	pids=("$first")
}

@test "gn-frame split returns a program's exit code for any inherited action of SIGCHLD" {
	seq 3 | gn-frame encode >frames
	for how in block ignore both; do
		: >ran
		run -3 timeout $((20 * GN_SLOW)) bash -c "exec python3 -c '$left' $how CHLD gn-frame split -- sh -c 'cat >/dev/null; echo ran >>ran; exit 3' <frames"
		assert_equal "$(wc -l <ran)" 1
	done
}

@test "gn-listen reaps its programs and resets failed streams for any inherited action of SIGCHLD" {
	echo hey >hey
	for how in block ignore both; do
		start left_listen -k srv -a /ip4/127.0.0.1/tcp/0 /e/1 -- sh -c 'cat; exit 3'
		for i in 1 2 3; do
			run -8 timeout $((20 * GN_SLOW)) gn-dial -k cli -F raw --wire raw "$addr" /e/1 <hey
		done
		run -1 grep -l '^State:.Z' $(children_of "$pid")
		kill -TERM "$pid"
		ends_with 0 "$pid"
	done
}

left_listen() { left "$how" CHLD,TERM gn-listen "$@"; }
children_of() { grep -l "^PPid:.$1\$" /proc/[0-9]*/status 2>/dev/null || echo /dev/null; }

@test "gn-dial returns its program's exit code for any inherited action of SIGCHLD" {
	start gn-listen -k srv -a /ip4/127.0.0.1/tcp/0 /e/1 -- cat
	for how in block ignore both; do
		run -5 timeout $((20 * GN_SLOW)) bash -c "exec python3 -c '$left' $how CHLD gn-dial -k cli $addr /e/1 -- sh -c 'exit 5'"
	done
}

@test "SIGTERM ends a tool that was started with it blocked or ignored" {
	for how in block ignore both; do
		(left "$how" TERM,INT gn-frame encode) <hold >/dev/null 3>&- 7>&- &
		pid=$!
		pids+=("$pid")
		until_true 10 is_running gn-frame "$pid"
		until_true 10 is_unblocked "$pid"
		kill -TERM "$pid"
		ends_with 143 "$pid"
	done
}

@test "SIGINT and SIGHUP stay ignored if they were, as by nohup and a shell's &" {
	(left ignore INT,HUP,QUIT gn-listen --ready-fd 9 -k srv -a /ip4/127.0.0.1/tcp/0 /x/1) 9>ready 2>err <hold 3>&- 7>&- &
	pid=$!
	pids+=("$pid")
	until_true 10 test -s ready
	kill -INT "$pid"
	kill -HUP "$pid"
	kill -QUIT "$pid"
	kill -TERM "$pid"
	ends_with 0 "$pid"
}
