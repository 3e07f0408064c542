/* SPDX-License-Identifier: MIT */
/* Key files of other programs: the examples of RFC 8410, files of openssl and ssh-keygen, and malformed or
 * unsupported files. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#include "base/bytes.h"
#include "id/bcrypt_pbkdf.h"
#include "id/key.h"
#include "id/key_forms.h"
#include "support/support.h"

/* RFC 8410, section 10.3: the same key, without and with its public half. */
#define RFC_V1                                                               \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n" \
	"-----END PRIVATE KEY-----\n"
#define RFC_V2                                                               \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n" \
	"oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n" \
	"Z9w7lshQhqowtrbLDFw4rXAxZuE=\n"                                     \
	"-----END PRIVATE KEY-----\n"
/* RFC 8410, section 10.1. */
#define RFC_PUBLIC                                                       \
	"-----BEGIN PUBLIC KEY-----\n"                                   \
	"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n" \
	"-----END PUBLIC KEY-----"

/* The same key, encrypted by "openssl pkcs8 -topk8" with scrypt and by "ssh-keygen -p" with 3 rounds.  The
 * passphrase is "open sesame". */
#define PEM_ENCRYPTED                                                        \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                            \
	"MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAjl1Vtsskm3swICBAAC\n" \
	"AQgCAQEwHQYJYIZIAWUDBAEqBBAm+M27pTKAbdbk2iJhGBGtBEDcY3qBwwy3Zqpw\n" \
	"TTnhia70bhOzSZrbH7tzCn1hS6XeQ1WEWhjPh0bJp+pEjDlY86BKMAzOs+FRQaoN\n" \
	"j4fw8ct3\n"                                                         \
	"-----END ENCRYPTED PRIVATE KEY-----\n"
#define SSH_ENCRYPTED                                                              \
	"-----BEGIN OPENSSH PRIVATE KEY-----\n"                                    \
	"b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBxtiSaPo\n" \
	"qbrcCzAcariMAWAAAAAwAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6\n" \
	"wWfcO5bIUIaqMLa2ywxcOK1wMWbhAAAAkM9IMyu4aqna2u7LpOt7mWJy9aXhEL1VmhogPh\n" \
	"yfNVQB+6oX96xgFbnM0JApnI3AUHSOPNWklTCzC+M8e6mZjGM8qt/WZGOpajsAeGuEX+hk\n" \
	"cHGnwhudjXBwB5ksx0eIkcLoCgbVuWFRF2PtuAP7q2FMYl+EBZz8HoH6w6SyCrqQLDIXSK\n" \
	"ax7AO5tmlqM5Jwaw==\n"                                                     \
	"-----END OPENSSH PRIVATE KEY-----\n"
#define SSH_PLAIN                                                                  \
	"-----BEGIN OPENSSH PRIVATE KEY-----\n"                                    \
	"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n" \
	"QyNTUxOQAAACAZv0QJaYTN/oVBusFn3DuWyFCGqjC2tssMXDitcDFm4QAAAIgEe+c3BHvn\n" \
	"NwAAAAtzc2gtZWQyNTUxOQAAACAZv0QJaYTN/oVBusFn3DuWyFCGqjC2tssMXDitcDFm4Q\n" \
	"AAAEDU7nLb+RNYStW22PH3afitOv58KMvx1Pvgl6iPRHVYQhm/RAlphM3+hUG6wWfcO5bI\n" \
	"UIaqMLa2ywxcOK1wMWbhAAAAAAECAwQF\n"                                       \
	"-----END OPENSSH PRIVATE KEY-----\n"

static int asked;

static int ask(void *arg, char buf[GN_PASSPHRASE_MAX])
{
	asked++;
	strcpy(buf, arg);
	return (int)strlen(arg);
}

static int decode(const char *text, char *pass, struct gn_key **out)
{
	return gn_key_forms_decode((const uint8_t *)text, strlen(text), pass != NULL ? ask : NULL, pass, out);
}

