# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
#
# The gate checks that this tree does not cost more than the commit BASE.  It builds BASE in release mode with the same
# compiler and flags and measures both in turn on this machine, so that no figures of other machines or days are needed.
#
# A pair is one measurement of each tree, one right after the other, in alternating order.  The mark applies to
# the median of the ratios (or differences) of the pairs, which does not depend on slow changes of the machine's
# speed.  While the mark is inside the median's 95 % confidence interval, more pairs are measured, up to a maximum.

: "${BASE:=$(cat "$BENCH/BASE")}"
: "${MAX_RUNS:=60}" "${MAX_FIRST:=240}" "${IDLE_RUNS:=3}"
GATE_PASSED=0 GATE_FAILED=0 GATE_WHY=''

# build_base: builds the commit BASE and sets BASE_B to its build tree; fails with a line that explains why
build_base() {
	local dir tree=${TESTS%/*} flag flags=()
	[ "${B##*/}" = release ] || { note "bench: the gate is for MODE=release"; return 1; }
	BASE_ID=$(git -C "$tree" rev-parse --verify -q "$BASE^{commit}") ||
		{ note "bench: there is no commit $BASE here (BASE=COMMIT; a shallow clone lacks old ones)"; return 1; }
	dir=${B%/*}/base-${BASE_ID:0:12}
	BASE_B=$dir/build/release
	note "bench: building $BASE_ID in $dir"
	if [ ! -e "$dir/complete" ]; then
		rm -rf "$dir" && mkdir -p "$dir" && git -C "$tree" archive "$BASE_ID" | tar -x -C "$dir" && : >"$dir/complete" ||
			{ note "bench: $dir cannot be written"; return 1; }
	fi
	for flag in CC CFLAGS LDFLAGS; do [ -z "${!flag-}" ] || flags+=("$flag=${!flag}"); done
	# make's variables in the environment are those of this tree.
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u MAKEOVERRIDES -u B -u BUILD make -C "$dir" MODE=release JOBS="${JOBS:-2}" "${flags[@]}" \
		all aids >"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2 && note "bench: $BASE_ID does not build"; return 1; }
}

# The rows.  Each row uses programs of one tree for both ends.
can_this() { has "$BIN/gn-cat"; }
can_base() { has "$BASE_B/bin/gn-cat"; }
listen_this() { listen_gn-cat; }
listen_base() { BIN=$BASE_B/bin listen_gn-cat; }
dial_this() { dial_gn-cat; }
dial_base() { BIN=$BASE_B/bin dial_gn-cat; }

idle_this-listener() {
	background "$AID/idle" serve 1
	within 10 has_line "$D/idle.out" && cp "$D/idle.out" "$D/$TREE.addrs" && ours_dials "$TREE-listener" "$D/$TREE.addrs" each
}
idle_this-dialer() {
	background "$AID/idle" serve $((FEW + CONNS))
	within 30 has_lines "$D/idle.out" $((FEW + CONNS)) || return 1
	cp "$D/idle.out" "$D/$TREE-dialer.addrs"
	ours_dials "$TREE-dialer" "$D/$TREE-dialer.addrs" one
	ROOT=$DIALER
}
TREE=this
idle_base-listener() { TREE=base AID=$BASE_B/tests/bench idle_this-listener; }
idle_base-dialer() { TREE=base AID=$BASE_B/tests/bench idle_this-dialer; }
more_this-listener() { ours_more this-listener "$1"; }
more_this-dialer() { ours_more this-dialer "$1"; }
more_base-listener() { ours_more base-listener "$1"; }
more_base-dialer() { ours_more base-dialer "$1"; }

# pairs METRIC: prints a line "THIS BASE" for every pair.  A pair with a failed measurement is left out.
pairs() {
	awk -v m="$1" '$2 == m && $1 == "this" { a[++na] = $3 } $2 == m && $1 == "base" { b[++nb] = $3 }
		END { for (i = 1; i <= na && i <= nb; i++) print a[i], b[i] }' "$RESULTS"
}

# judge METRIC ratio|difference >=|<= MARK: prints "N THIS BASE MEDIAN LOW HIGH met|missed|unsure" for the pairs so far
judge() {
	pairs "$1" | awk -v how="$2" '{ print (how == "ratio" ? $1 / $2 : $1 - $2), $1, $2 }' | sort -g | awk -v op="$3" -v mark="$4" '
	function sort_of(v, n,    i, j, x) { for (i = 2; i <= n; i++) { x = v[i]; for (j = i - 1; j > 0 && v[j] > x; j--) v[j + 1] = v[j]; v[j + 1] = x } }
	function middle(v, n) { return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }
	function good(x) { return op == ">=" ? x >= mark : x <= mark }
	{ v[NR] = $1 + 0; a[NR] = $2 + 0; b[NR] = $3 + 0 }
	END {
		if (NR == 0) { print "0 - - - - - missed"; exit }
		sort_of(a, NR); sort_of(b, NR)
		low = int((NR - 1.96 * sqrt(NR)) / 2)   # the ranks that enclose the true median in 95 of 100 cases
		if (low < 1) low = 1
		l = v[low]; h = v[NR + 1 - low]
		how = good(l) && good(h) ? "met" : !good(l) && !good(h) ? "missed" : "unsure"
		printf "%d %g %g %g %g %g %s\n", NR, middle(a, NR), middle(b, NR), middle(v, NR), l, h, how
	}'
}
unsure() {
	local how
	read -r _ _ _ _ _ _ how < <(judge "$@")
	[ "$how" = unsure ]
}

# turn I COMMAND...: runs the command for `this` and `base`, in reverse order when I is even
turn() {
	local i=$1 row
	shift
	for row in $([ $((i % 2)) -eq 1 ] && echo this base || echo base this); do "$1" "$row" "${@:2}" || return 1; done
}

# of I COUNT MOST: prints how many pairs are planned
of() { if [ "$1" -le "$2" ]; then echo "$2"; else echo "at most $3: the mark is within the noise"; fi; }

rate_unsure() { unsure rate ratio '>=' 0.97 || unsure cpu ratio '<=' 1.03; }
first_unsure() { unsure one_first difference '<=' 0.1; }
idle_unsure() { unsure idle_listener difference '<=' 256 || unsure idle_dialer difference '<=' 256; }

gate_rate() {
	local i
	for ((i = 1; i <= RUNS || i <= MAX_RUNS; i++)); do
		[ "$i" -le "$RUNS" ] || rate_unsure || break
		note "  rate, pair $i of $(of "$i" "$RUNS" "$MAX_RUNS")"
		turn "$i" measure "$INPUT" "$BYTES" || return 1
	done
}
gate_first() {
	local i
	for ((i = 1; i <= FIRST || i <= MAX_FIRST; i++)); do
		[ "$i" -le "$FIRST" ] || first_unsure || break
		[ $((i % 20)) -ne 1 ] || note "  first byte, pair $i of $(of "$i" "$FIRST" "$MAX_FIRST")"
		turn "$i" measure "$TINY" 1 one_ || return 1
	done
}
# Listeners and dialers of both trees run at the same time, because memory does not depend on the load.
gate_idle() {
	local i end row fd bytes
	for ((i = 1; i <= IDLE_RUNS * 2; i++)); do
		[ "$i" -le "$IDLE_RUNS" ] || idle_unsure || break
		note "  idle connections, pair $i of $(of "$i" "$IDLE_RUNS" $((IDLE_RUNS * 2)))"
		turn "$i" idle_row >"$D/idle.rows" || return 1
		# shellcheck disable=SC2046
		weigh $(cat "$D/idle.rows")
		for fd in "${FD_OF[@]}"; do exec {fd}>&-; done
		FD_OF=()
		for end in listener dialer; do
			for row in this base; do
				bytes=$(awk -v r="$row-$end" '$1 == r && $2 == "idle_l" { printf "%.0f", $3 * 1024 }' "$RESULTS")
				[ -n "$bytes" ] || { WHY="the $end's connections could not be made" && return 1; }
				put "$row" "idle_$end" "$bytes"
			done
		done
		awk '$2 != "idle_l"' "$RESULTS" >"$RESULTS.idle" && mv "$RESULTS.idle" "$RESULTS"
	done
}
idle_row() { echo "$1-listener $1-dialer"; }

# show_judged NAME SCALE-FORMAT METRIC ratio|difference OP MARK
show_judged() {
	local name=$1 format=$2 n this base median low high how
	read -r n this base median low high how < <(judge "$3" "$4" "$5" "$6")
	pad -24 "$name"
	if [ "$n" -eq 0 ]; then
		how=missed
		pad 10 – && pad 10 – && pad 10 – && pad 20 –
	else
		# shellcheck disable=SC2059
		pad 10 "$(printf "$format" "$this")" && pad 10 "$(printf "$format" "$base")"
		[ "$4" = difference ] && format=${format/\%/%+} || format=%.3f
		# shellcheck disable=SC2059
		pad 10 "$(printf "$format" "$median")" && pad 20 "$(printf "$format to $format" "$low" "$high")"
		# If the maximum of pairs was reached, the median decides.
		[ "$how" != unsure ] || how="$(awk -v a="$median" -v op="$5" -v b="$6" 'BEGIN { print (op == ">=" ? a >= b : a <= b) ? "met" : "missed" }'), within the noise"
	fi
	pad 6 "$n"
	pad 12 "$5 $6"
	case $how in
	met*) GATE_PASSED=$((GATE_PASSED + 1)) && echo "  $how" ;;
	*) GATE_FAILED=$((GATE_FAILED + 1)) && echo "  NOT MET${how#missed}" ;;
	esac
}

show_gate_base() {
	local tree=${TESTS%/*} changed=''
	[ -z "$(git -C "$tree" status --porcelain -uno 2>/dev/null)" ] || changed=' with changes'
	echo
	echo "$(git -C "$tree" log -1 --format=%h 2>/dev/null)$changed against ${BASE_ID:0:12}, $SIZE MiB a transfer, ${CC:-gcc}${CFLAGS:+ $CFLAGS}"
	pad -24 '' && pad 10 this && pad 10 base && pad 10 this:base && pad 20 "95 % interval" && pad 6 pairs && pad 12 mark && echo
	if has_part rate; then
		show_judged "rate, MB/s" %.0f rate ratio '>=' 0.97
		show_judged "CPU of both, s/GiB" %.3f cpu ratio '<=' 1.03
	fi
	! has_part first || show_judged "first byte, ms" %.2f one_first difference '<=' 0.1
	if has_part idle; then
		show_judged "idle, at listener, bytes" %.0f idle_listener difference '<=' 256
		show_judged "idle, at dialer, bytes" %.0f idle_dialer difference '<=' 256
	fi
}

# broken WHAT: a measurement failed, so the result of WHAT does not count
broken() {
	GATE_FAILED=$((GATE_FAILED + 1))
	GATE_WHY+="  $1: a measurement failed: ${WHY:-no result}"$'\n'
}

# gate: measures and prints everything; the last line is the count; fails if a mark is missed
gate() {
	local row
	for row in this base; do
		"can_$row" >"$D/why" 2>&1 || { cat "$D/why" >&2 && return 1; }
		if has_part rate; then check "$row" || { note "bench: $row: $WHY"; return 1; }; fi
	done
	! has_part rate || gate_rate || broken "the rate"
	! has_part first || gate_first || broken "the first byte"
	# shellcheck source=tests/bench/idle.sh
	! has_part idle || { . "$BENCH/idle.sh" && gate_idle; } || broken "idle connections"
	machine
	show_gate_base
	[ -z "$GATE_WHY" ] || printf '%s' "$GATE_WHY"
	echo
	echo "$GATE_PASSED passed, $GATE_FAILED failed"
	[ "$GATE_FAILED" -eq 0 ] && [ "$GATE_PASSED" -gt 0 ]
}
