#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	srv=$id
	new_key cli
	at=(-k srv -a /ip4/127.0.0.1/tcp/0)
	dial=(gn-dial -k cli)
}

teardown() {
	kill_all
}

echo_server() { start gn-listen "${at[@]}" /echo/1 -- cat; }

# A port of this host at which nobody listens: one that was just released.
dead_addr() {
	start gn-listen "${at[@]}" /x/1
	kill -TERM "$pid"
	finish "$pid"
}

@test "lines are carried in both directions" {
	start gn-listen "${at[@]}" --wire frames /echo/1 -- cat
	run -0 --separate-stderr bash -c "seq 1000 | gn-dial -k cli -F line $addr /echo/1 | tr -d '\n'"
	# its program reads raw bytes: the boundaries of frames may change, but nothing is lost
	assert_output "$(seq 1000 | tr -d '\n')"
}

@test "frames have the same format locally and on the wire" {
	echo_server
	head -c 3000000 /dev/urandom | gn-frame encode -b 4321 >frames
	"${dial[@]}" "$addr" /echo/1 <frames >back
	cmp frames back
}

@test "frames of every size up to --max-frame are carried" {
	echo_server
	for n in 0 1 127 128 65535 65536 262144 1048576; do
		head -c $n /dev/urandom >"$(printf 'f%08d' $n)"
	done
	gn-frame join f* >frames
	"${dial[@]}" "$addr" /echo/1 <frames >back
	cmp frames back
	head -c 3000000 /dev/urandom | gn-frame encode -w --max-frame 3M >large
	"${dial[@]}" --max-frame 3M "$addr" /echo/1 <large >back
	cmp large back
}

@test "-F raw sends bytes as frames" {
	start gn-listen "${at[@]}" -F line --wire frames /upper/1 -- tr a-z A-Z
	run -0 --separate-stderr bash -c "printf hello | gn-dial -k cli -F raw $addr /upper/1"
	assert_output HELLO
}

@test "after the end of stdin the answer is still received" {
	start gn-listen "${at[@]}" /count/1 -- wc -c
	head -c 1000000 /dev/zero >zeros
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /count/1 <zeros
	assert_output 1000000
}

@test "after the peer's end stdout is closed and stdin is still sent" {
	start gn-listen "${at[@]}" /late/1 -- sh -c 'echo ready; exec >&-; cat >got'
	mkfifo in
	"${dial[@]}" --wire raw "$addr" /late/1 <in 3>&- 6>&- | { cat >out && echo >closed; } 3>&- 6>&- &
	peer=$!
	exec 6>in
	until_true 10 test -s closed
	assert_equal "$(cat out)" ready
	echo late >&6
	exec 6>&-
	ends_with 0 "$peer"
	until_true 10 test -s got
	assert_equal "$(cat got)" late
}

@test "a program has the stream on descriptors 6 and 7, and stdin and stdout unchanged" {
	start gn-listen "${at[@]}" /echo/1 -- sed -u 's/^/echo: /'
	run -0 --separate-stderr bash -c \
		"echo mine | gn-dial -k cli $addr /echo/1 -- sh -c 'echo hi >&7; exec 7>&-; cat <&6; cat; echo \$GNREMOTEPEER \$GNPROTOCOL'"
	assert_output "echo: hi
mine
$srv /echo/1"
}

@test "the exit code is that of the program" {
	echo_server
	run -0 "${dial[@]}" "$addr" /echo/1 -- true
	run -5 "${dial[@]}" "$addr" /echo/1 -- sh -c 'exit 5'
	run -143 "${dial[@]}" "$addr" /echo/1 -- sh -c 'kill $$'
	run -127 "${dial[@]}" "$addr" /echo/1 -- ./no-such-program
	[ "$GN_SLOW" = 1 ] || return 0 # valgrind implements posix_spawn by fork, which loses the error
	touch plain
	run -126 "${dial[@]}" "$addr" /echo/1 -- ./plain
}

@test "a program that fails resets the stream" {
	echo go >go
	input=go start gn-listen "${at[@]}" --wire raw -F raw -v /sink/1
	run -3 "${dial[@]}" "$addr" /sink/1 -- sh -c 'echo some >&7; read -r l <&6; exit 3'
	until_true 10 grep -q 'cut off, data may be short' err
}

