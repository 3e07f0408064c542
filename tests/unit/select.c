/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/select.h"
#include "support/support.h"

#define HEADER "\x13/multistream/1.0.0\n"
#define NA "\x03na\n"
#define LS "\x03ls\n"
#define S(text) (text), (sizeof(text) - 1) /* a literal with its length */

/* ---- the protocols of the responder ---- */

static const char *const served[] = {"/one/1.0.0", "/two/1.0.0", "/three/1.0.0", NULL};
static unsigned asked;

static int find(void *arg, const char *id, size_t len)
{
	(void)arg;
	asked++;
	assert_int_equal(strlen(id), len);
	for (int i = 0; served[i] != NULL; i++)
		if (strcmp(served[i], id) == 0)
			return i;
	return GN_ENOPROTO;
}

static const char *show(void *arg, size_t i)
{
	(void)arg;
	return i < 3 ? served[i] : NULL;
}

static const struct gn_select_cfg responder = {.find = find, .show = show};

static void on_step(struct side *s, struct gn_layer *l, int what)
{
	if (what == GN_DONE)
		s->chosen = gn_select_chosen(l);
	else
		assert_int_equal(gn_select_chosen(l) >= 0 ? 0 : GN_ENOPROTO, GN_ENOPROTO);
}

static void push(struct side *s, const struct gn_select_cfg *cfg)
{
	s->on_step = on_step;
	assert_int_equal(gn_stack_push(&s->stack, &gn_select_ops, cfg, true, NULL), 0);
}

static struct gn_select_cfg proposing(const char *const *ids, size_t n)
{
	return (struct gn_select_cfg){.initiator = true, .ids = ids, .n = n};
}

/* ---- fixture: one side, whose peer is the test ---- */

struct fixture {
	struct gn_iobuf iobuf;
	struct side s;
	struct wire out;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	gn_iobuf_init(&f->iobuf);
	side_init(&f->s, &f->iobuf);
	asked = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	side_fini(&f->s);
	wire_fini(&f->out);
	gn_iobuf_fini(&f->iobuf);
	free(f);
	return 0;
}

static void renew(struct fixture *f)
{
	side_fini(&f->s);
	side_init(&f->s, &f->iobuf);
	wire_skip(&f->out, f->out.len);
	f->out.end = 0;
}

/* Checks that the side has sent exactly these bytes. */
static void sent(struct fixture *f, const char *want, size_t n)
{
	(void)side_pump(&f->s, 1);
	(void)wire_take(&f->out, &f->s.tx, SIZE_MAX);
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(f->out.len, n);
	if (n > 0)
		assert_memory_equal(f->out.p + f->out.at, want, n);
	wire_skip(&f->out, n);
}

static void receive(struct fixture *f, const char *what, size_t n)
{
	side_feed(&f->s, what, n, 1);
}

static void fails(struct fixture *f, int err)
{
	assert_int_equal(side_pump(&f->s, 1), err);
	assert_int_equal(f->s.n_steps, 1);
	assert_int_equal(f->s.steps[0], err);
}

static void is_chosen(struct fixture *f, int chosen)
{
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(f->s.n_steps, 1);
	assert_int_equal(f->s.steps[0], GN_DONE);
	assert_int_equal(f->s.chosen, chosen);
	assert_int_equal(f->s.stack.n, 0);
}

/* ---- the responder ---- */

static void a_responder_accepts_a_protocol_it_has(void **state)
{
	struct fixture *f = *state;

	push(&f->s, &responder);
	sent(f, S(""));
	receive(f, S(HEADER));
	sent(f, S(HEADER));
	receive(f, S("\x0b/two/1.0.0\n"));
	is_chosen(f, 1);
	sent(f, S("\x0b/two/1.0.0\n"));
}

