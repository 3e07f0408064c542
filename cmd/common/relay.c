/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include <errno.h>
#include <stdlib.h>

#include "batch.h"

#define VIEWS 16
#define PEER_END_LIMIT (1 * GN_SEC) /* relay_finish(): the wait for the peer's end after the acknowledgement */

/* The sending side.
 *
 *	OPEN   -- the input has ended --> HELD with hold_end, else ENDING
 *	HELD   -- relay_end() --> ENDING
 *	ENDING -- gn_channel_end() was called --> ENDED
 *	ENDED  -- GN_DRAINED --> DRAINED -- GN_ACKED --> ACKED
 */
enum relay_sending {
	SENDING_OPEN,
	SENDING_HELD,
	SENDING_ENDING,
	SENDING_ENDED,
	SENDING_DRAINED,
	SENDING_ACKED,
};

/* The receiving side.
 *
 *	OPEN           -- the output has no reader any more --> DROPPING
 *	OPEN, DROPPING -- relay_finish() --> FINISHED, which drops received data, too
 *	any of them    -- the peer has ended its side, and all received data was written or dropped --> ENDED
 */
enum relay_receiving { RECEIVING_OPEN, RECEIVING_DROPPING, RECEIVING_FINISHED, RECEIVING_ENDED };

/* The wait for the peer's end, after relay_finish().
 *
 *	NONE -- everything is acknowledged, and the peer has not ended its side --> STARTED -- PEER_END_LIMIT --> OVER
 */
enum relay_wait { WAIT_NONE, WAIT_STARTED, WAIT_OVER };

struct relay {
	struct relay_cfg cfg;
	struct gn_timer *run_timer;      /* calls relay_run() from the loop, where callbacks are allowed */
	struct gn_timer *peer_end_timer; /* ends the wait for the peer's end */
	struct batch batch;
	struct gn_metrics metrics;
	struct relay_result result;
	enum relay_sending sending;
	enum relay_receiving receiving;
	enum relay_wait wait;
	int receive_err;                /* an error or GN_EOF that follows frames which are not written yet */
	enum relay_fault receive_fault; /* the fault for receive_err */
	bool is_frames;
	bool output_lost;  /* the output has just lost its reader: frames that are ready must be dropped */
	bool sync_pending; /* GN_ACKED is pending */
	bool dead;         /* the channel has failed; what it has received may still be read */
};

static void relay_fail(struct relay *r, enum relay_fault fault, int err)
{
	if (r->result.fault != RELAY_CLEAN)
		return;
	r->result.fault = fault;
	r->result.err = err;
}

static void relay_fail_output(struct relay *r, int err)
{
	if (err == -EPIPE && r->cfg.drop_output) {
		r->receiving = RECEIVING_DROPPING;
		r->output_lost = true;
		batch_fini(&r->batch);
	} else {
		relay_fail(r, RELAY_OUTPUT, err);
	}
}

/* ---- from the input to the channel -------------------------------------------- */

/* Returns 0 while the input may have more, else what ended it. */
static int relay_send_bytes(struct relay *r)
{
	ptrdiff_t n;

	while ((n = input_fill(r->cfg.in)) > 0)
		gn_channel_wake(r->cfg.ch);
	return n == GN_EAGAIN || n == GN_ESPACE ? 0 : (int)n;
}

static int relay_send_frames(struct relay *r)
{
	struct format_message message;
	int err;

	for (;;) {
		err = framer_peek(r->cfg.framer, &message);
		if (err != 0)
			return err == GN_EAGAIN ? 0 : err;
		err = gn_channel_send(r->cfg.ch, message.body, message.len);
		if (err == GN_EAGAIN)
			return 0;
		if (err == GN_ETOOBIG)
			return err;
		if (err != 0) {
			r->dead = true; /* GN_DEAD follows */
			return 0;
		}
		framer_skip(r->cfg.framer);
	}
}

static void relay_sync(struct relay *r)
{
	if (r->dead || r->sync_pending)
		return;
	r->sync_pending = true;
	if (gn_channel_sync(r->cfg.ch) != 0)
		r->dead = true;
}

static void relay_send_end(struct relay *r)
{
	if (r->sending != SENDING_ENDING || r->dead)
		return;
	r->sending = SENDING_ENDED;
	if (gn_channel_end(r->cfg.ch) != 0)
		r->dead = true;
	r->sync_pending = false; /* the pending acknowledgement does not cover the end */
	relay_sync(r);
}

