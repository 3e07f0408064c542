#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Our tools against one other implementation, PEER=go|js|rust, as dialer and as listener.
# GN_BIN is the directory of the tools (default: build/release/bin).

bats_require_minimum_version 1.5.0
load helper

setup_file() {
	[ -n "${PEER-}" ] || {
		echo "PEER=go|js|rust is not set" >&2
		return 1
	}
	export GN_BIN=${GN_BIN:-$(cd "$INTEROP/../.." && pwd)/build/release/bin}
	local tool
	for tool in gn-dial gn-listen gn-cat gn-key; do
		[ -x "$GN_BIN/$tool" ] || {
			echo "no $tool in GN_BIN: build first" >&2
			return 1
		}
	done
	PEER_BIN=$("$INTEROP/build" "$PEER") || return 1
	export PEER_BIN DIR=$BATS_FILE_TMPDIR
	export PROTO=/test/gn/1.0.0

	head -c $((100 * MIB)) /dev/urandom >"$DIR/in"
	sum <"$DIR/in" >"$DIR/in.sum"
	head -c $((10 * MIB)) "$DIR/in" >"$DIR/in10"
	sum <"$DIR/in10" >"$DIR/in10.sum"
	"$GN_BIN/gn-key" new "$DIR/our.key" >/dev/null
	OUR_ID=$("$GN_BIN/gn-key" id "$DIR/our.key")
	OTHER_ID=$("$PEER_BIN" newkey ed25519 "$DIR/other.key")
	export OUR_ID OTHER_ID

	"$PEER_BIN" listen >"$DIR/peer.addr" 2>"$DIR/peer.err" 3>&- &
	echo $! >"$DIR/peer.pid"
	within 30 has_line "$DIR/peer.addr"
	PEER_ADDR=$(cat "$DIR/peer.addr")
	export PEER_ADDR PEER_ID=${PEER_ADDR##*/}
}

teardown_file() {
	[ ! -e "$DIR/peer.pid" ] || stop "$(cat "$DIR/peer.pid")"
}

setup() {
	T=$BATS_TEST_TMPDIR
	PIDS=()
}

teardown() {
	exec 9>&- || :
	[ -n "${BATS_TEST_COMPLETED-}" ] || tail -n 5 "$T"/*.err 2>/dev/null || : # the programs' messages
	[ ${#PIDS[@]} -eq 0 ] || stop "${PIDS[@]}"
}

dial() { timeout 100 "$GN_BIN/gn-dial" -k "$DIR/our.key" "$@"; }
rawdial() { dial --wire raw -F raw "$@"; }
peer() { timeout 100 "$PEER_BIN" "$@"; }

# listen ARGS...: starts gn-listen with our key on a free port; sets ADDR and PID
listen() {
	"$GN_BIN/gn-listen" -k "$DIR/our.key" -a /ip4/127.0.0.1/tcp/0 --wire raw --ready-fd 4 "$@" \
		</dev/null >"$T/listen.out" 2>"$T/listen.err" 3>&- 9>&- 4>"$T/ready" &
	PID=$!
	PIDS+=("$PID")
	within 10 has_line "$T/ready"
	ADDR=$(head -n 1 "$T/ready")
	assert_equal "${ADDR##*/}" "$OUR_ID"
}

# cat_listen IN OUT: starts gn-cat -l that sends IN and writes what it receives to OUT; sets ADDR and PID
cat_listen() {
	"$GN_BIN/gn-cat" -l -p "$PROTO" -k "$DIR/our.key" --ready-fd 4 /ip4/127.0.0.1/tcp/0 \
		<"$1" >"$2" 2>"$T/listen.err" 3>&- 9>&- 4>"$T/ready" &
	PID=$!
	PIDS+=("$PID")
	within 10 has_line "$T/ready"
	ADDR=$(head -n 1 "$T/ready")
}

# peer_listen ARGS...: starts another listener of the peer; sets ADDR and PID
peer_listen() {
	"$PEER_BIN" listen "$@" >"$T/peer.out" 2>"$T/peer.err" 3>&- &
	PID=$!
	PIDS+=("$PID")
	within 30 has_line "$T/peer.out"
	ADDR=$(head -n 1 "$T/peer.out")
}

# open_fifo: makes $T/fifo and keeps its writing end open as fd 9
open_fifo() {
	mkfifo "$T/fifo"
	exec 9<>"$T/fifo"
}

