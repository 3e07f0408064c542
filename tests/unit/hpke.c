/* SPDX-License-Identifier: MIT */
#include "crypto/hpke.h"

#include <sodium.h>

#include "support/support.h"

/* The contexts of the last "setup" line. */
static struct gn_hpke sender, receiver;
static unsigned setups, seals, exports;

static struct gn_hpke_pair pair(const char *ikm_hex)
{
	struct gn_hpke_pair out;
	size_t n;
	uint8_t *ikm = unhex(ikm_hex, &n);

	gn_hpke_pair_derive(ikm, n, &out);
	free(ikm);
	return out;
}

static void setup(char **field)
{
	const struct gn_hpke_pair e = pair(field[3]), r = pair(field[4]), s = pair(field[5]);
	const bool auth = strcmp(field[1], "2") == 0;
	size_t n;
	uint8_t *info = unhex(field[2], &n), enc[GN_HPKE_ENC_LEN];
	const struct gn_hpke_cfg to = {auth ? &s : NULL, r.pk, info, n, &e},
				 from = {&r, auth ? s.pk : NULL, info, n, NULL};

	assert_hex(r.sk, sizeof(r.sk), field[6]);
	assert_int_equal(gn_hpke_init_sender(&sender, &to, enc), 0);
	assert_hex(enc, sizeof(enc), field[7]);
	assert_int_equal(gn_hpke_init_receiver(&receiver, &from, enc), 0);
	assert_memory_equal(&sender, &receiver, sizeof(sender));
	assert_hex(sender.key, sizeof(sender.key), field[9]);
	assert_hex(sender.nonce, sizeof(sender.nonce), field[10]);
	assert_hex(sender.exporter, sizeof(sender.exporter), field[11]);
	free(info);
	setups++;
}

static void seal(char **field)
{
	size_t n, n_ad, n_ct;
	uint8_t *p = unhex(field[2], &n), *ad = unhex(field[3], &n_ad), *ct = unhex(field[4], &n_ct);
	struct gn_hpke_text text = {ad, n_ad, p, n};
	uint8_t *out = malloc(n + GN_HPKE_TAG_LEN), *back = malloc(n);

	/* The vectors omit some sequence numbers. */
	sender.seq = receiver.seq = strtoull(field[1], NULL, 10);
	assert_int_equal(gn_hpke_seal(&sender, &text, out), 0);
	assert_hex(out, n + GN_HPKE_TAG_LEN, field[4]);
	text = (struct gn_hpke_text){ad, n_ad, ct, n_ct};
	for (size_t i = 0; i < n_ct; i++) {
		ct[i] ^= 1;
		assert_int_equal(gn_hpke_unseal(&receiver, &text, back), GN_EAUTH);
		ct[i] ^= 1;
	}
	text.n_ad--;
	assert_int_equal(gn_hpke_unseal(&receiver, &text, back), GN_EAUTH);
	text.n_ad++;
	assert_int_equal(gn_hpke_unseal(&receiver, &text, back), 0);
	assert_memory_equal(back, p, n);
	assert_int_equal(sender.seq, receiver.seq);
	free(p);
	free(ad);
	free(ct);
	free(out);
	free(back);
	seals++;
}

static void export(char **field)
{
	size_t n_ctx, n = strtoull(field[2], NULL, 10);
	uint8_t *ctx = unhex(field[1], &n_ctx), *out = malloc(n);

	assert_int_equal(gn_hpke_export(&receiver, ctx, n_ctx, out, n), 0);
	assert_hex(out, n, field[3]);
	free(ctx);
	free(out);
	exports++;
}

static void on_vector(char **field)
{
	if (strcmp(field[0], "setup") == 0)
		setup(field);
	else if (strcmp(field[0], "seal") == 0)
		seal(field);
	else
		export(field);
}

static void rfc_9180_vectors_hold(void **state)
{
	(void)state;
	vectors_each("hpke.tsv", on_vector);
	assert_int_equal(setups, 2);
	assert_int_equal(seals, 12);
	assert_int_equal(exports, 6);
}

