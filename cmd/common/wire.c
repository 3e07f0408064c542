/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <unistd.h>

#include "gn.h"

static int choose_form(const char *value, const char *words, struct wire *w, struct fault *f)
{
	static const enum form forms[] = {FORM_VARINT, FORM_LINE, FORM_RAW, FORM_TEXT};
	int i = opt_choose(value, words, f);

	if (i < 0)
		return -1;
	w->form = forms[i];
	w->said_form = true;
	return 0;
}

int wire_opt_form(const struct opt *o, const char *value, void *to, struct fault *f)
{
	(void)o;
	return choose_form(value, "varint|line|raw", to, f);
}

int wire_opt_form_text(const struct opt *o, const char *value, void *to, struct fault *f)
{
	(void)o;
	return choose_form(value, "varint|line|raw|text", to, f);
}

int wire_opt_wire(const struct opt *o, const char *value, void *to, struct fault *f)
{
	struct wire *w = to;
	int i = opt_choose(value, "frames|raw", f);

	(void)o;
	if (i < 0)
		return -1;
	w->frames = i == 0;
	w->said_wire = true;
	return 0;
}

static void settle_forms(struct wire *w, bool program)
{
	if (!w->said_form)
		w->form = program || !w->frames ? FORM_RAW : FORM_VARINT;
	w->form_out = w->form;
	if (program)
		return;
	if (isatty(STDOUT_FILENO) && (w->form == FORM_LINE || (w->form == FORM_VARINT && !w->said_form)))
		w->form_out = FORM_TEXT;
	if (isatty(STDIN_FILENO) && w->form == FORM_VARINT && !w->said_form)
		w->form = FORM_TEXT;
}

int wire_settle(struct wire *w, bool program, struct fault *f)
{
	if (!w->max_frame)
		w->max_frame = GN_FRAME_MAX;
	if (w->max_frame > SIZE_MAX / 4)
		return fault_set(f, "--max-frame: out of range");
	/* who names a form of frames means frames */
	if (!w->said_wire)
		w->frames = !program || (w->said_form && w->form != FORM_RAW);
	settle_forms(w, program);
	if (!w->frames && w->form != FORM_RAW)
		return fault_set(f, "--wire raw has no frames in it: it goes with -F raw only");
	return 0;
}
