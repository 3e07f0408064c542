#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Messages on standard error: they never block a tool, unknown peers cannot flood them, and text from a peer
# cannot control the terminal.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	new_key cli
	at=(-k srv -a /ip4/127.0.0.1/tcp/0)
}

teardown() {
	kill_all
}

# listen_with FD COMMAND...: like start, but with that descriptor as stderr.
listen_with() {
	local err=$1
	shift
	rm -f ready
	mkfifo ready
	exec 8<>ready
	"$@" 2>&"$err" 9>ready 8>&- 3>&- 7>&- </dev/null >out &
	pid=$!
	pids+=("$pid")
	read -rt $((10 * GN_SLOW)) addr <&8
	exec 8<&-
}

# Fills the fifo that is open as descriptor 7 up to its last byte.
fill() {
	dd if=/dev/zero of="$1" bs=4096 count=1024 oflag=nonblock conv=notrunc 2>dd || :
	dd if=/dev/zero of="$1" bs=1 count=8192 oflag=nonblock conv=notrunc 2>dd || :
}

echo_works() {
	local word
	for word in m1 m2 m3; do
		run -0 --separate-stderr timeout $((8 * GN_SLOW)) bash -c \
			"echo $word | gn-dial -k cli -F raw --wire raw $addr /e/1"
		assert_output "$word"
	done
}

@test "a full pipe at stderr does not stop a listener, and the lost lines are counted" {
	mkfifo f
	exec 7<>f
	listen_with 7 gn-listen -v "${at[@]}" --ready-fd 9 /e/1 -- cat
	read -r _ <&7 # "listening on"
	fill f
	echo_works
	timeout 5 dd of=/dev/null bs=4096 iflag=nonblock <&7 2>dd || :
	echo_works
	kill -TERM "$pid"
	ends_with 0 "$pid"
	timeout 1 cat <&7 >lines || :
	run head -n 2 lines
	assert_line --index 0 --regexp '^gn-listen: [0-9]+ lines were lost$'
	assert_line --index 1 --regexp '^gn-listen: from .* opened'
	exec 7<&-
}

@test "a full pipe at stderr does not stop a transfer with -j" {
	mkfifo f
	exec 7<>f
	fill f
	listen_with 7 gn-cat -l -j -k srv --open --ready-fd 9 /ip4/127.0.0.1/tcp/0
	head -c 3000000 /dev/urandom >data
	timeout $((20 * GN_SLOW)) gn-cat -j "$addr" <data 2>&7
	ends_with 0 "$pid"
	cmp data out
	exec 7<&-
}

@test "a full socket at stderr does not stop a listener" {
	timeout $((30 * GN_SLOW)) python3 - "$PWD" <<-'END'
		import os, socket, subprocess, sys
		ours, theirs = socket.socketpair()
		ours.setblocking(False); theirs.setblocking(False)
		r, w = os.pipe()
		p = subprocess.Popen(['gn-listen', '-v', '-k', 'srv', '-a', '/ip4/127.0.0.1/tcp/0', '--ready-fd', str(w), '/e/1', '--', 'cat'],
		    stderr=theirs, pass_fds=[w])
		addr = os.read(r, 4096).decode().split()[0]
		try:
		    while 1: theirs.send(b'x' * 512)
		except BlockingIOError: pass
		theirs.setblocking(True)
		for i in range(3):
		    out = subprocess.run(['gn-dial', '-k', 'cli', '-F', 'raw', '--wire', 'raw', addr, '/e/1'], input=b'hi', stdout=subprocess.PIPE, timeout=10)
		    assert out.stdout == b'hi', out
		p.terminate()
		assert p.wait(10) == 0
	END
}

# In Python: stops a terminal (Ctrl-S) and runs a command that has it as its stderr.
@test "a stopped terminal does not stop a transfer, and shows lines again when it continues" {
	head -c 30000000 /dev/zero >data
	start gn-cat -l -k srv --open /ip4/127.0.0.1/tcp/0
	timeout $((30 * GN_SLOW)) python3 - "$addr" <<-'END'
		import os, pty, subprocess, sys, termios, time
		m, s = pty.openpty()
		termios.tcflow(s, termios.TCOOFF)
		p = subprocess.Popen(['gn-cat', '-v', '--progress', sys.argv[1]], stdin=open('data'), stdout=subprocess.DEVNULL, stderr=s)
		assert p.wait(20) == 0, p.returncode
		termios.tcflow(s, termios.TCOON)
		os.close(s)
	END
	ends_with 0 "$pid"
	cmp data out
}