# make_key TYPE FILE: makes a key with the peer, or with openssl if the peer cannot (rust makes no RSA keys)
make_key() {
	peer newkey "$1" "$2" >/dev/null 2>"$T/newkey.err" && return
	[ "$1" = rsa ] || skip "not run: $(cat "$T/newkey.err")"
	openssl genrsa -traditional 2048 2>/dev/null | openssl rsa -traditional -outform DER -out "$T/der" 2>/dev/null
	local n
	n=$(stat -c %s "$T/der") # 128 to 16383: two bytes of varint
	{
		printf '\x08\x00\x12'
		# shellcheck disable=SC2059
		printf "\\x$(printf %02x $((n % 128 + 128)))\\x$(printf %02x $((n / 128)))"
		cat "$T/der"
	} >"$2"
	chmod 600 "$2"
}

# --- we dial

@test "we ping it" {
	run --separate-stderr dial --ping=3 "$PEER_ADDR"
	assert_success
	[ "${#lines[@]}" -ge 3 ]
}

@test "we identify it" {
	run --separate-stderr dial --identify -j "$PEER_ADDR"
	assert_success
	assert_equal "${#lines[@]}" 1
	assert_output --partial "$PEER_ID"
	assert_output --partial "interop-$PEER/"
	assert_output --partial '"/test/echo/1.0.0"'
	assert_output --partial '"/ipfs/ping/1.0.0"'
	assert_output --partial "\"${PEER_ADDR%/p2p/*}" # its own address
	assert_output --partial '"/ip4/127.0.0.1/tcp/' # our address, as it sees us
}

@test "we dial: echo" {
	rawdial "$PEER_ADDR" /test/echo/1.0.0 <"$DIR/in10" >"$T/out"
	cmp "$DIR/in10" "$T/out"
}

@test "we dial: 100 MiB to it, which answers after our half-close" {
	run --separate-stderr rawdial "$PEER_ADDR" /test/sink/1.0.0 <"$DIR/in"
	assert_success
	assert_output "$(cat "$DIR/in.sum")"
}

@test "we dial: 100 MiB from it" {
	echo $((100 * MIB)) | rawdial "$PEER_ADDR" /test/source/1.0.0 >"$T/out"
	assert_equal "$(sum <"$T/out")" "$PATTERN_100M"
}

@test "we dial: its half-close leaves our direction open" {
	open_fifo
	rawdial "$PEER_ADDR" /test/source/1.0.0 <"$T/fifo" >"$T/out" 3>&- 9>&- &
	local pid=$!
	PIDS+=("$pid")
	echo $MIB >&9
	within 20 has_bytes "$T/out" $MIB
	assert_equal "$(sum <"$T/out")" "$PATTERN_1M"
	echo "it drains this" >&9
	run ! gone "$pid"
	exec 9>&-
	assert_ended 0 "$pid" 20
}

@test "we dial: an empty stream" {
	run --separate-stderr rawdial "$PEER_ADDR" /test/sink/1.0.0 </dev/null
	assert_success
	assert_output "$(sum </dev/null)"
}

@test "we dial: its reset is exit 8" {
	open_fifo
	printf x >&9
	run rawdial "$PEER_ADDR" /test/reset/1.0.0 <"$T/fifo" 9>&-
	assert_failure 8
}

@test "we dial: it resets while we send" {
	run rawdial "$PEER_ADDR" /test/reset/1.0.0 <"$DIR/in10"
	assert_failure 8
}

@test "we dial: another identity is exit 4" {
	run dial --ping "$(other_id "$PEER_ADDR" "$OTHER_ID")"
	assert_failure 4
}

@test "we dial: a missing protocol is exit 7" {
	run rawdial "$PEER_ADDR" /test/none/1.0.0 </dev/null
	assert_failure 7
}

@test "we dial: an unreachable peer is exit 3" {
	run dial --ping "/ip4/127.0.0.1/tcp/1/p2p/$PEER_ID"
	assert_failure 3
}

@test "we dial: a reader that stalls delays no other stream, and SIGTERM ends us" {
	"$GN_BIN/gn-dial" -k "$DIR/our.key" --wire raw -F raw "$PEER_ADDR" /test/hold/1.0.0 <"$DIR/in" >/dev/null 2>&1 3>&- &
	local pid=$!
	PIDS+=("$pid")
	run dial --ping=1 "$PEER_ADDR"
	assert_success
	run ! gone "$pid"
	kill "$pid"
	assert_ended 143 "$pid" 10
	run dial --ping=1 "$PEER_ADDR"
	assert_success
}

@test "we dial: eight streams at once are complete" {
	local i pids=()
	for i in 1 2 3 4 5 6 7 8; do
		rawdial "$PEER_ADDR" /test/echo/1.0.0 <"$DIR/in10" >"$T/out$i" 2>"$T/err$i" 3>&- &
		pids+=($!)
	done
	PIDS+=("${pids[@]}")
	for i in 1 2 3 4 5 6 7 8; do
		ended "${pids[i - 1]}" 90
		cmp "$DIR/in10" "$T/out$i"
	done
}

