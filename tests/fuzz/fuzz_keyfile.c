/* SPDX-License-Identifier: MIT */
/* Key files in every form.  No passphrase is given, because the file chooses the cost of its key
 * derivation.  A key that was decoded must survive a round trip in each form.  The same bytes are also
 * parsed as the text of a public key. */
#include <stdlib.h>
#include <string.h>

#include "id/key.h"
#include "id/key_forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void public_check(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct gn_peer_id id;

	need(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (gn_key_public_parse(text, &id) == 0)
		need(id.len > 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[GN_KEY_FORMS_ROOM];
	struct gn_key *key, *back;
	struct gn_peer_id a, b;

	public_check(data, size);
	if (gn_key_forms_decode(data, size, NULL, NULL, &key) < 0)
		return 0;
	gn_key_id(key, &a);
	for (int form = GN_KEY_FORM_LIBP2P; form <= GN_KEY_FORM_OPENSSH; form++) {
		size_t n = gn_key_forms_encode(key, (enum gn_key_form)form, out);
		char *text = gn_key_public_format(key, (enum gn_key_form)form);

		need(n <= sizeof(out) && text != NULL);
		need(gn_key_public_parse(text, &b) == 0 && gn_peer_id_is_equal(&a, &b));
		free(text);
		need(gn_key_forms_decode(out, n, NULL, NULL, &back) == 0);
		gn_key_id(back, &b);
		need(gn_peer_id_is_equal(&a, &b));
		gn_key_free(back);
	}
	gn_key_free(key);
	return 0;
}
