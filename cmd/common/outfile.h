/* SPDX-License-Identifier: MIT */
/*
 * outfile: a file that gets its name when it is complete, or never.
 *
 * Until then it has no name at all (O_TMPFILE), so that nothing is left of it however the tool ends.  Where the file
 * system has no such files it is ".TOOL-XXXXXX" in the same directory, which is removed when the tool ends, also by a
 * signal other than SIGKILL.  In both cases nobody but its owner can open it before it is complete.
 *
 * What fails ends the tool with a line and the code of gn-exit(7).  One file at a time.
 */
#ifndef CMD_COMMON_OUTFILE_H
#define CMD_COMMON_OUTFILE_H

enum outfile_kind {
	/* Takes the place of a regular file, whose permissions it gets, and whose owner and group where that is allowed.
	 * Symbolic links are followed, as by the shell's ">".  It is on the disk before it takes the place. */
	OUTFILE_REPLACE,
	/* EXIT_REFUSED when the name is taken. */
	OUTFILE_NEW,
};

/* Returns the descriptor to write to; path is kept until outfile_close(). */
int outfile_open(const char *path, enum outfile_kind kind);
/* Everything was written: closes it and gives it its name. */
void outfile_close(void);

#endif
