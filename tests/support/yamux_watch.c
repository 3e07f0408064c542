/* SPDX-License-Identifier: MIT */
#include "support/yamux_watch.h"

#define WATCH_CHECK(what)                                                                                           \
	do {                                                                                                        \
		if (!(what)) {                                                                                      \
			fprintf(stderr,                                                                             \
				"yamux_watch.c:%d: not so: %s; frame %02x%02x %02x%02x %02x%02x%02x%02x "           \
				"%02x%02x%02x%02x\n",                                                               \
				__LINE__, #what, h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], \
				h[11]);                                                                             \
			return false;                                                                               \
		}                                                                                                   \
	} while (0)

void watch_init(struct watch *w, bool client)
{
	memset(w, 0, sizeof *w);
	w->client = client;
	for (int i = 0; i < WATCH_IDS; i++)
		w->ids[i].may = YAMUX_WINDOW_INITIAL;
}

/* ---- frames that the session receives ---- */

static void watch_received_frame(struct watch *w, const uint8_t *h)
{
	uint16_t flags = gn_get_u16(h + 2);
	uint32_t id = gn_get_u32(h + 4), length = gn_get_u32(h + 8);

	if (h[0] != 0)
		return;
	if (h[1] == YAMUX_PING && flags & YAMUX_SYN && !(flags & YAMUX_ACK)) {
		w->asked[w->pings_in++ % WATCH_PINGS] = length;
	} else if (h[1] <= YAMUX_WINDOW && id < WATCH_IDS) {
		struct watch_id *s = &w->ids[id];

		if (flags & YAMUX_SYN && (id & 1) != (w->client ? 1 : 0)) {
			bool was = s->opened;

			if (was) /* the id is used again */
				*s = (struct watch_id){.may = YAMUX_WINDOW_INITIAL, .more = s->more + 1};
			s->opened = true;
		}
		if (h[1] == YAMUX_WINDOW && !(flags & YAMUX_RST))
			s->may += length;
	}
	if (h[1] == YAMUX_DATA)
		w->in_body = length;
}

void watch_receive(struct watch *w, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t took = w->in_body < n ? w->in_body : n;

		if (w->in_body == 0) {
			w->in_head[w->n_in_head++] = *p;
			took = 1;
			if (w->n_in_head == YAMUX_HEAD) {
				w->n_in_head = 0;
				watch_received_frame(w, w->in_head);
			}
		} else {
			w->in_body -= took;
		}
		p += took;
		n -= took;
	}
}

/* ---- frames that the session sends ---- */

static bool watch_stream_frame(struct watch *w, const uint8_t *h)
{
	uint16_t flags = gn_get_u16(h + 2);
	uint32_t id = gn_get_u32(h + 4), length = gn_get_u32(h + 8);
	bool own = (id & 1) == (w->client ? 1 : 0);
	struct watch_id *s = &w->ids[id % WATCH_IDS];

	WATCH_CHECK(id != 0);
	if (id >= WATCH_IDS)
		return true;
	if (flags & YAMUX_SYN) {
		WATCH_CHECK(own);
		WATCH_CHECK(!s->opened);
		s->opened = true;
	}
	WATCH_CHECK(s->opened);
	if (s->rst && s->more > 0 && flags == YAMUX_RST)
		s->more--;
	else
		WATCH_CHECK(!s->rst);
	if (flags & YAMUX_ACK) {
		WATCH_CHECK(!own && !s->acked);
		s->acked = true;
	}
	if (h[1] == YAMUX_DATA) {
		WATCH_CHECK(!s->fin);
		WATCH_CHECK(length <= YAMUX_BODY_MAX && length > 0);
		s->sent += length;
		WATCH_CHECK(s->sent <= s->may);
	} else {
		s->granted += length;
	}
	if (flags & YAMUX_FIN) {
		WATCH_CHECK(!s->fin);
		s->fin = true;
	}
	if (flags & YAMUX_RST)
		s->rst = true;
	return true;
}

static bool watch_sent_frame(struct watch *w, const uint8_t *h)
{
	uint16_t flags = gn_get_u16(h + 2);
	uint32_t length = gn_get_u32(h + 8);

	w->frames++;
	WATCH_CHECK(h[0] == 0 && h[1] <= YAMUX_GO_AWAY && flags <= 15);
	WATCH_CHECK(!w->is_away);
	switch (h[1]) {
	case YAMUX_DATA:
		w->body = length;
		return watch_stream_frame(w, h);
	case YAMUX_WINDOW:
		return watch_stream_frame(w, h);
	case YAMUX_PING:
		WATCH_CHECK(gn_get_u32(h + 4) == 0 && (flags == YAMUX_SYN || flags == YAMUX_ACK));
		if (flags == YAMUX_ACK) {
			WATCH_CHECK(w->pongs < w->pings_in);
			WATCH_CHECK(w->asked[w->pongs % WATCH_PINGS] == length);
			w->pongs++;
		}
		return true;
	default:
		WATCH_CHECK(gn_get_u32(h + 4) == 0 && flags == 0);
		w->is_away = true;
		w->away_code = length;
		return true;
	}
}

bool watch_send(struct watch *w, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t took = w->body < n ? w->body : n;

		if (w->body == 0) {
			w->head[w->n_head++] = *p;
			took = 1;
			if (w->n_head == YAMUX_HEAD) {
				w->n_head = 0;
				if (!watch_sent_frame(w, w->head))
					return false;
			}
		} else {
			w->body -= took;
		}
		p += took;
		n -= took;
	}
	return true;
}
