# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
#
# The memory of an idle connection: private anonymous memory (Pss_Anon) of the listener with all its processes,
# as the slope from 20 connections of different identities to 20 + CONNS, after IDLE seconds without traffic.
# Kernel memory for sockets is not included.  If each connection is a process of its own (ssh), a tenth
# as many connections are measured.  Also measured is the listener's processor time per connection.
#
# For each row: idle_ROW starts the listener and sets ROOT, its pid; more_ROW N makes N more connections.

FEW=20
declare -A ROOT_OF PORT_OF OPEN_OF MANY_OF FD_OF BEFORE

# Prints the pid and all its descendants.
tree() {
	local c
	echo "$1"
	for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$c"; done
}
pss() { for p in $(tree "$1"); do cat "/proc/$p/smaps_rollup" 2>/dev/null; done | awk '/^Pss_Anon:/ { s += $2 } END { print s + 0 }'; }
cpu_ns() { for p in $(tree "$1"); do cat /proc/"$p"/task/*/schedstat 2>/dev/null; done | awk '{ s += $1 } END { printf "%d", s }'; }

# settle PID: waits until the process uses hardly any processor time
settle() {
	local a b end=$((SECONDS + 60))
	a=$(cpu_ns "$1")
	while [ $SECONDS -lt $end ]; do
		sleep 0.4
		b=$(cpu_ns "$1")
		[ $((b - a)) -gt 8000000 ] || return 0
		a=$b
	done
}

# background COMMAND...: starts a listener and sets ROOT
background() {
	rm -f "$D/idle.out"
	"$@" <"${STDIN:-/dev/null}" >"$D/idle.out" 2>"$D/idle.err" 8>&- &
	ROOT=$!
	PIDS+=("$ROOT")
}
has_line() { [ -s "$1" ] && [ -z "$(tail -c 1 "$1")" ]; }
established() { awk -v p=":$(printf %04X "$1")\$" '$2 ~ p && $4 == "01" { n++ } END { print n + 0 }' /proc/net/tcp; }
has_established() { [ "$(established "$1")" -ge "$2" ]; }

# clients ROW N COMMAND...: starts N processes with one connection each
clients() {
	local row=$1 n=$2 i
	shift 2
	for ((i = 0; i < n; i++)); do
		"$@" <&7 >/dev/null 2>&1 8>&- &
		PIDS+=("$!")
		[ $((i % 16)) -ne 15 ] || within 20 has_established "${PORT_OF[$row]}" $((${OPEN_OF[$row]} + i - 8)) || return 1
	done
	OPEN_OF[$row]=$((${OPEN_OF[$row]} + n))
	within 30 has_established "${PORT_OF[$row]}" "${OPEN_OF[$row]}"
}

# ours_dials ROW FILE HOW: starts a driver that dials the addresses in FILE; its stdin requests more connections
ours_dials() {
	local fd
	rm -f "$D/$1.ask" "$D/$1.answer"
	mkfifo "$D/$1.ask" "$D/$1.answer"
	exec {fd}<>"$D/$1.ask"
	"$AID/idle" dial "$3" "$2" <&"$fd" >"$D/$1.answer" 2>"$D/$1.err" 8>&- &
	DIALER=$!
	PIDS+=("$DIALER")
	FD_OF[$1.ask]=$fd
	exec {fd}<>"$D/$1.answer"
	FD_OF[$1.answer]=$fd
}
ours_more() {
	local answer
	echo "$2" >&"${FD_OF[$1.ask]}"
	read -rt 60 answer <&"${FD_OF[$1.answer]}" && [ "$answer" = ready ]
}
idle_gn-cat() {
	background "$AID/idle" serve 1
	within 10 has_line "$D/idle.out" && cp "$D/idle.out" "$D/gn.addrs" && ours_dials gn-cat "$D/gn.addrs" each
}
more_gn-cat() { ours_more gn-cat "$1"; }
# The dialer's side: one node with connections to many peers.
idle_dialer() {
	background "$AID/idle" serve $((FEW + CONNS))
	within 30 has_lines "$D/idle.out" $((FEW + CONNS)) || return 1
	cp "$D/idle.out" "$D/dialer.addrs"
	ours_dials dialer "$D/dialer.addrs" one
	ROOT=$DIALER
}
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
more_dialer() { ours_more dialer "$1"; }

idle_libp2p() {
	local peer=PEER_$1
	background "${!peer}" listen
	within 20 has_line "$D/idle.out" && cp "$D/idle.out" "$D/$1.addr"
}
more_libp2p() {
	local peer=PEER_$1
	rm -f "$D/idle.answer"
	"${!peer}" idle "$(cat "$D/$1.addr")" "$2" </dev/null >"$D/idle.answer" 2>"$D/idle.err" &
	PIDS+=("$!")
	within 90 has_line "$D/idle.answer"
}
idle_js() { idle_libp2p js; }
idle_go() { idle_libp2p go; }
idle_rust() { idle_libp2p rust; }
more_js() { more_libp2p js "$1"; }
more_go() { more_libp2p go "$1"; }
more_rust() { more_libp2p rust "$1"; }

idle_socat-tls() {
	free_port
	background socat "OPENSSL-LISTEN:$PORT,bind=$HOST,reuseaddr,fork,backlog=256,cert=$D/keys/tls.pem,verify=0" "OPEN:$D/never"
	within 5 listening "$PORT"
}
more_socat-tls() { clients socat-tls "$1" socat "OPENSSL:$HOST:${PORT_OF[socat-tls]},verify=0" STDIO; }
idle_ncat() {
	STDIN=$D/never
	free_port
	background ncat --ssl --ssl-cert "$D/keys/tls.crt" --ssl-key "$D/keys/tls.key" -k --max-conns 2000 -l "$HOST" "$PORT"
	within 5 listening "$PORT"
}
more_ncat() { clients ncat "$1" ncat --ssl "$HOST" "${PORT_OF[ncat]}"; }
idle_spiped() {
	socat "UNIX-LISTEN:$D/many.sock,fork,backlog=256" "OPEN:$D/never" 2>/dev/null &
	SINKS=$!
	PIDS+=("$SINKS")
	free_port
	background spiped -F -d -n 2000 -s "[$HOST]:$PORT" -t "$D/many.sock" -k "$D/keys/spiped"
	within 5 listening "$PORT"
}
more_spiped() { clients spiped "$1" spipe -t "[$HOST]:${PORT_OF[spiped]}" -k "$D/keys/spiped"; }
idle_ssh() {
	free_port
	sshd_args
	SSH_IDLE=("${SSH[@]:0:1}" -N "${SSH[@]:1}")
	background "${SSHD[@]}"
	within 5 listening "$PORT"
}
more_ssh() { clients ssh "$1" "${SSH_IDLE[@]}"; }

# begin ROW: starts the listener and the first connections
begin() {
	STDIN='' PORT=0 ROOT=''
	OPEN_OF[$1]=0 MANY_OF[$1]=$CONNS
	[ "$1" != ssh ] || MANY_OF[$1]=$((CONNS / 10))
	"idle_$1" || return 1
	ROOT_OF[$1]=$ROOT PORT_OF[$1]=$PORT
	"more_$1" $FEW
}

part_idle() {
	local row idlers=''
	for row in gn-cat socat-tls ncat spiped ssh js go rust; do case " $rows " in *" $row "*) idlers+=" $row" ;; esac; done
	case $idlers in *gn-cat*) idlers+=" dialer" ;; esac
	weigh $idlers
}

# weigh ROW...: measures all rows at the same time; the memory per connection is idle_l, its processor time conn_cpu
weigh() {
	local row idlers cpu extra=''
	ulimit -S -n "$(ulimit -H -n)" 2>/dev/null
	for row; do
		note "  idle: $row, $FEW connections"
		begin "$row" && extra+=" $row" || {
			note "    $row: does not work: $(tail -n 1 "$D/idle.err" 2>/dev/null)"
			not_run+="  not run: $row: idle connections"$'\n'
		}
	done
	idlers=$extra extra=''
	sleep "$IDLE"
	for row in $idlers; do BEFORE[$row]=$(pss "${ROOT_OF[$row]}"); done
	for row in $idlers; do
		note "  idle: $row, ${MANY_OF[$row]} more"
		cpu=$(cpu_ns "${ROOT_OF[$row]}")
		"more_$row" "${MANY_OF[$row]}" || {
			note "    $row: did not take so many (${OPEN_OF[$row]:-?} open)"
			continue
		}
		settle "${ROOT_OF[$row]}"
		put "$row" conn_cpu "$(awk -v a="$cpu" -v b="$(cpu_ns "${ROOT_OF[$row]}")" -v n="${MANY_OF[$row]}" 'BEGIN { printf "%.3f", (b - a) / n / 1e6 }')"
		extra+=" $row"
	done
	sleep "$IDLE"
	for row in $extra; do
		put "$row" idle_l "$(awk -v a="${BEFORE[$row]}" -v b="$(pss "${ROOT_OF[$row]}")" -v n="${MANY_OF[$row]}" 'BEGIN { printf "%.3f", (b - a) / n }')"
	done
	for row in $extra; do mapfile -t -O ${#PIDS[@]} PIDS < <(tree "${ROOT_OF[$row]}"); done
	[ -z "${SINKS-}" ] || mapfile -t -O ${#PIDS[@]} PIDS < <(tree "$SINKS")
	the_end
}

show_idle() {
	local l d
	l=$(median gn-cat idle_l) d=$(median dialer idle_l)
	[ -n "$l$d" ] || return 0
	echo
	echo "An idle connection of ours ($FEW to $((FEW + CONNS)), identified and pinged, $IDLE s idle, Pss_Anon):"
	echo "  at the listener          $(number "$l" %.2f) KiB               (12)    $(verdict "$l" '<=' 12)"
	echo "  at the dialer            $(number "$d" %.2f) KiB               (12)    $(verdict "$d" '<=' 12)"
}