static void relay_end_input(struct relay *r)
{
	r->sending = r->cfg.hold_end ? SENDING_HELD : SENDING_ENDING;
	if (r->cfg.on_input_end != NULL)
		r->cfg.on_input_end(r->cfg.arg);
}

static void relay_send(struct relay *r)
{
	int end;

	if (r->sending != SENDING_OPEN || r->dead)
		return;
	if (r->cfg.in == NULL)
		end = r->cfg.end_follows && r->receiving == RECEIVING_OPEN ? 0 : GN_EOF;
	else
		end = r->is_frames ? relay_send_frames(r) : relay_send_bytes(r);
	if (end == 0)
		return;
	if (end == GN_EOF)
		relay_end_input(r);
	else
		relay_fail(r, RELAY_INPUT, end);
}

/* ---- from the channel to the output ------------------------------------------- */

static bool relay_has_output(const struct relay *r)
{
	return r->cfg.out != NULL && r->receiving == RECEIVING_OPEN;
}

static bool relay_is_dropping(const struct relay *r)
{
	return r->receiving == RECEIVING_DROPPING || r->receiving == RECEIVING_FINISHED;
}

/* Copies what the channel has.  Returns 0 when the output or the channel has to be waited for, else the
 * error or GN_EOF that the channel has returned. */
static int relay_receive_bytes(struct relay *r)
{
	struct iovec v[VIEWS];
	ptrdiff_t n;
	int count;

	for (;;) {
		count = gn_channel_peek(r->cfg.ch, v, VIEWS);
		if (count <= 0)
			return count == GN_EAGAIN ? 0 : count;
		if (relay_has_output(r)) {
			n = output_writev(r->cfg.out, v, count);
			if (n == GN_EAGAIN)
				return 0;
			if (n < 0) {
				relay_fail_output(r, (int)n);
				if (r->result.fault != RELAY_CLEAN)
					return 0;
				continue;
			}
		} else {
			n = 0;
			for (int i = 0; i < count; i++)
				n += (ptrdiff_t)v[i].iov_len;
		}
		gn_channel_skip(r->cfg.ch, (size_t)n);
	}
}

static int relay_batch_frames(struct relay *r)
{
	const void *frame;
	size_t len;
	int err;

	for (;;) {
		err = gn_channel_receive(r->cfg.ch, &frame, &len);
		if (err != 0)
			return err;
		if (!relay_has_output(r))
			continue;
		err = batch_put(&r->batch, r->cfg.out, r->cfg.format, frame, len);
		if (err == GN_EFORMAT) {
			r->receive_fault = RELAY_FORMAT;
			return err;
		}
		if (err != 0 && err != GN_EAGAIN)
			relay_fail_output(r, err);
		if (err != 0)
			return GN_EAGAIN;
	}
}

/* Copies frames.  Those in front of the end, or of a malformed one, are written before that is returned. */
static int relay_receive_frames(struct relay *r)
{
	int err;

	for (;;) {
		err = relay_has_output(r) ? batch_flush(&r->batch, r->cfg.out) : 0;
		if (err == GN_EAGAIN)
			return 0;
		if (err != 0)
			relay_fail_output(r, err);
		if (r->result.fault != RELAY_CLEAN)
			return 0;
		if (r->receive_err != 0)
			return r->receive_err;
		err = relay_batch_frames(r);
		if (err != GN_EAGAIN)
			r->receive_err = err;
		else if (r->batch.at == r->batch.len && !r->output_lost)
			return 0;
		r->output_lost = false;
	}
}

static void relay_receive(struct relay *r)
{
	int end, err;

	if (r->receiving == RECEIVING_ENDED)
		return;
	end = r->is_frames ? relay_receive_frames(r) : relay_receive_bytes(r);
	if (end == 0)
		return;
	if (end != GN_EOF) {
		/* When received data is dropped and all sent data is acknowledged, an error of the channel
		 * loses nothing. */
		if (!relay_is_dropping(r) || r->sending != SENDING_ACKED)
			relay_fail(r, r->receive_fault, end);
		return;
	}
	r->result.got_end = r->receiving != RECEIVING_FINISHED;
	if (relay_has_output(r) && !r->cfg.keep_output) {
		err = output_end(r->cfg.out);
		if (err != 0)
			relay_fail(r, RELAY_OUTPUT, err);
	}
	r->receiving = RECEIVING_ENDED;
}

