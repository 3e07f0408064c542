#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# gn-dial and gn-listen on a terminal: typed lines are frames, and received frames are shown as text.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	new_key cli
	at=(-k srv -a /ip4/127.0.0.1/tcp/0)
	dial=(gn-dial -k cli)
	terminal=$BATS_TEST_DIRNAME/terminal.py
}

teardown() {
	kill_all
}

@test "a line that is typed is a frame, with its line end" {
	start gn-listen "${at[@]}" /x/1
	printf 'one\n\ntwo\n' | "$terminal" 0 "${dial[@]}" "$addr" /x/1
	until_true 10 test -s out
	kill -TERM "$pid" && ends_with 0 "$pid"
	cmp out <(printf '\4one\n\1\n\4two\n')
}

@test "a last line without a line end is a frame, too" {
	start gn-listen "${at[@]}" /x/1
	# A Ctrl-D after text passes the text on; a second one is the end of file.
	printf 'one\nrest\4' | "$terminal" 0 "${dial[@]}" "$addr" /x/1
	until_true 10 grep -q rest out
	kill -TERM "$pid" && ends_with 0 "$pid"
	cmp out <(printf '\4one\n\4rest')
}

@test "a frame is shown filtered and with a line end" {
	start gn-listen "${at[@]}" --wire frames -F varint /x/1 -- \
		sh -c 'printf "\003one\004two\n\000\010a\tb\r\nc\r\n\011\033[31m\302\233\377z\013Gr\303\274\303\237e \342\200\256"'
	run -0 --separate-stderr "$terminal" 1 "${dial[@]}" "$addr" /x/1
	printf '%s\n' one two '' $'a\tb' c '?[31m??z' 'Grüße ?' >want
	diff want - <<<"$output"
}

@test "lines are echoed in both directions" {
	start gn-listen "${at[@]}" --wire frames -F line /x/1 -- sed -u 's/.*/(&)/'
	run -0 --separate-stderr bash -c "printf 'a\nb\n' | $terminal 01 ${dial[*]} $addr /x/1"
	assert_output $'(a)\n(b)'
}

@test "the format of each direction depends on its own descriptor, and -F sets both" {
	start gn-listen "${at[@]}" --wire frames -F varint /x/1 -- cat
	printf 'a\n' | "$terminal" 0 "${dial[@]}" "$addr" /x/1 >frames
	cmp frames <(printf '\2a\n')
	run -0 --separate-stderr "$terminal" 1 bash -c "printf '\2a\n' | ${dial[*]} $addr /x/1"
	assert_output a
	printf '\2a\n' | "$terminal" 0 "${dial[@]}" -F varint "$addr" /x/1 >frames
	cmp frames <(printf '\2a\n')
	printf 'a\n' | "${dial[@]}" -F text "$addr" /x/1 >lines
	cmp lines <(printf 'a\n')
}

@test "-F line filters a peer's lines on a terminal" {
	start gn-listen "${at[@]}" --wire frames -F varint /x/1 -- printf '\5\033[2Jx'
	run -0 --separate-stderr "$terminal" 1 "${dial[@]}" -F line "$addr" /x/1
	assert_output '?[2Jx'
}

@test "gn-listen reads from and writes to a terminal in the same way" {
	mkfifo keys screen ready9
	exec 8<>ready9 6<>keys 7<>screen
	"$terminal" 01 gn-listen "${at[@]}" --ready-fd 9 /x/1 <&6 >&7 9>ready9 3>&- 6>&- 8>&- 2>err &
	pids+=("$!")
	read -rt 10 addr <&8
	exec 8<&-
	printf 'answer\n' >&6
	printf '\7\033[31mhi' | timeout 20 "${dial[@]}" "$addr" /x/1 >got 7>&- 6>&- 3>&- &
	dialer=$!
	pids+=("$dialer")
	read -rt 10 line <&7
	assert_equal "$line" '?[31mhi'
	until_true 10 test -s got
	cmp got <(printf '\7answer\n')
	exec 6>&- 7>&-
}

@test "a typed line is received as one line by -F line" {
	start gn-listen "${at[@]}" -F line /x/1
	printf 'one\ntwo\n' | "$terminal" 0 "${dial[@]}" "$addr" /x/1
	until_true 10 grep -q two out
	cmp out <(printf 'one\ntwo\n')
}

@test "for bytes that are not frames the error names --wire raw and -F line" {
	start gn-listen "${at[@]}" /x/1 -- echo 'Wednesday, and so on'
	run -9 --separate-stderr "${dial[@]}" "$addr" /x/1 </dev/null
	assert_regex "$stderr" '--wire raw .*-F line'
	run -0 --separate-stderr "${dial[@]}" --wire raw "$addr" /x/1 </dev/null
	assert_output 'Wednesday, and so on'
	run -9 --separate-stderr bash -c "echo hello | ${dial[*]} $addr /x/1"
	assert_regex "$stderr" '-F line .*--wire raw'
	kill_all
	start gn-listen "${at[@]}" /x/1
	echo hello | "${dial[@]}" --wire raw "$addr" /x/1 || :
	until_true 10 grep -q -e '--wire raw .*-F line' err
}

# hang_up COMMAND...: runs it with a terminal as its stdin, types a line and closes the terminal without a SIGHUP.
hang_up() {
	python3 - "$@" <<-'END'
		import os, pty, subprocess, sys, time
		master, slave = pty.openpty()
		child = subprocess.Popen(sys.argv[1:], stdin=slave)
		os.close(slave)
		os.write(master, b'part\n')
		time.sleep(0.5)  # until the line has been read; unread input would be lost
		os.close(master)
		sys.exit(child.wait())
	END
}

@test "a closed terminal is not an end of input: exit code 1 here, 8 there" {
	as="cat" start gn-cat -l --open -k srv /ip4/127.0.0.1/tcp/0
	run -1 --separate-stderr hang_up gn-cat -k cli --send-only "$addr"
	assert_regex "$stderr" 'standard input: Input/output error'
	ends_with 8 "$pid"
	start gn-listen "${at[@]}" /x/1 -- sh -c 'cat >got && mv got whole'
	run -1 --separate-stderr hang_up "${dial[@]}" --wire raw -F raw "$addr" /x/1
	assert_regex "$stderr" 'standard input: Input/output error'
	run -1 --separate-stderr hang_up gn-frame encode
	run -1 --separate-stderr hang_up gn-seal -F raw -k cli -r "$(gn-key id srv)"
	assert [ ! -e whole ]
}
