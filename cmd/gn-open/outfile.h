/* SPDX-License-Identifier: MIT */
/* outfile: a file that appears when it is complete, or not at all: written under another name
 * in the same folder, and removed when the tool ends in any other way (but SIGKILL's).  What
 * fails ends the tool.  One per process. */
#ifndef CMD_GN_OPEN_OUTFILE_H
#define CMD_GN_OPEN_OUTFILE_H

/* Makes it the writer's destination.  A file of that name, if there is one, stays until
 * outfile_close(); what is there and no regular file is EXIT_REFUSED. */
void outfile_open(const char *path);
/* Everything was written: brings it to the disk and gives it its name. */
void outfile_close(void);

#endif