/* ---- both --------------------------------------------------------------------- */

static void relay_release_input(struct relay *r)
{
	if (r->cfg.in == NULL)
		return;
	input_on_ready(r->cfg.in, NULL, NULL);
	input_pause(r->cfg.in);
	r->cfg.in = NULL; /* its owner may free it now */
	r->cfg.framer = NULL;
}

static void relay_release_output(struct relay *r)
{
	if (r->cfg.out != NULL)
		output_on_ready(r->cfg.out, NULL, NULL);
	r->cfg.out = NULL;
}

static void relay_detach(struct relay *r)
{
	struct gn_channel_state st;

	if (r->cfg.ch != NULL) {
		gn_channel_metrics(r->cfg.ch, &r->metrics);
		gn_channel_state(r->cfg.ch, &st);
		r->result.opened |= st.opened;
		r->result.lost = relay_unconfirmed(r);
	}
	relay_release_input(r);
	relay_release_output(r);
	gn_timer_stop(r->run_timer);
	gn_timer_stop(r->peer_end_timer);
	if (r->cfg.ch == NULL)
		return;
	if (r->result.fault != RELAY_CLEAN || r->sending != SENDING_ACKED || r->receiving != RECEIVING_ENDED)
		gn_channel_reset(r->cfg.ch);
	gn_channel_free(r->cfg.ch);
	r->cfg.ch = NULL;
}

/* Called when the channel has failed after the peer had ended its side in good order.  Received data is
 * complete, so this is a failure only if sent data was lost. */
static void relay_check_loss(struct relay *r)
{
	int err = gn_channel_error(r->cfg.ch);
	uint64_t lost = relay_unconfirmed(r);
	bool had_nothing = relay_metrics(r)->bytes_out == 0 && (r->sending != SENDING_OPEN || r->cfg.end_follows);

	if (err == GN_ERESET) {
		/* The peer may stop reading; that loses data only if some is unacknowledged. */
		if (lost != 0)
			relay_fail(r, RELAY_UNREAD, err);
	} else if (!had_nothing || lost != 0) {
		relay_fail(r, RELAY_PEER, err);
	}
}

/* Whether the relay has ended; r->result has the fault, if any. */
static bool relay_is_done(struct relay *r)
{
	bool is_dead = r->dead && gn_channel_error(r->cfg.ch) != 0;

	if (r->result.fault != RELAY_CLEAN)
		return true;
	if (r->sending == SENDING_ACKED)
		return r->receiving == RECEIVING_ENDED || r->wait == WAIT_OVER || (is_dead && relay_is_dropping(r));
	if (!is_dead || r->receiving != RECEIVING_ENDED)
		return false;
	relay_check_loss(r);
	return true;
}

static void relay_wait_for_peer_end(struct relay *r)
{
	if (r->sending != SENDING_ACKED || !relay_is_dropping(r) || r->wait != WAIT_NONE)
		return;
	r->wait = WAIT_STARTED;
	gn_timer_start(r->peer_end_timer, PEER_END_LIMIT);
}

/* Does everything that is possible now.  on_done may free the relay, so nothing follows it. */
static void relay_run(struct relay *r)
{
	if (r->cfg.ch == NULL)
		return;
	relay_send(r);
	if (r->result.fault == RELAY_CLEAN)
		relay_send_end(r);
	if (r->result.fault == RELAY_CLEAN)
		relay_receive(r);
	if (r->receiving == RECEIVING_ENDED && r->cfg.end_follows && r->result.fault == RELAY_CLEAN) {
		relay_send(r);
		relay_send_end(r);
	}
	/* The peer may stop reading from now on, so an acknowledgement of the data sent so far is needed. */
	if (r->receiving == RECEIVING_ENDED && r->sending == SENDING_OPEN && gn_channel_pending(r->cfg.ch) > 0)
		relay_sync(r);
	if (!relay_is_done(r)) {
		relay_wait_for_peer_end(r);
		return;
	}
	relay_detach(r);
	r->cfg.on_done(r->cfg.arg, &r->result);
}

