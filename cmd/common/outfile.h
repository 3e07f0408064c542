/* SPDX-License-Identifier: MIT */
/*
 * outfile: an output file that gets its name only when it is complete.
 *
 * Until then it has no name (O_TMPFILE), so that nothing is left of it however the tool ends.  On file
 * systems without such files it is ".TOOL-XXXXXX" in the same directory, which is removed when the tool
 * ends, also by a signal other than SIGKILL.  In both cases only its owner can open it before it is
 * complete.
 *
 * A failure ends the tool with a line and the code of gn-exit(7).  Only one file can be open at a time.
 */
#ifndef CMD_COMMON_OUTFILE_H
#define CMD_COMMON_OUTFILE_H

enum outfile_kind {
	/* Replaces a regular file, or makes a new one.  It gets the old file's permissions, and its owner
	 * and group where that is allowed.  Symbolic links are followed, as by the shell's ">".  It is
	 * synced to the disk first. */
	OUTFILE_REPLACE,
	/* Makes a new file; EXIT_REFUSED when the name exists. */
	OUTFILE_NEW,
};

/* Returns the descriptor to write to.  path must stay valid until outfile_close(). */
int outfile_open(const char *path, enum outfile_kind kind);
/* To be called when everything was written: closes the file and gives it its name. */
void outfile_close(void);

#endif
