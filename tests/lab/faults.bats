#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# gn-cat over cables that are cut, interrupted, lossy, or long; and with a reader that stalls.
#
# setup_file starts the scenarios that take long in parallel, each with hosts of its own.  They write down their results, and
# the tests check these.

setup_file() {
	load helper
	lab_begin || return 0
	lab_switch sw
	lab_hosts a b c d e f g h
	lab_plug sw a 10.9.0.1/24
	lab_plug sw b 10.9.0.2/24
	lab_plug sw c 10.9.0.3/24
	lab_plug sw d 10.9.0.4/24
	LAB_WIRES=
	lab_wire e 10.8.1.1/24 f 10.8.1.2/24 -d 30
	LAB_WIRES+=" $LAB_WIRE"
	lab_wire g 10.8.2.1/24 h 10.8.2.2/24 -d 4 -j 2 -l 1 -D 1
	LAB_WIRES+=" $LAB_WIRE"
	head -c 24M /dev/urandom >"$BATS_FILE_TMPDIR/data"
	export LAB_WIRES DATA=$BATS_FILE_TMPDIR/data SCENARIOS=
	local s
	for s in cut pull stall; do
		mkdir "$BATS_FILE_TMPDIR/$s"
		play $s </dev/null >"$BATS_FILE_TMPDIR/$s/log" 2>&1 3>&- &
		SCENARIOS+=" $!"
	done
}
teardown_file() {
	load helper
	local p
	for p in ${SCENARIOS-} ${LAB_WIRES-}; do kill "$p" 2>/dev/null || :; done
	lab_stop
}
setup() {
	load helper
	test_begin
}
teardown() { kill_all; }

# play NAME: runs a scenario in a directory of its own; its notes are in `how` at the end.
play() {
	trap kill_all EXIT
	trap 'exit 1' TERM
	set +e
	dir=$BATS_FILE_TMPDIR/$1
	"scenario_$1" >"$dir/notes"
	mv "$dir/notes" "$dir/how"
}
note() { printf '%s=%s\n' "$@"; }

# noted SCENARIO WORD: waits for the scenario and prints the value of its note
noted() {
	until_true 50 test -e "$BATS_FILE_TMPDIR/$1/how" || {
		cat "$BATS_FILE_TMPDIR/$1"/{log,notes,*.err} >&2
		return 1
	}
	sed -n "s/^$2=//p" "$BATS_FILE_TMPDIR/$1/how"
}

# pause SECONDS: a pause that is part of a scenario; never used to wait for a condition
pause() { read -rt "$1" <> <(:) || :; }

# dial_by_fifo HOST OPTION...: starts gn-cat to $addrs with stdin from $dir/in, whose writing end is $feed; sets $dialer
dial_by_fifo() {
	mkfifo "$dir/in"
	exec {feed}<>"$dir/in"
	at "$1"
	shift
	"${AT[@]}" gn-cat "$@" "${addrs[0]}" <"$dir/in" >"$dir/dial.out" 2>"$dir/dial.err" {feed}>&- &
	dialer=$!
	pids+=("$dialer")
}

# A cable is cut for good between two halves of the data.  Both ends close the connection after 5 s of silence.
scenario_cut() {
	local from
	listen_on b b --limit keepalive=2s --limit ping=3s /ip4/10.9.0.2/tcp/0
	dial_by_fifo a --limit keepalive=2s --limit ping=3s
	head -c 2M "$DATA" >&"$feed"
	until_true 10 has_size "$dir/b.out" 2097152 || note arrived no
	lab_pull sw b
	from=$(now_ms)
	head -c 2M "$DATA" >&"$feed" & # runs until it is killed, because nobody reads the fifo
	pids+=("$!")
	finish "$dialer"
	note dialer $?
	note dialer_ms $(($(now_ms) - from))
	finish "$pid"
	note listener $?
	note listener_ms $(($(now_ms) - from))
	cmp -s "$dir/b.out" <(head -c "$(stat -c %s "$dir/b.out")" "$DATA") && note prefix yes
}

# A cable is interrupted for 3 s.
scenario_pull() {
	listen_on d d /ip4/10.9.0.4/tcp/0
	dial_by_fifo c
	head -c 2M "$DATA" >&"$feed"
	until_true 10 has_size "$dir/d.out" 2097152 || note arrived no
	lab_pull sw d
	tail -c +2097153 "$DATA" >&"$feed" &
	pids+=("$!")
	pause 3
	note meanwhile "$(stat -c %s "$dir/d.out")"
	lab_put_back sw d
	wait "$!"
	exec {feed}>&-
	finish "$dialer"
	note dialer $?
	finish "$pid"
	note listener $?
	note sum "$(sum_of "$dir/d.out")"
}

# Nobody reads the listener's output for longer than the keep-alive interval, on a path of 60 ms.
scenario_stall() {
	local out
	mkfifo "$dir/pipe"
	exec {out}<>"$dir/pipe"
	output=$dir/pipe listen_on f f /ip4/10.8.1.2/tcp/0
	at e
	"${AT[@]}" gn-cat "${addrs[0]}" <"$DATA" >"$dir/dial.out" 2>"$dir/dial.err" &
	dialer=$!
	pids+=("$dialer")
	pause 12
	is_gone "$dialer" || is_gone "$pid" || note waits yes
	note rss "$(awk '/^VmHWM:/ { print $2 }' "/proc/$pid/status")"
	cat "$dir/pipe" >"$dir/f.out" {out}>&- &
	pids+=("$!")
	exec {out}>&-
	wait "$!"
	finish "$dialer"
	note dialer $?
	finish "$pid"
	note listener $?
	note sum "$(sum_of "$dir/f.out")"
}

@test "all bytes arrive in both directions when packets are lost, duplicated and reordered" {
	input=$DATA listen_on h h /ip4/10.8.2.2/tcp/0
	dial_on g "${addrs[0]}" <"$DATA" >"$dir/g.out"
	finish "$pid"
	assert_equal "$(sum_of "$dir/g.out")" "$(sum_of "$DATA")"
	assert_equal "$(sum_of "$dir/h.out")" "$(sum_of "$DATA")"
}

@test "a transfer survives an interruption of 3 s" {
	assert_equal "$(noted pull arrived)" ""
	assert_equal "$(noted pull meanwhile)" 2097152
	assert_equal "$(noted pull dialer)" 0
	assert_equal "$(noted pull listener)" 0
	assert_equal "$(noted pull sum)" "$(sum_of "$DATA")"
}

@test "a cut path is reported at both ends within the keep-alive limits" {
	assert_equal "$(noted cut arrived)" ""
	[[ $(noted cut dialer) == [58] ]]
	[[ $(noted cut listener) == [58] ]]
	[ "$(noted cut dialer_ms)" -lt $((8000 + 2000 * GN_SLOW)) ]
	[ "$(noted cut listener_ms)" -lt $((8000 + 2000 * GN_SLOW)) ]
	assert_equal "$(noted cut prefix)" yes
}

@test "a reader that stalls on a long path loses nothing, and memory stays bounded" {
	assert_equal "$(noted stall waits)" yes
	[ "$(noted stall rss)" -lt 32768 ]
	assert_equal "$(noted stall dialer)" 0
	assert_equal "$(noted stall listener)" 0
	assert_equal "$(noted stall sum)" "$(sum_of "$DATA")"
}