static void a_responder_refuses_and_goes_on(void **state)
{
	struct fixture *f = *state;

	push(&f->s, &responder);
	receive(f, S(HEADER "\x0b/tls/1.0.0\n"));
	sent(f, S(HEADER NA));
	receive(f, S("\x1d/libp2p/simultaneous-connect\n"));
	sent(f, S(NA));
	receive(f, S("\x01\n")); /* an empty id */
	sent(f, S(NA));
	receive(f, S("\x0a/two/1.0.\n"));
	sent(f, S(NA));
	receive(f, S("\x0c/two/1.0.0 \n"));
	sent(f, S(NA));
	receive(f, S("\x0d/three/1.0.0\n"));
	is_chosen(f, 2);
	sent(f, S("\x0d/three/1.0.0\n"));
}

static void bytes_behind_the_choice_stay_in_the_pipe(void **state)
{
	struct fixture *f = *state;
	uint8_t got[4];

	push(&f->s, &responder);
	receive(f, S(HEADER "\x0b/one/1.0.0\nlazy"));
	is_chosen(f, 0);
	assert_int_equal(gn_pipe_len(&f->s.rx), 4);
	gn_pipe_copy(&f->s.rx, got, 4);
	assert_memory_equal(got, "lazy", 4);
	sent(f, S(HEADER "\x0b/one/1.0.0\n"));
}

static void a_half_closed_lazy_initiator_is_answered(void **state)
{
	struct fixture *f = *state;

	push(&f->s, &responder);
	assert_int_equal(gn_pipe_put(&f->s.rx, S(HEADER "\x0b/one/1.0.0\nlast words")), 0);
	gn_pipe_close(&f->s.rx, GN_EOF);
	gn_stack_mark_bottom(&f->s.stack);
	is_chosen(f, 0);
	sent(f, S(HEADER "\x0b/one/1.0.0\n"));
	assert_int_equal(gn_pipe_len(&f->s.rx), 10);
}

static void ls_is_answered_with_a_list(void **state)
{
	struct fixture *f = *state;

	push(&f->s, &responder);
	receive(f, S(HEADER LS));
	sent(f, S(HEADER "\x27\x0b/one/1.0.0\n\x0b/two/1.0.0\n\x0d/three/1.0.0\n\n"));
	receive(f, S("\x0b/one/1.0.0\n"));
	is_chosen(f, 0);
}

static void ls_with_nothing_to_show(void **state)
{
	struct fixture *f = *state;
	struct gn_select_cfg cfg = {.find = find};

	push(&f->s, &cfg);
	receive(f, S(HEADER LS));
	sent(f, S(HEADER "\x01\n"));
}

static void a_responder_waits_for_the_header(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		size_t n;
		int err;
	} bad[] = {
		{S("\x0b/one/1.0.0\n"), GN_EPROTO},
		{S("\x13/multistream/2.0.0\n"), GN_EPROTO},
		{S("\x12/multistream/1.0.\n"), GN_EPROTO},
		{S("\x14/multistream/1.0.0\n\n"), GN_EPROTO},
		{S(NA), GN_EPROTO},
		{S("GET / HTTP/1.1\r\n\r\n" HEADER HEADER HEADER), GN_EFORMAT},                /* 'G': 71 bytes */
		{S("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" HEADER HEADER), GN_EFORMAT}, /* a TLS hello */
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		push(&f->s, &responder);
		receive(f, bad[i].text, bad[i].n);
		fails(f, bad[i].err);
		sent(f, S(""));
		renew(f);
	}
}