@test "we dial: gn-cat -p" {
	timeout 100 "$GN_BIN/gn-cat" -k "$DIR/our.key" -p /test/echo/1.0.0 "$PEER_ADDR" <"$DIR/in" >"$T/out"
	cmp "$DIR/in" "$T/out"
}

@test "we dial: gn-cat -p into its stdout" {
	peer_listen --once-out /test/bulk/1.0.0
	timeout 100 "$GN_BIN/gn-cat" -k "$DIR/our.key" -p /test/bulk/1.0.0 "$ADDR" <"$DIR/in" >"$T/out"
	ended "$PID" 20
	assert_equal "$(tail -n +2 "$T/peer.out" | sum)" "$(cat "$DIR/in.sum")"
	run ! has_bytes "$T/out" 1
}

@test "we dial: a program on fds 6 and 7" {
	# shellcheck disable=SC2016
	run --separate-stderr dial --wire raw "$PEER_ADDR" /test/sink/1.0.0 -- \
		sh -c 'printf hello >&7; exec 7>&-; cat <&6; echo "$GNREMOTEPEER"'
	assert_success
	assert_line "$(printf hello | sum)"
	assert_line "$PEER_ID"
}

@test "we dial over IPv6" {
	grep -q '^0\{31\}1 ' /proc/net/if_inet6 || skip "not run: this host has no ::1"
	peer_listen --ip6
	run dial --ping=1 "$ADDR"
	assert_success
}

# --- it dials

@test "it pings us" {
	listen "$PROTO" -- cat
	run --separate-stderr peer dial "$ADDR" ping 3
	assert_success
	assert_equal "${#lines[@]}" 3
}

@test "it identifies us" {
	listen "$PROTO" -- cat
	run --separate-stderr peer dial "$ADDR" identify
	assert_success
	assert_output --partial "\"peer\":\"$OUR_ID\""
	assert_output --partial "\"$PROTO\""
	assert_output --partial '"/ipfs/ping/1.0.0"'
	assert_output --partial '"/ipfs/id/1.0.0"'
	assert_output --partial "\"${ADDR%/p2p/*}"
	assert_output --partial '"observedAddr":"/ip4/127.0.0.1/tcp/'
	refute_output --partial '"agent":""'
}

@test "it dials: echo" {
	listen "$PROTO" -- cat
	peer dial "$ADDR" raw "$PROTO" <"$DIR/in10" >"$T/out"
	cmp "$DIR/in10" "$T/out"
}

@test "it dials: 100 MiB to us, and our answer after its half-close" {
	listen "$PROTO" -- sha256sum
	run --separate-stderr peer dial "$ADDR" raw "$PROTO" <"$DIR/in"
	assert_success
	assert_output --partial "$(cat "$DIR/in.sum")"
}

@test "it dials: 100 MiB from us" {
	listen "$PROTO" -- cat "$DIR/in"
	peer dial "$ADDR" raw "$PROTO" </dev/null >"$T/out"
	cmp "$DIR/in" "$T/out"
}

@test "it dials: our half-close leaves its direction open" {
	listen "$PROTO" -- sh -c 'printf early; exec 1>&-; sha256sum >"$0"' "$T/sum"
	open_fifo
	peer dial "$ADDR" raw "$PROTO" <"$T/fifo" >"$T/out" 3>&- 9>&- &
	local pid=$!
	PIDS+=("$pid")
	within 20 has_bytes "$T/out" 5
	cat "$DIR/in10" >&9
	exec 9>&-
	assert_ended 0 "$pid" 30
	within 10 has_line "$T/sum"
	assert_equal "$(cut -c1-64 "$T/sum")" "$(cat "$DIR/in10.sum")"
	assert_equal "$(cat "$T/out")" early
}

@test "it dials: our program's failure resets the stream" {
	listen "$PROTO" -- sh -c 'head -c 1 >/dev/null; exit 1'
	open_fifo
	printf x >&9
	run peer dial "$ADDR" raw "$PROTO" <"$T/fifo" 9>&-
	assert_failure 8
	run ! gone "$PID"
	run peer dial "$ADDR" ping 1
	assert_success
}

@test "it dials: its reset does not harm the listener" {
	listen "$PROTO" -- cat
	run peer dial "$ADDR" resetafter "$PROTO" 300000
	assert_success
	run peer dial "$ADDR" ping 1
	assert_success
	peer dial "$ADDR" raw "$PROTO" <"$DIR/in10" >"$T/out"
	cmp "$DIR/in10" "$T/out"
}