/* With fresh ephemeral keys a text is opened, unless the receiver, sender, mode or info is wrong. */
static void single_shot_equals_a_context(void **state)
{
	const struct gn_hpke_pair r = pair("01"), s = pair("02"), other = pair("03");
	const struct gn_hpke_text text = {"ad", 2, (const uint8_t *)"hello", 5};
	const struct {
		struct gn_hpke_cfg to, from;
		int err;
	} tries[] = {
		{{NULL, r.pk, "info", 4, NULL}, {&r, NULL, "info", 4, NULL}, 0},
		{{NULL, r.pk, NULL, 0, NULL}, {&r, NULL, "", 0, NULL}, 0},
		{{&s, r.pk, "info", 4, NULL}, {&r, s.pk, "info", 4, NULL}, 0},
		{{NULL, r.pk, "info", 4, NULL}, {&other, NULL, "info", 4, NULL}, GN_EAUTH},
		{{NULL, r.pk, "info", 4, NULL}, {&r, NULL, "inf", 3, NULL}, GN_EAUTH},
		{{&s, r.pk, "info", 4, NULL}, {&r, other.pk, "info", 4, NULL}, GN_EAUTH},
		{{&s, r.pk, "info", 4, NULL}, {&r, NULL, "info", 4, NULL}, GN_EAUTH},
		{{NULL, r.pk, "info", 4, NULL}, {&r, s.pk, "info", 4, NULL}, GN_EAUTH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		uint8_t enc[2][GN_HPKE_ENC_LEN], out[5 + GN_HPKE_TAG_LEN], back[5];
		struct gn_hpke_text sealed = {"ad", 2, out, sizeof(out)};

		assert_int_equal(gn_hpke_seal_once(&tries[i].to, &text, enc[1], out), 0);
		assert_int_equal(gn_hpke_seal_once(&tries[i].to, &text, enc[0], out), 0);
		assert_memory_not_equal(enc[0], enc[1], sizeof(enc[0]));
		assert_int_equal(gn_hpke_unseal_once(&tries[i].from, enc[0], &sealed, back), tries[i].err);
		if (tries[i].err == 0)
			assert_memory_equal(back, "hello", 5);
		assert_int_equal(gn_hpke_unseal_once(&tries[i].from, enc[1], &sealed, back), GN_EAUTH);
		for (sealed.n = 0; sealed.n < sizeof(out); sealed.n++)
			assert_int_equal(gn_hpke_unseal_once(&tries[i].from, enc[0], &sealed, back), GN_EAUTH);
	}
}

/* A public key of low order makes every shared secret zero.  It is rejected as the receiver's, the ephemeral
 * and the sender's key. */
static void low_order_points_are_rejected(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	const struct gn_hpke_pair r = pair("01"), s = pair("02");
	uint8_t enc[GN_HPKE_ENC_LEN];
	struct gn_hpke h;

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		size_t n;
		uint8_t *low = unhex(points[i], &n);
		const struct gn_hpke_cfg to = {NULL, low, NULL, 0, NULL}, auth_to = {&s, low, NULL, 0, NULL},
					 from = {&r, NULL, NULL, 0, NULL}, auth_from = {&r, low, NULL, 0, NULL};

		assert_int_equal(gn_hpke_init_sender(&h, &to, enc), GN_EAUTH);
		assert_int_equal(gn_hpke_init_sender(&h, &auth_to, enc), GN_EAUTH);
		assert_int_equal(gn_hpke_init_receiver(&h, &from, low), GN_EAUTH);
		assert_int_equal(gn_hpke_init_receiver(&h, &auth_from, s.pk), GN_EAUTH);
		free(low);
	}
}

static void lengths_are_bounded(void **state)
{
	const struct gn_hpke_pair r = pair("01");
	const struct gn_hpke_cfg to = {NULL, r.pk, NULL, 0, NULL};
	const struct gn_hpke_text text = {NULL, 0, (const uint8_t *)"", 0};
	uint8_t enc[GN_HPKE_ENC_LEN], out[255 * 32 + 1];
	struct gn_hpke h;

	(void)state;
	assert_int_equal(gn_hpke_init_sender(&h, &to, enc), 0);
	assert_int_equal(gn_hpke_export(&h, NULL, 0, out, 255 * 32), 0);
	assert_int_equal(gn_hpke_export(&h, NULL, 0, out, 255 * 32 + 1), GN_ETOOBIG);
	h.seq = UINT64_MAX - 1;
	assert_int_equal(gn_hpke_seal(&h, &text, out), 0);
	assert_int_equal(gn_hpke_seal(&h, &text, out), GN_ELIMIT);
	assert_int_equal(gn_hpke_unseal(&h, &text, out), GN_ELIMIT);
	gn_hpke_fini(&h);
	assert_true(sodium_is_zero((const uint8_t *)&h, sizeof(h)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_9180_vectors_hold),
		cmocka_unit_test(single_shot_equals_a_context),
		cmocka_unit_test(low_order_points_are_rejected),
		cmocka_unit_test(lengths_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