static void assert_is_rfc(const char *text, char *pass)
{
	struct gn_key *key;
	char *public;

	assert_int_equal(decode(text, pass, &key), 0);
	public = gn_key_public_format(key, GN_KEY_FORM_PEM);
	assert_string_equal(public, RFC_PUBLIC);
	free(public);
	gn_key_free(key);
}

static void rfc_8410_keys_are_read(void **state)
{
	(void)state;
	assert_is_rfc(RFC_V1, NULL);
	assert_is_rfc(RFC_V2, NULL);
	assert_is_rfc("subject=nobody\nissuer=nobody\n" RFC_V1 "more\n", NULL);
}

/* Encodes the DER bytes as PEM and decodes them as PKCS#8. */
static int der_decode(const uint8_t *der, size_t n, struct gn_key **out)
{
	char text[512] = "-----BEGIN PRIVATE KEY-----\n";

	(void)sodium_bin2base64(text + strlen(text), 300, der, n, sodium_base64_VARIANT_ORIGINAL);
	strcat(text, "\n-----END PRIVATE KEY-----\n");
	return decode(text, NULL, out);
}

/* Writes the key of RFC 8410 in version 2 of PKCS#8, with n bytes of attributes.  Returns the length. */
static size_t v2_make(uint8_t der[200], size_t n)
{
	static const uint8_t head[] = {0x30, 0, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20};
	static const uint8_t public_head[] = {0x81, 0x21, 0};
	struct gn_key *key;
	uint8_t private[GN_KEY_PRIVATE_LEN];
	size_t at = sizeof head;

	assert_int_equal(decode(RFC_V1, NULL, &key), 0);
	gn_key_encode(key, private);
	gn_key_free(key);
	memcpy(der, head, sizeof head);
	memcpy(der + at, private + 4, 32);
	at += 32;
	if (n > 0) {
		memset(der + at, 0, n);
		der[at] = 0xa0;
		der[at + 1] = (uint8_t)(n - 2);
		at += n;
	}
	memcpy(der + at, public_head, sizeof public_head);
	memcpy(der + at + sizeof public_head, private + 36, 32);
	at += sizeof public_head + 32;
	der[1] = (uint8_t)(at - 2);
	return at;
}

static void version_2_is_read_only_in_its_own_form(void **state)
{
	struct gn_key *key;
	uint8_t der[200];
	size_t n = v2_make(der, 0);

	(void)state;
	assert_int_equal(n, 83);
	assert_int_equal(der_decode(der, n, &key), 0);
	gn_key_free(key);
	/* A change of any byte is detected, also in the seed, as the public key no longer matches it. */
	for (size_t i = 0; i < n; i++) {
		der[i] ^= 0x20;
		assert_true(der_decode(der, n, &key) < 0);
		der[i] ^= 0x20;
	}
	assert_true(der_decode(der, n - 1, &key) < 0);
	assert_true(der_decode(der, n + 1, &key) < 0);
}

static void version_2_has_at_most_the_length_that_one_byte_says(void **state)
{
	struct gn_key *key;
	uint8_t der[200];
	size_t n = v2_make(der, 46);

	(void)state;
	assert_int_equal(n, 127 + 2);
	assert_int_equal(der_decode(der, n, &key), 0);
	gn_key_free(key);
	n = v2_make(der, 47);
	assert_int_equal(der_decode(der, n, &key), GN_EFORMAT);
}

/* Editors and other programs add text, such as comments and certificates, around the key. */
static void text_around_the_key_is_skipped(void **state)
{
	static const char *const before[] = {
		"\n",
		"\r\n",
		"\n\n\n",
		" \t\n",
		"\xef\xbb\xbf",
		"\xef\xbb\xbf\r\n",
		"# a comment\n",
		"  ",
		"\v\f\n",
		"Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n",
	};
	static const char *const files[] = {RFC_V1, SSH_PLAIN};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		for (size_t k = 0; k < 2; k++) {
			(void)snprintf(text, sizeof(text), "%s%s\n \n", before[i], files[k]);
			assert_is_rfc(text, NULL);
		}
	}
}

