# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
#
# The same transfers over a path of 63 ms, between two namespaces of the lab (tests/lab/lib.sh, longwire.c), with the
# kernel's default buffers and with a maximum of 64 MiB: the rate, and the round trips up to the first byte.
# iperf3, without encryption, shows the capacity of the path.

# shellcheck source=tests/lab/lib.sh
. "$TESTS/lab/lib.sh"
RTT=63 BIG=67108864
: "${LONG_ROWS:=iperf3 gn-cat socat-tls go}"

# Makes a lab with two hosts and the long wire between them.
make_path() {
	local line fd
	[ -e /dev/net/tun ] || { echo "there is no /dev/net/tun"; return 1; }
	lab_start || return 1
	lab_hosts near far
	exec {fd}< <(exec $LAB_ENTER_WITH "$AID/longwire" -d 31.5 "/proc/$LAB_PID/root/run/netns/near" "/proc/$LAB_PID/root/run/netns/far" 2>"$D/longwire.err")
	PATH_PID=$!
	read -rt 5 line <&"$fd" && [ "$line" = up ] || { echo "longwire: $(tail -n 1 "$D/longwire.err")"; return 1; }
	lab_ip near link set long up mtu 1500 && lab_addrs near long 10.77.0.1/24
	lab_ip far link set long up mtu 1500 && lab_addrs far long 10.77.0.2/24
}
end_path() {
	[ -z "${PATH_PID-}" ] || kill "$PATH_PID" 2>/dev/null
	lab_stop
}

# buffers MAX: sets the maximum of tcp_rmem and tcp_wmem on both hosts
buffers() {
	local h f
	for h in near far; do
		for f in tcp_rmem tcp_wmem; do
			# `cat`, because `read` reads single bytes, and such files return only the first one.
			on "$h" sh -c 'set -- "$1" "$2" $(cat "$1"); echo "$3 $4 $2" >"$1"' _ "/proc/sys/net/ipv4/$f" "$1"
		done
	done
}

# measure_iperf3 PREFIX MIB: uses the rate that iperf3 reports
measure_iperf3() {
	local as=$1 rate
	"${AT_L[@]}" iperf3 -s -1 -p 5201 >/dev/null 2>&1 &
	PIDS+=("$!")
	within 5 listening 5201 || return 1
	rate=$("${AT_D[@]}" timeout "$LIMIT" iperf3 -J -c "$HOST" -p 5201 -n "${2}M" 2>/dev/null |
		awk '/"sum_received"/ { f = 1 } f && /"bits_per_second"/ { gsub(/[^0-9.e+]/, "", $2); printf "%.1f", $2 / 8e6; exit }')
	[ -n "$rate" ] && put iperf3 "${as}rate" "$rate"
	the_end
}

long_rows() {
	local row
	for row in $LONG_ROWS; do
		if [ "$row" = iperf3 ]; then has iperf3 >/dev/null && echo "$row"; else case " $rows " in *" $row "*) echo "$row" ;; esac; fi
	done
}

# long_round PREFIX MIB FILE
long_round() {
	local row
	for row in $(long_rows); do
		if [ "$row" = iperf3 ]; then measure_iperf3 "$1" "$2"; else measure "$row" "$3" $(($2 << 20)) "$1"; fi
	done
}

part_long() {
	local row i line
	line="A path of $RTT ms"
	if ! make_path >"$D/why" 2>&1; then
		end_path
		echo
		echo "$line: NOT RUN: $(tail -n 1 "$D/why")"
		return
	fi
	trap 'end_path; cleanup' EXIT
	HOST=10.77.0.2
	at far && AT_L=("${AT[@]}")
	at near && AT_D=("${AT[@]}")
	if [ "$LONG" -le "$SIZE" ]; then head -c "${LONG}M" "$INPUT" >"$SHM/long"; else head -c "${LONG}M" /dev/urandom >"$SHM/long"; fi
	for ((i = 1; i <= LONG_RUNS; i++)); do
		note "  long path, round $i of $LONG_RUNS"
		long_round long_ "$LONG" "$SHM/long"
	done
	for ((i = 1; i <= 5; i++)); do
		for row in $(long_rows); do [ "$row" = iperf3 ] || measure "$row" "$TINY" 1 long_one_; done
	done
	local rmem wmem
	rmem=$(on far cat /proc/sys/net/ipv4/tcp_rmem | cut -f 3) wmem=$(on far cat /proc/sys/net/ipv4/tcp_wmem | cut -f 3)
	buffers $BIG
	for ((i = 1; i <= LONG_RUNS; i++)); do
		note "  long path, 64 MiB of buffers, round $i of $LONG_RUNS"
		long_round big_ "$SIZE" "$INPUT"
	done
	end_path
	trap cleanup EXIT
	show_long "$rmem" "$wmem"
}

show_long() {
	local row own big one
	echo
	echo "A path of $RTT ms, medians of $LONG_RUNS: $LONG MiB with the kernel's own buffers (up to $(($1 >> 20)) MiB for receiving, $(($2 >> 20)) for sending), $SIZE MiB with 64:"
	pad -14 row && pad 8 MB/s && pad 11 "of iperf3" && pad 9 "64 MiB" && pad 11 "of iperf3" && pad 16 "first byte ms" && pad 13 "round trips" && echo
	for row in $(long_rows); do
		own=$(median "$row" long_rate) big=$(median "$row" big_rate) one=$(median "$row" long_one_first)
		pad -14 "$row"
		pad 8 "$(number "$own" %.1f)"
		pad 11 "$(ratio "$own" "$(median iperf3 long_rate)")"
		pad 9 "$(number "$big" %.1f)"
		pad 11 "$(ratio "$big" "$(median iperf3 big_rate)")"
		pad 16 "$(number "$one" %.1f)"
		pad 13 "$(ratio "$one" $RTT)"
		echo
	done
}