@test "a tool that ends waits at most a second for a stderr that nobody reads" {
	mkfifo f
	exec 7<>f
	fill f
	SECONDS=0
	run -2 timeout $((10 * GN_SLOW)) bash -c 'gn-dial --nonsense 2>&7'
	[ $SECONDS -le $((3 * GN_SLOW)) ]
	exec 7<&-
}

@test "the data is complete with stderr closed, on a full device, or on a pipe without a reader" {
	head -c 300000 /dev/urandom >data
	for to in '2>/dev/full' '2>&-' '2> >(:)'; do
		start gn-cat -l -v -k srv --open /ip4/127.0.0.1/tcp/0
		eval "gn-cat -v --progress $addr <data $to"
		ends_with 0 "$pid"
		cmp data "$BATS_TEST_TMPDIR/out"
	done
}

@test "lines on a shared or appended stderr file are not overwritten" {
	start gn-listen "${at[@]}" /e/1 -- cat
	{
		echo before
		echo x | gn-dial -v -k cli -F raw --wire raw "$addr" /e/1
		echo after
	} >log 2>&1
	run cat log
	assert_line --index 0 before
	assert_line --index -1 after
	assert_line --partial 'opened, direct'
	echo first >log
	echo x | gn-dial -v -k cli -F raw --wire raw "$addr" /e/1 2>>log >>log
	echo last >>log
	run cat log
	assert_line --index 0 first
	assert_line --index -1 last
	assert_line --partial 'opened, direct'
}

@test "unknown peers cause at most ten lines at once, then one per second, and a count" {
	start gn-listen "${at[@]}" /e/1 -- cat
	python3 - "$addr" <<-'END'
		import socket, sys
		port = int(sys.argv[1].split('/')[4])
		for i in range(300):
		    s = socket.create_connection(('127.0.0.1', port)); s.sendall(b'GET / HTTP/1.0\r\n' + b'x' * 200)
		    try:
		        while s.recv(1000): pass
		    except OSError: pass
		    s.close()
	END
	until_true 5 grep -q 127.0.0.1 err
	run grep -c . err
	[ "$output" -le 40 ]
	# A little later the address gets lines again, and the first one reports how many were left out.
	port=${addr#*/tcp/} port=${port%%/*}
	knock() {
		exec 5<>"/dev/tcp/127.0.0.1/$port"
		printf '%300s' x >&5
		timeout 5 cat <&5 >knock 2>&1 || :
		exec 5<&-
		grep -q 'lines about 127.0.0.1 were left out' err
	}
	until_true 10 knock
}

@test "lines about refused peers are limited, too" {
	start gn-listen "${at[@]}" --allow "$(gn-key id srv)" /e/1 -- cat
	for i in $(seq 30); do gn-dial -k cli --ping=1 "$addr" 2>>dials || :; done
	run grep -c 'not in --allow' err
	[ "$output" -ge 1 ]
	run grep -c . err
	[ "$output" -le 30 ]
}

# A peer's text with C0, DEL, C1, bidirectional controls, separators, and bytes that are not UTF-8.
evil='e\x1b[31m\x07\x0a\x7f\xc2\x9b\xd8\x9c\xe2\x80\x8e\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8\x9b\xc0\x9b\xed\xa0\x80z'

begin_agent() {
	"$B/tests/lab/agent" "$1" "$2" >agent 2>agent.err 3>&- &
	pids+=("$!")
	until_true 10 test -s agent
	addr=$(cat agent)
}

@test "--identify prints a peer's text without control characters" {
	begin_agent "$evil" '/p\xc2\x9b\xe2\x80\xae\xff/1'
	run -0 --separate-stderr gn-dial -k cli --identify "$addr"
	assert_line 'agent e?[31m???????????????z'
	assert_line 'protocol /p???/1'
	gn-dial -k cli --identify "$addr" | LC_ALL=C grep -aP '[\x00-\x09\x0b-\x1f\x7f-\x9f\xc0-\xff]' && false
	gn-dial -k cli --identify -j "$addr" >j
	LC_ALL=C grep -aP '[\x00-\x09\x0b-\x1f\x7f-\xff]' j && false
	run jq -r .agent j
	r=$(printf '\357\277\275') # U+FFFD in UTF-8; $'\ufffd' depends on the locale
	assert_output "e${r}[31m$r$r$r$r$r$r$r$r$r$r$r$r$r$r$r""z"
}

@test "--identify prints harmless text of any language as it is" {
	agent='Grüße 日本語 עברית 🦀 "quoted\\'
	begin_agent "$agent" /a/1
	run -0 --separate-stderr gn-dial -k cli --identify "$addr"
	assert_line "agent $agent"
	gn-dial -k cli --identify -j "$addr" >j
	run jq -r .agent j
	assert_output "$agent"
}
