#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Runs tests/lab/cat_ends.c, which checks how streams end when something is killed, stopped, stalled, cut or closed.

bats_require_minimum_version 1.5.0
load helper

@test "hundreds of seeded schedules of two ends give consistent results" {
	: "${B:=${GN_BIN%/bin}}"
	[ -x "$B/tests/lab/cat_ends" ] || {
		echo "make aids has not been run: no $B/tests/lab/cat_ends"
		return 1
	}
	# Under valgrind there are few schedules, and few at once, so that no handshake takes longer than its limit of 10 s.
	run "$B/tests/lab/cat_ends" "$GN_BIN/gn-cat" 1 $((400 / GN_SLOW)) $((24 / GN_SLOW + 1))
	[ "$status" -eq 0 ] || tail -n 20 <<<"$output" # the seeds
	assert_success
	assert_output --regexp "^[1-9][0-9]* passed, 0 failed\$"
}
