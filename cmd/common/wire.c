/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <unistd.h>

#include "gn.h"

static int wire_choose_format(const char *value, const char *words, struct wire *w, struct fault *f)
{
	static const enum format formats[] = {FORMAT_VARINT, FORMAT_LINE, FORMAT_RAW, FORMAT_TEXT};
	int i = opt_choose(value, words, f);

	if (i < 0)
		return -1;
	w->format = formats[i];
	w->has_format = true;
	return 0;
}

int wire_opt_format(const struct opt *o, const char *value, void *to, struct fault *f)
{
	(void)o;
	return wire_choose_format(value, "varint|line|raw", to, f);
}

int wire_opt_format_text(const struct opt *o, const char *value, void *to, struct fault *f)
{
	(void)o;
	return wire_choose_format(value, "varint|line|raw|text", to, f);
}

int wire_opt_wire(const struct opt *o, const char *value, void *to, struct fault *f)
{
	struct wire *w = to;
	int i = opt_choose(value, "frames|raw", f);

	(void)o;
	if (i < 0)
		return -1;
	w->frames = i == 0;
	w->has_wire = true;
	return 0;
}

static void wire_settle_formats(struct wire *w, bool program)
{
	if (!w->has_format)
		w->format = program || !w->frames ? FORMAT_RAW : FORMAT_VARINT;
	w->format_out = w->format;
	if (program)
		return;
	if (isatty(STDOUT_FILENO) && (w->format == FORMAT_LINE || (w->format == FORMAT_VARINT && !w->has_format)))
		w->format_out = FORMAT_TEXT;
	if (isatty(STDIN_FILENO) && w->format == FORMAT_VARINT && !w->has_format)
		w->format = FORMAT_TEXT;
}

int wire_set_defaults(struct wire *w, bool program, struct fault *f)
{
	if (w->max_frame == 0)
		w->max_frame = GN_FRAME_MAX;
	if (w->max_frame > SIZE_MAX / 4)
		return fault_set(f, "--max-frame: out of range");
	/* a format of frames that was given implies frames on the network */
	if (!w->has_wire)
		w->frames = !program || (w->has_format && w->format != FORMAT_RAW);
	wire_settle_formats(w, program);
	if (!w->frames && w->format != FORMAT_RAW)
		return fault_set(f, "--wire raw has no frames in it: it goes with -F raw only");
	return 0;
}