static void bad_messages_fail_with_their_error(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		size_t n;
		int err;
	} bad[] = {
		{S("\x0a/one/1.0.0\n"), GN_EFORMAT},     /* the message does not end with a newline */
		{S("\x0c/one/1.0.0\n\x0b"), GN_EFORMAT}, /* the same, with a length that is too great */
		{S("\x00"), GN_EFORMAT},                 /* an empty message, without a newline */
		{S("\x8b\x00/one/1.0.0\n"), GN_EFORMAT}, /* a length that is not minimal */
		{S("\x81\x08"), GN_ETOOBIG},             /* 1025 bytes */
		{S("\xff\x7f"), GN_ETOOBIG},             /* 16383, which rust-libp2p accepts */
		{S("\x80\x80\x01"), GN_ETOOBIG},         /* a length of three bytes */
		{S("\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), GN_ETOOBIG},
		{S("\x0b/one\0"
		   "1.0.0\n"),
		 GN_EFORMAT},                          /* a NUL */
		{S("\x0c/one/1.0.0\0\n"), GN_EFORMAT}, /* a NUL at the end */
		{S("\x02\0\n"), GN_EFORMAT},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		push(&f->s, &responder);
		receive(f, S(HEADER));
		receive(f, bad[i].text, bad[i].n);
		fails(f, bad[i].err);
		sent(f, S(HEADER));
		renew(f);
	}
}

/* A message is at most 1024 bytes, in either direction. */
static void a_message_has_at_most_1024_bytes(void **state)
{
	struct fixture *f = *state;
	char text[2 + 1024 + 1] = "\x80\x08";

	memset(text + 2, 'x', 1023);
	text[2 + 1023] = '\n';
	push(&f->s, &responder);
	receive(f, S(HEADER));
	sent(f, S(HEADER));
	receive(f, text, 2 + 1024);
	sent(f, S(NA));
	assert_int_equal(asked, 1);
}

static void a_proposal_has_at_most_1023_bytes(void **state)
{
	struct fixture *f = *state;
	char id[GN_SELECT_ID_MAX + 2], text[2 + GN_SELECT_ID_MAX + 1] = "\x80\x08";
	const char *ids[] = {"/short", id};
	struct gn_select_cfg cfg = proposing(ids, 2);

	memset(id, 'x', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	assert_int_equal(gn_stack_push(&f->s.stack, &gn_select_ops, &cfg, true, NULL), -EINVAL);
	sent(f, S(""));
	id[GN_SELECT_ID_MAX] = '\0';
	push(&f->s, &cfg);
	sent(f, S(HEADER "\x07/short\n"));
	receive(f, S(HEADER NA));
	memcpy(text + 2, id, GN_SELECT_ID_MAX);
	text[sizeof text - 1] = '\n';
	sent(f, text, sizeof text);
	receive(f, text, sizeof text);
	is_chosen(f, 1);
}

static void a_responder_answers_64_proposals(void **state)
{
	struct fixture *f = *state;

	push(&f->s, &responder);
	receive(f, S(HEADER));
	sent(f, S(HEADER));
	for (int i = 0; i < GN_SELECT_PROPOSALS_MAX; i++) {
		receive(f, i % 2 == 0 ? "\x03no\n" : LS, 4);
		(void)wire_take(&f->out, &f->s.tx, SIZE_MAX);
		wire_skip(&f->out, f->out.len);
	}
	assert_int_equal(f->s.n_steps, 0);
	receive(f, S("\x0b/one/1.0.0\n"));
	fails(f, GN_ELIMIT);
}

/* While the pipe below has no room for the answer, no message is consumed, and no answer is sent twice. */
static void a_full_pipe_below_is_waited_for(void **state)
{
	struct fixture *f = *state;

	push(&f->s, &responder);
	f->s.tx.cap = 10;
	receive(f, S(HEADER));
	sent(f, S(""));
	assert_int_equal(gn_pipe_len(&f->s.rx), 20);
	f->s.tx.cap = 25;
	receive(f, S("\x03no\n" LS "\x0b/one/1.0.0\n"));
	sent(f, S(HEADER NA));
	f->s.tx.cap = 30;
	sent(f, S(""));
	assert_int_equal(gn_pipe_len(&f->s.rx), 16);
	f->s.tx.cap = 100;
	gn_stack_mark_bottom(&f->s.stack);
	is_chosen(f, 0);
	sent(f, S("\x27\x0b/one/1.0.0\n\x0b/two/1.0.0\n\x0d/three/1.0.0\n\n\x0b/one/1.0.0\n"));
}

/* ---- the initiator ---- */

static const char *const wishes[] = {"/zero/1.0.0", "/two/1.0.0", "/one/1.0.0"};

static void an_initiator_sends_its_first_proposal_at_once(void **state)
{
	struct fixture *f = *state;
	struct gn_select_cfg cfg = proposing(wishes + 1, 1);

	push(&f->s, &cfg);
	sent(f, S(HEADER "\x0b/two/1.0.0\n"));
	receive(f, S(HEADER));
	sent(f, S(""));
	receive(f, S("\x0b/two/1.0.0\nreply"));
	is_chosen(f, 0);
	sent(f, S(""));
	assert_int_equal(gn_pipe_len(&f->s.rx), 5);
}

static void an_initiator_falls_back_in_order(void **state)
{
	struct fixture *f = *state;
	struct gn_select_cfg cfg = proposing(wishes, 3);

	push(&f->s, &cfg);
	sent(f, S(HEADER "\x0c/zero/1.0.0\n"));
	receive(f, S(HEADER NA));
	sent(f, S("\x0b/two/1.0.0\n"));
	receive(f, S(NA));
	sent(f, S("\x0b/one/1.0.0\n"));
	receive(f, S("\x0b/one/1.0.0\n"));
	is_chosen(f, 2);
}

static void an_initiator_fails_when_all_proposals_are_refused(void **state)
{
	struct fixture *f = *state;
	struct gn_select_cfg cfg = proposing(wishes, 2);

	push(&f->s, &cfg);
	sent(f, S(HEADER "\x0c/zero/1.0.0\n"));
	receive(f, S(HEADER NA));
	sent(f, S("\x0b/two/1.0.0\n"));
	receive(f, S(NA));
	fails(f, GN_ENOPROTO);
	sent(f, S(""));
}

static void wrong_answers_fail_the_initiator(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		size_t n;
		int err;
	} bad[] = {
		{S("\x0c/zero/1.0.0\n"), GN_EPROTO},       /* no header */
		{S(HEADER "\x0b/two/1.0.0\n"), GN_EPROTO}, /* an id that was not proposed */
		{S(HEADER HEADER), GN_EPROTO},
		{S(HEADER LS), GN_EPROTO},
		{S(HEADER "\x0d/zero/1.0.0 \n"), GN_EPROTO},
		{S(HEADER "\x0d/zero/1.0.0\0\n"), GN_EPROTO},
		{S(HEADER "\x04na\n\n"), GN_EPROTO},
		{S(HEADER "\x01\n"), GN_EPROTO},
		{S(HEADER "\x81\x08"), GN_ETOOBIG},
	};
	struct gn_select_cfg cfg = proposing(wishes, 3);

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		push(&f->s, &cfg);
		receive(f, bad[i].text, bad[i].n);
		fails(f, bad[i].err);
		renew(f);
	}
}