/* Each line is indented and ends as on another system. */
static void lines_may_be_indented_and_end_in_any_way(void **state)
{
	static const struct {
		const char *head, *tail;
	} ways[] = {{"", "\r\n"},  {"", "\r"},   {"  ", "\n"},  {"\t", " \t\r\n"},
		    {"", "   \n"}, {"", "\n\n"}, {"\n", "\r\n"}};
	static const char *const files[] = {RFC_V1, RFC_V2, SSH_PLAIN};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		for (size_t k = 0; k < 3; k++) {
			size_t n = 0;

			for (const char *line = files[k]; *line; line += strcspn(line, "\n") + 1)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s%s", ways[i].head,
						      (int)strcspn(line, "\n"), line, ways[i].tail);
			assert_is_rfc(text, NULL);
		}
	}
}

static void other_blocks_before_the_key_are_skipped(void **state)
{
	struct gn_key *key = NULL;

	(void)state;
	assert_is_rfc(RFC_PUBLIC "\n" RFC_V1, NULL);
	assert_is_rfc("-----BEGIN CERTIFICATE-----\nMC4CAQAw\n-----END CERTIFICATE-----\n\n" RFC_V2, NULL);
	assert_int_equal(
		decode("-----BEGIN EC PRIVATE KEY-----\nMC4CAQAw\n-----END EC PRIVATE KEY-----\n" RFC_V1, NULL, &key),
		GN_EKEYTYPE); /* the first private key is used, although it is not supported */
	assert_null(key);
}

static void encrypted_keys_need_their_passphrase(void **state)
{
	char good[] = "open sesame", bad[] = "open sesam";
	static const char *const files[] = {PEM_ENCRYPTED, SSH_ENCRYPTED};
	struct gn_key *key = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		asked = 0;
		assert_is_rfc(files[i], good);
		assert_int_equal(asked, 1);
		assert_int_equal(decode(files[i], bad, &key), GN_EAUTH);
		assert_int_equal(asked, 2);
		assert_int_equal(decode(files[i], NULL, &key), GN_EAUTH);
	}
	assert_is_rfc(SSH_PLAIN, bad);
	assert_int_equal(asked, 2); /* a key that is not encrypted needs no passphrase */
	assert_null(key);
}

static int ask_fails(void *arg, char buf[GN_PASSPHRASE_MAX])
{
	(void)arg;
	(void)buf;
	return -EINTR;
}

static void a_failing_passphrase_callback_is_an_error(void **state)
{
	struct gn_key *key = NULL;

	(void)state;
	assert_int_equal(
		gn_key_forms_decode((const uint8_t *)SSH_ENCRYPTED, strlen(SSH_ENCRYPTED), ask_fails, NULL, &key),
		-EINTR);
	assert_int_equal(
		gn_key_forms_decode((const uint8_t *)PEM_ENCRYPTED, strlen(PEM_ENCRYPTED), ask_fails, NULL, &key),
		-EINTR);
	assert_null(key);
}

static void each_format_survives_a_round_trip(void **state)
{
	static const enum gn_key_form forms[] = {GN_KEY_FORM_LIBP2P, GN_KEY_FORM_PEM, GN_KEY_FORM_OPENSSH};
	uint8_t bytes[GN_KEY_FORMS_ROOM];
	struct gn_key *key, *back;
	struct gn_peer_id a, b;
	size_t n;

	(void)state;
	assert_int_equal(gn_key_new(&key), 0);
	gn_key_id(key, &a);
	for (size_t i = 0; i < 3; i++) {
		n = gn_key_forms_encode(key, forms[i], bytes);
		assert_true(n <= sizeof(bytes));
		assert_int_equal(gn_key_forms_decode(bytes, n, NULL, NULL, &back), 0);
		gn_key_id(back, &b);
		assert_true(gn_peer_id_is_equal(&a, &b));
		gn_key_free(back);
	}
	gn_key_free(key);
}