@test "it dials: another identity is refused, and we continue listening" {
	listen "$PROTO" -- cat
	run peer dial "$(other_id "$ADDR" "$OTHER_ID")" ping 1
	assert_failure 4
	run peer dial "$ADDR" ping 1
	assert_success
}

@test "it dials: a missing protocol" {
	listen "$PROTO" -- cat
	run peer dial "$ADDR" raw /test/none/1.0.0 </dev/null
	assert_failure 7
}

@test "it dials: 40 streams at once on one connection" {
	listen -c 64 "$PROTO" -- sh -c 'sha256sum | cut -c1-64'
	run --separate-stderr peer dial "$ADDR" many "$PROTO" 40 $MIB
	assert_success
	assert_equal "$(printf '%s\n' "${lines[@]}" | sort | uniq -c | tr -s ' ')" " 40 $PATTERN_1M"
}

@test "it dials: the program's environment describes the peer" {
	# shellcheck disable=SC2016
	listen "$PROTO" -- sh -c 'echo "$PROTO $GNREMOTEPEER $GNLOCALPEER $GNPROTOCOL $GNPATH"'
	run --separate-stderr peer dial --key "$DIR/other.key" "$ADDR" raw "$PROTO" </dev/null
	assert_success
	assert_output "GN $OTHER_ID $OUR_ID $PROTO direct"
}

@test "it dials: gn-cat -l -p, 100 MiB each way at once" {
	cat_listen "$DIR/in" "$T/ours"
	peer dial "$ADDR" raw "$PROTO" <"$DIR/in" >"$T/its"
	assert_ended 0 "$PID" 20
	cmp "$DIR/in" "$T/ours"
	cmp "$DIR/in" "$T/its"
}

@test "it dials: gn-cat -l -p, nothing from us" {
	cat_listen /dev/null "$T/ours"
	peer dial "$ADDR" raw "$PROTO" <"$DIR/in" >"$T/its"
	assert_ended 0 "$PID" 20
	cmp "$DIR/in" "$T/ours"
	run ! has_bytes "$T/its" 1
}

@test "it dials: gn-cat -l -p, whose stream is reset, ends with 8" {
	open_fifo
	cat_listen "$T/fifo" "$T/ours"
	run peer dial "$ADDR" resetafter "$PROTO" 1000
	assert_success
	assert_ended 8 "$PID" 20
}

@test "it dials an IPv6 listener" {
	grep -q '^0\{31\}1 ' /proc/net/if_inet6 || skip "not run: this host has no ::1"
	listen -a /ip6/::1/tcp/0 "$PROTO" -- cat
	run peer dial "$(grep -m 1 /ip6/ "$T/ready")" ping 1
	assert_success
}

# --- identities

# accepts TYPE: an identity of that type of the peer is accepted in both directions
accepts() {
	make_key "$1" "$T/key"
	local id
	id=$(peer id "$T/key")
	peer_listen --key "$T/key"
	assert_equal "${ADDR##*/}" "$id"
	run --separate-stderr dial --identify -j "$ADDR"
	assert_success
	assert_output --partial "$id"
	run --separate-stderr rawdial "$ADDR" /test/echo/1.0.0 <<<hello
	assert_success
	assert_output hello
	run dial --ping "$(other_id "$ADDR" "$OTHER_ID")"
	assert_failure 4

	# shellcheck disable=SC2016
	listen "$PROTO" -- sh -c 'echo "$GNREMOTEPEER"'
	run --separate-stderr peer dial --key "$T/key" "$ADDR" raw "$PROTO" </dev/null
	assert_success
	assert_output "$id"
}

@test "its Ed25519 identity" { accepts ed25519; }
@test "its RSA identity" { accepts rsa; }
@test "its secp256k1 identity" { accepts secp256k1; }
@test "its ECDSA identity" { accepts ecdsa; }

@test "key files: it reads ours, we read its" {
	assert_equal "$(peer id "$DIR/our.key")" "$OUR_ID"
	assert_equal "$("$GN_BIN/gn-key" id "$DIR/other.key")" "$OTHER_ID"
}

# --- TLS is proposed first and refused, and then Noise on the same connection

@test "it proposes TLS, then Noise" {
	[ "$PEER" != js ] || skip "the js peer proposes Noise alone"
	listen "$PROTO" -- cat
	run peer dial --tls "$ADDR" ping 1
	assert_success
}

@test "it accepts Noise beside TLS" {
	[ "$PEER" != js ] || skip "the js peer accepts Noise alone"
	peer_listen --tls
	run dial --ping=1 "$ADDR"
	assert_success
}

@test "it proposes Noise alone" {
	listen "$PROTO" -- cat
	run peer dial --noise "$ADDR" ping 1
	assert_success
}