static void an_initiator_needs_a_proposal(void **state)
{
	struct fixture *f = *state;
	struct gn_select_cfg cfg = proposing(wishes, 0);

	assert_int_equal(gn_stack_push(&f->s.stack, &gn_select_ops, &cfg, true, NULL), -EINVAL);
}

/* ---- ends ---- */

/* The peer closes the connection at each offset of its messages. */
static void an_end_at_each_offset_is_an_error(void **state)
{
	struct fixture *f = *state;
	static const char to_responder[] = HEADER "\x03no\n\x0b/two/1.0.0\n";
	static const char to_initiator[] = HEADER NA "\x0b/two/1.0.0\n";
	struct gn_select_cfg cfg = proposing(wishes, 3);
	const int ends[] = {GN_EOF, -ECONNRESET};

	for (int e = 0; e < 2; e++) {
		for (int role = 0; role < 2; role++) {
			const char *text = role == 0 ? to_responder : to_initiator;
			size_t n = (role == 0 ? sizeof to_responder : sizeof to_initiator) - 1;

			for (size_t cut = 0; cut < n; cut++) {
				push(&f->s, role == 0 ? &responder : &cfg);
				receive(f, text, cut);
				gn_pipe_close(&f->s.rx, ends[e]);
				gn_stack_mark_bottom(&f->s.stack);
				fails(f, ends[e] == GN_EOF ? GN_ETRUNC : ends[e]);
				renew(f);
			}
		}
	}
}

