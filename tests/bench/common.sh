# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Shared by the parts of the bench.  `run` sets BIN (the tools), AID (sink, timed, ...), D (a scratch
# directory), INPUT (a file of $BYTES bytes), LIMIT (the longest time of a transfer in seconds), RESULTS.
#
# In a transfer the listener's stdout is a pipe to `sink`, and the dialer's stdin is a file.  Both run
# under `timed`.  A row is a program; peers.sh defines for each ROW
#   can_ROW       succeeds if the program can run here, and otherwise prints the reason
#   listen_ROW    starts the listener with `serve`, and sets ADDR or PORT
#   dial_ROW      sets CMD to the command that sends its stdin there
# and, if they differ from the defaults, SINK_ARGS and STAYS (the listener does not end by itself).

PIDS=()  # the processes that were started and may be running
HOST=127.0.0.1
AT_L=()  # prefixes that run the listener's and the dialer's commands in other namespaces
AT_D=()

note() { printf '%s\n' "$*" >&2; }

# the_end: ends the processes that were started, by pid
the_end() {
	local p
	for p in "${PIDS[@]}"; do kill "$p" 2>/dev/null; done
	for p in "${PIDS[@]}"; do within 2 gone "$p" || kill -9 "$p" 2>/dev/null; done
	PIDS=()
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# within SECONDS COMMAND...: repeats the command until it succeeds; fails after that many seconds
within() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		sleep 0.01
	done
}

# Sets PORT to an unused port, for programs that cannot report the port that they picked.
free_port() {
	local used
	used=$("${AT_L[@]}" cat /proc/net/tcp /proc/net/tcp6)
	while :; do
		PORT=$((20000 + (RANDOM << 3 ^ RANDOM) % 12000))
		case $used in *":$(printf %04X $PORT) "*) ;; *) return ;; esac
	done
}

# Succeeds if a process listens on port $1.  A connection attempt would use up a listener that serves only one.
listening() { "${AT_L[@]}" awk -v p=":$(printf %04X "$1")\$" '$2 ~ p && $4 == "0A" { f = 1 } END { exit !f }' /proc/net/tcp /proc/net/tcp6; }

# serve COMMAND...: starts a listener whose stdout is piped to the sink.  read_ready reads from its descriptor 9.
serve() {
	rm -f "$D"/{pipe,ready,line,listener,dialer,sink,sock}
	mkfifo "$D/pipe" "$D/ready" "$D/line"
	exec 8<>"$D/ready"
	# shellcheck disable=SC2086
	if [ -n "${SINK_IS_RUN-}" ]; then
		SINK=
	else
		timeout "$LIMIT" "$AID/sink" $SINK_ARGS "$D/sink" <"$D/pipe" 8>&- &
		SINK=$!
		PIDS+=("$SINK")
	fi
	"${AT_L[@]}" "$AID/timed" -t "$LIMIT" "$D/listener" "$@" <"${STDIN:-/dev/null}" >"$D/pipe" 2>"$D/listener.err" 9>&8 8>&- &
	LISTENER=$!
	PIDS+=("$LISTENER")
}
# read_ready VAR...: reads the line that the listener wrote to descriptor 9
read_ready() { read -rt 20 "$@" <&8; }
# read_line VAR: reads the line that the listener wrote to stdout before the data (SINK_ARGS contains -l)
read_line() {
	local fd ok=0
	exec {fd}<>"$D/line"
	read -rt 20 "$1" <&"$fd" || ok=1
	exec {fd}<&-
	return $ok
}

# transfer ROW FILE: one transfer.  Returns 0 with the results in $D/{sink,dialer,listener}, or fails and sets WHY.
transfer() {
	local row=$1 file=$2 ok=1
	SINK_ARGS=$MORE_SINK STAYS='' STDIN='' SINK_IS_RUN='' WHY='' CMD=() ADDR='' PORT=''
	if ! "listen_$row"; then
		WHY="did not come up: $(tail -n 1 "$D/listener.err" 2>/dev/null)"
	else
		"dial_$row"
		"${AT_D[@]}" "$AID/timed" -t "$LIMIT" "$D/dialer" "${CMD[@]}" <"$file" >/dev/null 2>"$D/dialer.err" 8>&- || WHY="dialer: exit $?"
		[ -z "$SINK" ] || wait "$SINK" || WHY="sink: exit $?"
		[ -z "$STAYS" ] || kill "$LISTENER"
		within 5 gone "$LISTENER" || kill "$LISTENER"
		wait "$LISTENER" || [ -n "$STAYS" ] || WHY="${WHY:+$WHY, }listener: exit $?"
		[ -s "$D/sink" ] && [ -s "$D/dialer" ] && [ -s "$D/listener" ] && ok=0
	fi
	the_end
	exec 8>&-
	return $ok
}

