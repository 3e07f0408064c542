/* SPDX-License-Identifier: MIT */
/* multistream-select in both roles.  The first byte chooses the role, and the size of the pieces in which
 * the rest is received.  The selected protocol must be one of ours, and its id must occur in the bytes of
 * the peer. */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>
#include <string.h>

#include "stack/select.h"
#include "support/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const ids[] = {"/a", "/noise", "/yamux/1.0.0"};

static int find(void *arg, const char *id, size_t len)
{
	(void)arg;
	REQUIRE(strlen(id) == len && len <= GN_SELECT_ID_MAX);
	for (int i = 0; i < 3; i++)
		if (strcmp(ids[i], id) == 0)
			return i;
	return GN_ENOPROTO;
}

static const char *show(void *arg, size_t i)
{
	(void)arg;
	return i < 3 ? ids[i] : NULL;
}

static void on_step(struct side *s, struct gn_layer *l, int what)
{
	if (what == GN_DONE)
		s->chosen = gn_select_chosen(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct gn_iobuf iobuf;
	struct side s;
	struct wire in = {0}, out = {0};
	struct gn_select_cfg cfg = {.ids = ids, .n = 3, .find = find, .show = show};
	size_t step;

	if (n < 1)
		return 0;
	cfg.initiator = data[0] & 1;
	step = (data[0] >> 2) > 0 ? data[0] >> 2 : SIZE_MAX;
	gn_iobuf_init(&iobuf);
	side_init(&s, &iobuf);
	s.on_step = on_step;
	wire_put(&in, data + 1, n - 1);
	in.end = GN_EOF;
	REQUIRE(gn_stack_push(&s.stack, &gn_select_ops, &cfg, true, NULL) == 0);
	while (s.n_steps == 0 && wire_give(&in, &s.rx, step, data[0] & 2)) {
		gn_stack_mark_bottom(&s.stack);
		(void)side_pump(&s, 1);
		(void)wire_take(&out, &s.tx, 7);
	}
	REQUIRE(s.n_steps == 1); /* the negotiation has ended at the end of the input */
	if (s.steps[0] == GN_DONE) {
		REQUIRE(s.chosen >= 0 && s.chosen < 3);
		REQUIRE(memmem(data + 1, n - 1, ids[s.chosen], strlen(ids[s.chosen])) != NULL);
	}
	side_fini(&s);
	gn_iobuf_fini(&iobuf);
	wire_fini(&in);
	wire_fini(&out);
	return 0;
}