static void messages_may_come_one_byte_at_a_time(void **state)
{
	struct fixture *f = *state;
	static const char text[] = HEADER "\x03no\n" LS "\x0b/two/1.0.0\n";

	push(&f->s, &responder);
	for (size_t i = 0; i < sizeof text - 1; i++) {
		assert_int_equal(f->s.n_steps, 0);
		receive(f, text + i, 1);
	}
	is_chosen(f, 1);
	sent(f, S(HEADER NA "\x27\x0b/one/1.0.0\n\x0b/two/1.0.0\n\x0d/three/1.0.0\n\n\x0b/two/1.0.0\n"));
}

/* ---- two sides ---- */

static void agree(struct rng *r, const char *const *ids, size_t n, int want, int theirs)
{
	struct pair p;
	struct gn_select_cfg cfg = proposing(ids, n);
	static const char tail[] = "behind it";

	pair_init(&p, rng_one_in(r, 2));
	p.side[0].tx.sends = rng_one_in(r, 2);
	p.side[1].tx.sends = rng_one_in(r, 2);
	push(&p.side[0], &cfg);
	push(&p.side[1], &responder);
	if (n == 1) /* a single id is negotiated lazily: data may follow it at once */
		assert_int_equal(gn_pipe_put(&p.side[0].tx, tail, 9), 0);
	pair_run_random(&p, r, 30, 10000);
	if (want >= 0) {
		assert_int_equal(p.side[0].chosen, want);
		assert_int_equal(p.side[1].chosen, theirs);
		assert_int_equal(gn_pipe_len(&p.side[0].rx), 0);
		assert_int_equal(gn_pipe_len(&p.side[1].rx), n == 1 ? 9 : 0);
	} else {
		assert_int_equal(p.side[0].steps[0], GN_ENOPROTO);
		assert_int_equal(p.side[1].chosen, -1);
	}
	pair_fini(&p);
}

static void two_selects_agree(void **state)
{
	static const char *const none[] = {"/a", "/b", "na", "/one/1.0.0/", "/one"};
	uint64_t first = 1, n = 60;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct rng r;

		rng_seed(&r, seed);
		print_message("GN_SEED=%llu\n", (unsigned long long)seed);
		agree(&r, wishes, 3, 1, 1);
		agree(&r, wishes + 2, 1, 0, 0);
		agree(&r, wishes, 2, 1, 1);
		agree(&r, wishes, 1, -1, -1);
		agree(&r, none, 2, -1, -1);
		agree(&r, none + 3, 2, -1, -1);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_responder_accepts_a_protocol_it_has),
		T(a_responder_refuses_and_goes_on),
		T(bytes_behind_the_choice_stay_in_the_pipe),
		T(a_half_closed_lazy_initiator_is_answered),
		T(ls_is_answered_with_a_list),
		T(ls_with_nothing_to_show),
		T(a_responder_waits_for_the_header),
		T(bad_messages_fail_with_their_error),
		T(a_message_has_at_most_1024_bytes),
		T(a_proposal_has_at_most_1023_bytes),
		T(a_responder_answers_64_proposals),
		T(a_full_pipe_below_is_waited_for),
		T(an_initiator_sends_its_first_proposal_at_once),
		T(an_initiator_falls_back_in_order),
		T(an_initiator_fails_when_all_proposals_are_refused),
		T(wrong_answers_fail_the_initiator),
		T(an_initiator_needs_a_proposal),
		T(an_end_at_each_offset_is_an_error),
		T(messages_may_come_one_byte_at_a_time),
		cmocka_unit_test(two_selects_agree),
	};

	return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