# put ROW METRIC VALUE...: adds a line to the results
put() { printf '%s %s %s\n' "$1" "$2" "${*:3}" >>"$RESULTS"; }

# measure ROW FILE BYTES [PREFIX]: adds the results of a transfer
measure() {
	local row=$1 file=$2 bytes=$3 as=${4-} first last got sink_cpu ls lcpu lrss lcode ds dcpu drss dcode _
	if ! transfer "$row" "$file"; then
		put "$row" "${as}failed" "${WHY:-no result}"
		note "    $row: ${WHY:-no result}"
		return 1
	fi
	read -r first last got sink_cpu _ <"$D/sink"
	read -r ls _ lcpu lrss lcode <"$D/listener"
	read -r ds _ dcpu drss dcode <"$D/dialer"
	[ "$got" -eq "$bytes" ] || {
		put "$row" "${as}lost" "$((bytes - got))"
		note "    $row: $got of $bytes bytes arrived"
		[ "$got" -gt $((bytes / 2)) ] || return 1 # the rate up to there still counts
	}
	[ -z "$WHY" ] || note "    $row: $WHY"
	[ -z "$SINK_IS_RUN" ] || lcpu=$((lcpu - sink_cpu)) # the sink is a child of the listener there
	put "$row" "${as}first" "$(awk -v a="$first" -v b="$ds" 'BEGIN { printf "%.3f", (a - b) / 1e6 }')"
	[ "$bytes" -gt 1000000 ] || return 0
	put "$row" "${as}rate" "$(awk -v n="$got" -v a="$last" -v b="$first" 'BEGIN { printf "%.1f", n * 1e3 / (a - b) }')"
	put "$row" "${as}cpu" "$(awk -v n="$got" -v c=$((lcpu + dcpu)) 'BEGIN { printf "%.3f", c / 1e9 * 1073741824 / n }')"
	put "$row" "${as}rss_l" "$lrss"
	put "$row" "${as}rss_d" "$drss"
}

# check ROW: checks, without timing, that all bytes arrive unchanged.  A program that loses the end of the data is noted and stays.
check() {
	local row=$1 hash got
	MORE_SINK=-s
	transfer "$row" "$INPUT" || :
	MORE_SINK=''
	read -r _ _ got _ hash 2>/dev/null <"$D/sink"
	[ "${hash-}" = "$INPUT_HASH" ] && return
	if [ "${got:-0}" -gt $((BYTES / 2)) ] && [ "$got" -lt "$BYTES" ]; then
		put "$row" lost "$((BYTES - got))"
		return 0
	fi
	WHY="${WHY:-the hash differs}; $(cat "$D/dialer.err" "$D/listener.err" 2>/dev/null | tail -n 1)"
	put "$row" failed "$WHY"
	return 1
}

# median ROW METRIC
median() {
	awk -v r="$1" -v m="$2" '$1 == r && $2 == m { print $3 }' "$RESULTS" | sort -n |
		awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
highest() { awk -v r="$1" -v m="$2" '$1 == r && $2 == m && $3 > h { h = $3 } END { if (h) print h }' "$RESULTS"; }
counted() { awk -v r="$1" -v m="$2" '$1 == r && $2 == m { n++ } END { print n + 0 }' "$RESULTS"; }
# ratio A B DIGITS, number A FORMAT: print "–" for a missing value
ratio() { if [ -n "$1" ] && [ -n "$2" ]; then awk -v a="$1" -v b="$2" -v f="%.${3:-2}f" 'BEGIN { printf f, a / b }'; else echo –; fi; }
number() { if [ -n "$1" ]; then awk -v a="$1" -v k="${3:-1}" -v f="$2" 'BEGIN { printf f, a * k }'; else echo –; fi; }
# pad WIDTH TEXT: printf counts bytes, not characters
pad() {
	local n=$((${1#-} - ${#2}))
	[ $n -gt 0 ] || n=0
	case $1 in -*) printf '%s%*s' "$2" $n '' ;; *) printf '%*s%s' $n '' "$2" ;; esac
}