@test "an unreachable peer is exit code 3, and -v prints what was tried" {
	dead_addr
	run -3 --separate-stderr "${dial[@]}" "$addr" /x/1 </dev/null
	assert_output ""
	run -3 --separate-stderr "${dial[@]}" -v "$addr" /x/1 </dev/null
	assert_regex "$stderr" "tried ${addr%/p2p/*}.*Connection refused"
	run -3 --separate-stderr "${dial[@]}" -j "$addr" /x/1 </dev/null
	assert_equal "$(jq -r '.code, .tried[0].error' <<<"$stderr" | tr '\n' ' ')" "3 ECONNREFUSED "
}

@test "several addresses of a peer are raced, also behind one that never answers" {
	echo_server
	good=$addr
	# a port that accepts connections and never answers
	socat -u TCP-LISTEN:0,bind=127.0.0.1,fork OPEN:/dev/null 2>/dev/null 3>&- &
	pids+=($!)
	until_true 10 has_port "$!"
	silent="/ip4/127.0.0.1/tcp/$port/p2p/$srv"
	dead="/ip4/127.0.0.1/tcp/1/p2p/$srv"
	run -0 --separate-stderr timeout 5 "${dial[@]}" -F line "$silent" "$dead" "$good" /echo/1 <<<data
	assert_output data
	run -0 --separate-stderr timeout 5 "${dial[@]}" --ping=1 "$silent" "$good"
	run -0 --separate-stderr timeout 5 "${dial[@]}" --identify "$silent" "$good"
}

@test "several dead addresses are exit code 3, and -v prints each attempt" {
	dead=("/ip4/127.0.0.1/tcp/1/p2p/$srv" "/ip4/127.0.0.2/tcp/1/p2p/$srv")
	run -3 --separate-stderr timeout 5 "${dial[@]}" -v "${dead[@]}" /x/1 </dev/null
	assert_regex "$stderr" "${dead[0]} \(and 1 more\): Connection refused"
	assert_equal "$(grep -c 'tried .*Connection refused' <<<"$stderr")" 2
	run -3 --separate-stderr timeout 5 "${dial[@]}" -j "${dead[@]}" /x/1 </dev/null
	assert_equal "$(jq -r '.tried | length' <<<"$stderr")" 2
}

@test "the last operand is the protocol, and the ones before it are addresses of one peer" {
	a=/ip4/127.0.0.1/tcp/1/p2p/$srv
	new_key other
	run -2 gn-dial "$a" "$a"
	assert_output --partial "PROTO is missing"
	run -2 gn-dial "$a" @file
	assert_output --partial "PROTO is missing"
	run -2 gn-dial /x/1
	assert_output --partial "PROTO is missing"
	run -2 gn-dial "$a" "${a%/p2p/*}/p2p/$id" /x/1
	assert_output --partial "the addresses are of different peers: $srv and $id"
	run -2 gn-dial "$a" /x/1 /y/1
	assert_output --partial "address /x/1: "
	run -3 gn-dial "$a" /p2p/x/1 </dev/null
}

@test "another identity than the requested one is exit code 4" {
	echo_server
	gn-key new other >other.id
	run -4 "${dial[@]}" "${addr%/p2p/*}/p2p/$(cat other.id)" /echo/1 </dev/null
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /echo/1 </dev/null
}

@test "an unknown protocol is exit code 7, with and without a program" {
	echo_server
	run -7 "${dial[@]}" "$addr" /other/1 </dev/null
	assert_output --partial "/other/1"
	run -7 "${dial[@]}" "$addr" /other/1 -- sh -c 'cat <&6'
	seq 100000 >many
	run -7 "${dial[@]}" --wire raw "$addr" /other/1 <many
}

@test "a silent port is exit code 5" {
	socat -u TCP-LISTEN:0,bind=127.0.0.1,fork OPEN:/dev/null 2>/dev/null 3>&- &
	pids+=($!)
	until_true 10 has_port "$!"
	run -5 "${dial[@]}" -w 0.3 "/ip4/127.0.0.1/tcp/$port/p2p/$srv" /x/1 </dev/null
}