/* Each byte of the text is changed, and the text is cut at each byte.  A damaged file in the format of
 * OpenSSH is rejected, or decodes to the same public key. */
static void damaged_keys_are_rejected(void **state)
{
	static const char *const files[] = {RFC_V1, SSH_PLAIN};
	char text[1024];
	struct gn_key *key;
	struct gn_peer_id a, b;

	(void)state;
	assert_int_equal(decode(RFC_V1, NULL, &key), 0);
	gn_key_id(key, &a);
	gn_key_free(key);
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; files[i][k]; k++) {
			strcpy(text, files[i]);
			text[k] = (char)(text[k] ^ 1);
			if (decode(text, NULL, &key) == 0) {
				gn_key_id(key, &b);
				/* PKCS#8 version 1 has no checksum; the format of OpenSSH repeats the public
				 * key. */
				assert_true(i == 0 || gn_peer_id_is_equal(&a, &b));
				gn_key_free(key);
			}
			strcpy(text, files[i]);
			text[k] = '\0';
			if (k + 2 < strlen(files[i])) { /* more than the last dash or line feed is missing */
				int err = decode(text, NULL, &key);

				assert_true(err < 0 || k + 3 >= strlen(files[i]));
				if (err == 0)
					gn_key_free(key);
			}
		}
	}
}

/* A file may end anywhere, also within a header.  The decoder does not read past the end when the last line
 * has no line feed; the build with sanitizers detects such a read. */
static void a_file_may_end_in_any_line(void **state)
{
	static const char *const ends[] = {"", ":", "X:", "\nX:", "\nX:\n", "\nX: y\r", "\nX:\r\n\r\n", "\n"};
	static const char *const files[] = {RFC_V1, SSH_PLAIN};
	char text[1024];
	struct gn_key *key;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 12; k + 8 < strlen(files[i]); k++) {
			for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
				(void)snprintf(text, sizeof(text), "%.*s%s", (int)k, files[i], ends[e]);
				assert_true(decode(text, NULL, &key) < 0);
			}
		}
	}
}

static void other_keys_are_rejected(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		/* version 2 with the public key of another key */
		{"-----BEGIN PRIVATE KEY-----\n"
		 "MFECAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		 "gSEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuA=\n"
		 "-----END PRIVATE KEY-----\n",
		 GN_EFORMAT},
		/* an EC key and an X25519 key in PKCS#8, an EC key in its own form, a public key */
		{"-----BEGIN PRIVATE KEY-----\n"
		 "MC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		 "-----END PRIVATE KEY-----\n",
		 GN_EKEYTYPE},
		{"-----BEGIN EC PRIVATE KEY-----\nMC4CAQAw\n-----END EC PRIVATE KEY-----\n", GN_EKEYTYPE},
		{RFC_PUBLIC "\n", GN_EFORMAT},
		{"-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n", GN_EFORMAT},
		{"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4CAQAw\n-----END ENCRYPTED PRIVATE KEY-----\n", GN_EFORMAT},
		{"-----BEGIN ", GN_EFORMAT},
		{GN_KEY_OPENSSH_BEGIN, GN_EFORMAT},
		{GN_KEY_OPENSSH_BEGIN "\n!\n-----END OPENSSH PRIVATE KEY-----", GN_EFORMAT},
		{GN_KEY_OPENSSH_BEGIN "\nAAAA\n-----END OPENSSH PRIVATE KEY-----", GN_EFORMAT},
		{"", GN_EFORMAT},
		{"nothing of the kind", GN_EFORMAT},
	};
	static uint8_t large[GN_KEY_FILE_MAX + 1];
	struct gn_key *key = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = decode(cases[i].text, NULL, &key);

		if (err != cases[i].err && !(cases[i].err == GN_EFORMAT && err == GN_ETRUNC))
			fail_msg("%s: %d", cases[i].text, err);
	}
	assert_int_equal(gn_key_forms_decode(large, sizeof(large), NULL, NULL, &key), GN_ETOOBIG);
	assert_null(key);
}