static void relay_on_peer_end_limit(void *arg)
{
	struct relay *r = arg;

	r->wait = WAIT_OVER;
	relay_run(r);
}

static void relay_on_acked(struct relay *r)
{
	r->sync_pending = false;
	if (r->sending == SENDING_ENDED)
		relay_sync(r); /* that acknowledgement does not cover the end */
	else if (r->sending == SENDING_DRAINED)
		r->sending = SENDING_ACKED;
}

/* All data and the end have been sent: the channel does not need the input as its source any more. */
static void relay_on_drained(struct relay *r)
{
	r->sending = SENDING_DRAINED;
	if (r->cfg.in != NULL && !r->is_frames && gn_channel_source(r->cfg.ch, NULL, NULL))
		return; /* a failed channel may still use its source */
	relay_release_input(r);
	if (r->cfg.on_sent != NULL)
		r->cfg.on_sent(r->cfg.arg);
}

static void relay_on_ready(void *arg)
{
	relay_run(arg);
}

static void relay_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct relay *r = arg;

	(void)ch;
	if (events & GN_OPENED) {
		r->result.opened = true;
		if (r->cfg.on_opened != NULL)
			r->cfg.on_opened(r->cfg.arg);
	}
	if (events & GN_DEAD)
		r->dead = true;
	if (events & GN_DRAINED && r->sending == SENDING_ENDED)
		relay_on_drained(r);
	if (events & GN_ACKED)
		relay_on_acked(r);
	relay_run(r);
}

int relay_new(const struct relay_cfg *cfg, struct gn_loop *loop, struct relay **out)
{
	struct relay *r = calloc(1, sizeof *r);
	int err;

	if (r == NULL)
		return -ENOMEM;
	r->cfg = *cfg;
	r->is_frames = cfg->framer != NULL;
	r->receive_fault = RELAY_PEER;
	err = gn_timer_new(loop, relay_on_ready, r, &r->run_timer);
	if (err == 0)
		err = gn_timer_new(loop, relay_on_peer_end_limit, r, &r->peer_end_timer);
	if (err == 0 && cfg->in != NULL && !r->is_frames)
		err = gn_channel_source(cfg->ch, &input_source, cfg->in);
	if (err != 0) {
		gn_timer_free(r->run_timer);
		gn_timer_free(r->peer_end_timer);
		free(r);
		return err;
	}
	gn_channel_on_event(cfg->ch, relay_on_event, r);
	if (cfg->in != NULL)
		input_on_ready(cfg->in, relay_on_ready, r);
	if (cfg->out != NULL)
		output_on_ready(cfg->out, relay_on_ready, r);
	gn_timer_start(r->run_timer, 0);
	*out = r;
	return 0;
}

void relay_end(struct relay *r)
{
	if (r->sending < SENDING_ENDING)
		r->sending = SENDING_ENDING;
	if (r->cfg.ch != NULL)
		gn_timer_start(r->run_timer, 0);
}

void relay_finish(struct relay *r)
{
	relay_release_output(r);
	batch_fini(&r->batch);
	r->output_lost |= r->receiving == RECEIVING_OPEN;
	if (r->receiving != RECEIVING_ENDED)
		r->receiving = RECEIVING_FINISHED;
	relay_end(r);
}

void relay_reset(struct relay *r)
{
	relay_fail(r, RELAY_INPUT, GN_ECLOSED);
	relay_detach(r);
}

void relay_free(struct relay *r)
{
	if (r == NULL)
		return;
	relay_detach(r);
	gn_timer_free(r->run_timer);
	gn_timer_free(r->peer_end_timer);
	batch_fini(&r->batch);
	free(r);
}

const struct gn_metrics *relay_metrics(struct relay *r)
{
	if (r->cfg.ch != NULL)
		gn_channel_metrics(r->cfg.ch, &r->metrics);
	return &r->metrics;
}

uint64_t relay_unconfirmed(const struct relay *r)
{
	uint64_t n;

	if (r->cfg.ch == NULL)
		return r->result.lost;
	n = gn_channel_pending(r->cfg.ch);
	if (r->cfg.in != NULL)
		n += input_held(r->cfg.in);
	if (r->cfg.framer != NULL)
		n += r->cfg.framer->len;
	return n;
}