# port_of PID: sets $port to the port on which the process listens.
has_port() {
	local inode
	inode=$(readlink /proc/"$1"/fd/* 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p' | paste -sd '|')
	[ -n "$inode" ] || return 1
	port=$(awk -v want="^($inode)\$" '$4 == "0A" && $10 ~ want { split($2, a, ":"); print a[2]; exit }' /proc/net/tcp)
	[ -n "$port" ] || return 1
	port=$((16#$port))
}

@test "a killed listener is exit code 8" {
	echo_server
	mkfifo in
	"${dial[@]}" --wire raw "$addr" /echo/1 <in >out 2>err2 3>&- &
	peer=$!
	exec 6>in
	echo hi >&6
	until_true 10 test -s out
	kill -9 "$pid"
	ends_with 8 "$peer"
	exec 6>&-
	grep -q 'cut off, data may be short' err2
	assert_equal "$(cat out)" hi
}

@test "on SIGTERM and SIGINT the stream is reset, and the signal terminates the dialer" {
	start gn-listen "${at[@]}" --wire raw -F raw /sink/1
	# a shell starts background jobs with SIGINT ignored, which gn-dial would keep; env restores the default action
	for sig in TERM:143 INT:130; do
		rm -f in
		mkfifo in
		: >out
		env --default-signal=INT "${dial[@]}" --wire raw "$addr" /sink/1 <in 2>/dev/null 3>&- &
		peer=$!
		exec 6>in
		echo hi >&6
		until_true 10 test -s out
		kill "-${sig%:*}" "$peer"
		ends_with "${sig#*:}" "$peer"
		exec 6>&-
	done
	until_true 10 grep -q 'cut off, data may be short' err
}

@test "a closed stdout is exit code 1 without a message, and resets the stream" {
	start gn-listen "${at[@]}" /much/1 -- sh -c 'yes | head -c 10000000'
	run -0 bash -c "{ gn-dial -k cli --wire raw $addr /much/1 </dev/null; echo \$? >code; } | head -n 1"
	assert_output y
	assert_equal "$(cat code)" 1
}

@test "a full disk is exit code 1 and a line" {
	start gn-listen "${at[@]}" /much/1 -- sh -c 'yes | head -c 1000000'
	run -1 --separate-stderr bash -c "gn-dial -k cli --wire raw $addr /much/1 </dev/null >/dev/full"
	assert_regex "$stderr" "standard output: No space left on device"
}

@test "a stdin that cannot be read is exit code 1, and the peer sees no clean end" {
	start gn-listen "${at[@]}" --wire raw -F raw -v /sink/1
	run -1 "${dial[@]}" --wire raw "$addr" /sink/1 <.
	assert_output --partial "standard input: Is a directory"
}

@test "malformed frames on stdin are exit code 9, and the peer sees no clean end" {
	start gn-listen "${at[@]}" -F line /x/1
	mkfifo in
	"${dial[@]}" "$addr" /x/1 <in >out2 2>err2 3>&- &
	peer=$!
	exec 6>in
	printf '\x03one' >&6
	until_true 10 test -s out
	printf '\x03tw' >&6
	exec 6>&-
	ends_with 9 "$peer"
	grep -q 'standard input: it ends in the middle of a frame' err2
	until_true 10 grep -q 'cut off' err
	assert_equal "$(cat out)" one
	printf '\x03one\x03tw' >cut
	run -9 "${dial[@]}" --max-frame 2 "$addr" /x/1 <cut
	assert_output --partial "standard input: a frame longer than --max-frame"
	run -9 "${dial[@]}" -F line --max-frame 2 "$addr" /x/1 <<<long
}

@test "malformed frames from the peer are exit code 9, and are not written" {
	start gn-listen "${at[@]}" --wire raw /bad/1 -- printf '\003one\005tw'
	run -9 --separate-stderr "${dial[@]}" -F line "$addr" /bad/1 </dev/null
	assert_output one
	kill_all
	start gn-listen "${at[@]}" --wire raw /bad/1 -- printf '\003one\201\200\100rest'
	run -9 --separate-stderr "${dial[@]}" -F line "$addr" /bad/1 </dev/null
	assert_output one
	kill_all
	start gn-listen "${at[@]}" --wire raw /bad/1 -- printf '\003one\003t\nw'
	run -9 --separate-stderr "${dial[@]}" -F line "$addr" /bad/1 </dev/null
	assert_output one
}

@test "--ping prints round trips" {
	echo_server
	run -0 --separate-stderr "${dial[@]}" --ping=3 -i 0.01 "$addr"
	assert_equal "${#lines[@]}" 3
	assert_regex "${lines[2]}" '^3 0\.[0-9]{6}$'
	run -0 --separate-stderr "${dial[@]}" --ping=1 -j "$addr"
	assert_equal "$(jq '.seq == 1 and .rtt > 0 and .rtt < 1' <<<"$output")" true
	dead_addr
	run -3 "${dial[@]}" --ping "$addr"
}

@test "--identify prints what the peer reports" {
	start gn-listen "${at[@]}" /x/1 /y/1
	run -0 --separate-stderr "${dial[@]}" --identify "$addr"
	assert_line "peer $srv"
	assert_line "protocol /x/1"
	assert_line "protocol /y/1"
	assert_line --regexp '^agent golem-net/'
	assert_line --regexp '^observed /ip4/127\.0\.0\.1/tcp/'
	run -0 --separate-stderr "${dial[@]}" --identify -j "$addr"
	assert_equal "$(jq -r .peer <<<"$output")" "$srv"
	assert_equal "$(jq '.protocols | index("/x/1") != null' <<<"$output")" true
	dead_addr
	run -3 "${dial[@]}" --identify "$addr"
}

@test "an address with a #TOKEN is accepted, and the token is ignored" {
	echo_server
	run -0 --separate-stderr bash -c "echo hi | gn-dial -k cli --wire raw '$addr#abcdefgh234567' /echo/1"
	assert_output hi
}

@test "an address may contain a name" {
	echo_server
	port=${addr#*/tcp/}
	run -0 --separate-stderr bash -c "echo hi | gn-dial -k cli --wire raw /dns4/localhost/tcp/$port /echo/1"
	assert_output hi
}