static void public_keys_are_formatted(void **state)
{
	struct gn_key *key;
	char *text;

	(void)state;
	assert_int_equal(decode(RFC_V1, NULL, &key), 0);
	text = gn_key_public_format(key, GN_KEY_FORM_OPENSSH);
	assert_string_equal(text, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh");
	free(text);
	text = gn_key_public_format(key, GN_KEY_FORM_LIBP2P);
	assert_string_equal(text, "CAESIBm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh");
	free(text);
	gn_key_free(key);
}

/* The vectors are those of Go's golang.org/x/crypto/ssh and of OpenBSD's regression tests.  Parameters that
 * are out of range are rejected. */
static void bcrypt_pbkdf_vectors_hold(void **state)
{
	static const uint8_t expected[] = {0x1a, 0xe4, 0x2c, 0x05, 0xd4, 0x87, 0xbc, 0x02, 0xf6, 0x49, 0x21,
					   0xa4, 0xeb, 0xe4, 0xea, 0x93, 0xbc, 0xac, 0xfe, 0x13, 0x5f, 0xda,
					   0x99, 0x97, 0x4c, 0x06, 0xb7, 0xb0, 0x1f, 0xae, 0x14, 0x9a};
	const struct gn_bcrypt_pbkdf_cfg cfg = {"password", 8, (const uint8_t *)"salt", 4, 12};
	struct gn_bcrypt_pbkdf_cfg bad;
	uint8_t key[GN_BCRYPT_PBKDF_KEY_MAX + 1];
	static const uint8_t salt[GN_BCRYPT_PBKDF_SALT_MAX];

	(void)state;
	assert_int_equal(gn_bcrypt_pbkdf(&cfg, key, sizeof(expected)), 0);
	assert_memory_equal(key, expected, sizeof(expected));
	assert_int_equal(gn_bcrypt_pbkdf(&cfg, key, 0), -EINVAL);
	assert_int_equal(gn_bcrypt_pbkdf(&cfg, key, sizeof(key)), -EINVAL);
	bad = cfg;
	bad.rounds = 0;
	assert_int_equal(gn_bcrypt_pbkdf(&bad, key, 32), -EINVAL);
	bad = cfg;
	bad.n_salt = 0;
	assert_int_equal(gn_bcrypt_pbkdf(&bad, key, 32), -EINVAL);
	bad.n_salt = GN_BCRYPT_PBKDF_SALT_MAX + 1;
	assert_int_equal(gn_bcrypt_pbkdf(&bad, key, 32), -EINVAL);
	bad = (struct gn_bcrypt_pbkdf_cfg){"password", 8, salt, GN_BCRYPT_PBKDF_SALT_MAX, 1};
	assert_int_equal(gn_bcrypt_pbkdf(&bad, key, GN_BCRYPT_PBKDF_KEY_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_8410_keys_are_read),
		cmocka_unit_test(version_2_is_read_only_in_its_own_form),
		cmocka_unit_test(version_2_has_at_most_the_length_that_one_byte_says),
		cmocka_unit_test(text_around_the_key_is_skipped),
		cmocka_unit_test(lines_may_be_indented_and_end_in_any_way),
		cmocka_unit_test(other_blocks_before_the_key_are_skipped),
		cmocka_unit_test(encrypted_keys_need_their_passphrase),
		cmocka_unit_test(a_failing_passphrase_callback_is_an_error),
		cmocka_unit_test(each_format_survives_a_round_trip),
		cmocka_unit_test(damaged_keys_are_rejected),
		cmocka_unit_test(a_file_may_end_in_any_line),
		cmocka_unit_test(other_keys_are_rejected),
		cmocka_unit_test(public_keys_are_formatted),
		cmocka_unit_test(bcrypt_pbkdf_vectors_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
