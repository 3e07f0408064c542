#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The pipe over cables that are cut, pulled, bad, or long; and a reader that stalls.
#
# The scenes that take their time are started all at once by setup_file, each with hosts of its own, and note how they
# ended; a test is then what is asked of one.

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
	export LAB_WIRES DATA=$BATS_FILE_TMPDIR/data SCENES=
	local s
	for s in cut pull stall; do
		mkdir "$BATS_FILE_TMPDIR/$s"
		scene $s </dev/null >"$BATS_FILE_TMPDIR/$s/log" 2>&1 3>&- &
		SCENES+=" $!"
	done
}
teardown_file() {
	load helper
	local p
	for p in ${SCENES-} ${LAB_WIRES-}; do kill "$p" 2>/dev/null || :; done
	lab_stop
}
setup() {
	load helper
	test_begin
}
teardown() { kill_all; }

# scene NAME: plays it in a folder of its own; what it notes stands in `how` at the end
scene() {
	trap kill_all EXIT
	trap 'exit 1' TERM
	set +e
	dir=$BATS_FILE_TMPDIR/$1
	"channel_pair_$1" >"$dir/notes"
	mv "$dir/notes" "$dir/how"
}
note() { printf '%s=%s\n' "$@"; }

# said SCENE WORD: what it noted
said() {
	until_true 50 test -e "$BATS_FILE_TMPDIR/$1/how" || {
		cat "$BATS_FILE_TMPDIR/$1"/{log,notes,*.err} >&2
		return 1
	}
	sed -n "s/^$2=//p" "$BATS_FILE_TMPDIR/$1/how"
}

# pause SECONDS: what a scene is about, never a wait for something to be so
pause() { read -rt "$1" <> <(:) || :; }

# dial_by_fifo HOST OPTION...: gn-cat to $addrs with its stdin from $dir/in, whose writing end is $feed; sets $dialer
dial_by_fifo() {
	mkfifo "$dir/in"
	exec {feed}<>"$dir/in"
	at "$1"
	shift
	"${AT[@]}" gn-cat "$@" "${addrs[0]}" <"$dir/in" >"$dir/dial.out" 2>"$dir/dial.err" {feed}>&- &
	dialer=$!
	pids+=("$dialer")
}

# A cable is cut for good between two halves of the data.  Both ends give the path up after 5 s of silence.
channel_pair_cut() {
	local from
	listen_on b b --limit keepalive=2s --limit ping=3s /ip4/10.9.0.2/tcp/0
	dial_by_fifo a --limit keepalive=2s --limit ping=3s
	head -c 2M "$DATA" >&"$feed"
	until_true 10 has_size "$dir/b.out" 2097152 || note arrived no
	lab_pull sw b
	from=$(now_ms)
	head -c 2M "$DATA" >&"$feed" & # until it is killed: nobody will read it
	pids+=("$!")
	finish "$dialer"
	note dialer $?
	note dialer_ms $(($(now_ms) - from))
	finish "$pid"
	note listener $?
	note listener_ms $(($(now_ms) - from))
	cmp -s "$dir/b.out" <(head -c "$(stat -c %s "$dir/b.out")" "$DATA") && note prefix yes
}

# A cable is out for 3 s.
channel_pair_pull() {
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

# Nobody reads what the listener writes, for longer than a keep-alive takes, on a path of 60 ms.
channel_pair_stall() {
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
	assert_equal "$(said pull arrived)" ""
	assert_equal "$(said pull meanwhile)" 2097152
	assert_equal "$(said pull dialer)" 0
	assert_equal "$(said pull listener)" 0
	assert_equal "$(said pull sum)" "$(sum_of "$DATA")"
}

@test "a cut path is reported at both ends within the keep-alive limits" {
	assert_equal "$(said cut arrived)" ""
	[[ $(said cut dialer) == [58] ]]
	[[ $(said cut listener) == [58] ]]
	[ "$(said cut dialer_ms)" -lt $((8000 + 2000 * GN_SLOW)) ]
	[ "$(said cut listener_ms)" -lt $((8000 + 2000 * GN_SLOW)) ]
	assert_equal "$(said cut prefix)" yes
}

@test "a reader that stalls on a long path loses nothing, and memory stays bounded" {
	assert_equal "$(said stall waits)" yes
	[ "$(said stall rss)" -lt 32768 ]
	assert_equal "$(said stall dialer)" 0
	assert_equal "$(said stall listener)" 0
	assert_equal "$(said stall sum)" "$(sum_of "$DATA")"
}