@test "inherited descriptors stay blocking, and a socket may be both" {
	echo_server
	socat -t 5 "EXEC:'gn-dial -k cli --wire raw $addr /echo/1',socktype=1" - <<<hello >back
	assert_equal "$(cat back)" hello
}

@test "usage errors are exit code 2" {
	run -2 gn-dial
	assert_output --partial "ADDR is missing"
	run -2 gn-dial /ip4/127.0.0.1/tcp/1/p2p/$srv
	assert_output --partial "PROTO is missing"
	run -2 gn-dial /ip4/127.0.0.1/tcp/1 /x/1
	assert_output --partial "does not end in /p2p/ID"
	run -2 gn-dial /ip4/127.0.0.1/tcp/70000/p2p/$srv /x/1
	assert_output --partial "wrong at character 20"
	run -2 gn-dial /ip4/127.0.0.1/tcp/1/p2p/12D3nonsense /x/1
	run -2 gn-dial "/ip4/127.0.0.1/tcp/1/p2p/$srv#A!" /x/1
	assert_output --partial "a token has only a-z and 2-7"
	run -2 gn-dial /ip4/127.0.0.1/tcp/1/p2p/$srv /x/1 more
	run -2 gn-dial -w long /ip4/127.0.0.1/tcp/1/p2p/$srv /x/1
	assert_output --partial "-w: 'long' is not a time; write 500ms"
	run -2 gn-dial --ping=x /ip4/127.0.0.1/tcp/1/p2p/$srv
	run -2 gn-dial --ping --identify /ip4/127.0.0.1/tcp/1/p2p/$srv
	run -2 gn-dial --ping /ip4/127.0.0.1/tcp/1/p2p/$srv -- cat
	run -2 gn-dial --wire frame /ip4/127.0.0.1/tcp/1/p2p/$srv /x/1
}
