# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Small work: echoes of small frames on one stream, streams, and connections, over gn.h (small.c), go-libp2p (the peer of
# tests/interop) and bare TCP (bare.c).  Both ends are the same program.  A round runs every measurement once with each
# program, one right after the other.

: "${SMALL_ROWS:=gn go bare}" "${SMALL_SECONDS:=2}"
SMALL_TESTS=("echo 64 1" "echo 64 64" "echo 1024 1" "echo 1024 64" "streams 1" "streams 32" conns)

small_can_gn() { has "$AID/small"; }
small_can_bare() { has "$AID/bare"; }
small_can_go() { can_peer go; }
small_server_gn() { SERVER=("$AID/small" serve); }
small_server_bare() { SERVER=("$AID/bare" serve); }
small_server_go() { SERVER=("$PEER_go" listen); }
# small_client ROW ADDR PID TEST...: sets CMD
small_client_gn() { CMD=("$AID/small" "$1" "$2" "$SMALL_SECONDS" "${@:3}"); }
small_client_bare() { CMD=("$AID/bare" "$1" "$2" "$SMALL_SECONDS" "${@:3}"); }
small_client_go() { CMD=("$PEER_go" dial "$1" small "$2" "$SMALL_SECONDS" "${@:3}"); }
# bare TCP has no streams
small_has() { [ "$1" != bare ] || [ "${2%% *}" != streams ]; }

declare -A SMALL_ADDR SMALL_PID
# small_start ROW: starts its server
small_start() {
	"small_server_$1"
	rm -f "$D/small.$1"
	mkfifo "$D/small.$1"
	"${SERVER[@]}" </dev/null >"$D/small.$1" 2>"$D/small.err" &
	SMALL_PID[$1]=$!
	PIDS+=("$!")
	read -rt 20 "SMALL_ADDR[$1]" <"$D/small.$1"
}

# small_measure ROW TEST: adds its rate per second, and the processor time of one in microseconds, to the results
small_measure() {
	local n ns cpu as=${2// /_}
	# shellcheck disable=SC2086 # TEST is a list of words
	"small_client_$1" "${SMALL_ADDR[$1]}" "${SMALL_PID[$1]}" $2
	read -r n ns cpu < <(timeout "$LIMIT" "${CMD[@]}" 2>"$D/small.err")
	if [ -z "${cpu-}" ] || [ "$n" -eq 0 ]; then
		put "$1" "small_failed" "$2: $(tail -n 1 "$D/small.err")"
		note "    $1: $2: $(tail -n 1 "$D/small.err")"
		return 1
	fi
	put "$1" "small_${as}_rate" "$(awk -v n="$n" -v t="$ns" 'BEGIN { printf "%.1f", n * 1e9 / t }')"
	put "$1" "small_${as}_cpu" "$(awk -v n="$n" -v c="$cpu" 'BEGIN { printf "%.3f", c / n / 1e3 }')"
}

part_small() {
	local row test i
	small_rows=''
	for row in $SMALL_ROWS; do
		if "small_can_$row" >"$D/why" 2>&1 && small_start "$row"; then
			small_rows+=" $row"
		else
			small_not_run+="  not run: $row: $(tail -n 1 "$D/why" "$D/small.err" 2>/dev/null | tail -n 1)"$'\n'
		fi
	done
	for ((i = 1; i <= RUNS; i++)); do
		note "  small work, round $i of $RUNS"
		for test in "${SMALL_TESTS[@]}"; do
			for row in $small_rows; do ! small_has "$row" "$test" || small_measure "$row" "$test"; done
		done
	done
	the_end
}
small_rows='' small_not_run=''

# per_pair METRIC OTHER: the median over the rounds of the ratio of ours to the other's
per_pair() {
	awk -v m="$1" -v o="$2" '$2 == m && $1 == "gn" { a[++n] = $3 } $2 == m && $1 == o { b[++k] = $3 }
		END { for (i = 1; i <= n && i <= k; i++) print a[i] / b[i] }' "$RESULTS" | sort -n |
		awk '{ v[NR] = $1 } END { if (NR) printf "%.2f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; else print "–" }'
}

small_what() {
	case $1 in
	echo*) set -- $1 && echo "echo of $2 B, $3 in flight" ;;
	streams*) echo "streams, ${1#* } at once" ;;
	conns) echo "connections, one after another" ;;
	esac
}

show_small() {
	local test as row
	echo
	pad -32 "small work, a second" && for row in $small_rows; do pad 11 "$row"; done
	pad 8 "of go" && pad 9 "of bare" && for row in $small_rows; do pad 13 "us CPU $row"; done && echo
	for test in "${SMALL_TESTS[@]}"; do
		as=${test// /_}
		pad -32 "$(small_what "$test")"
		for row in $small_rows; do pad 11 "$(number "$(median "$row" "small_${as}_rate")" %.0f)"; done
		pad 8 "$(per_pair "small_${as}_rate" go)"
		pad 9 "$(per_pair "small_${as}_rate" bare)"
		for row in $small_rows; do pad 13 "$(number "$(median "$row" "small_${as}_cpu")" %.2f)"; done
		echo
	done
	for row in $small_rows; do
		[ "$(counted "$row" small_failed)" -eq 0 ] || echo "  $row failed $(counted "$row" small_failed) times"
	done
	[ -z "$small_not_run" ] || printf '%s' "$small_not_run"
	as=$(per_pair small_echo_64_1_rate bare)
	echo "  ours at echo of 64 B, one in flight, of bare TCP's rate  $as   (0.85)  $(verdict "$as" '>=' 0.85)"
}
