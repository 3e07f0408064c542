/* SPDX-License-Identifier: MIT */
/* terminal: what a terminal can show, and whether it is still there. */
#ifndef CMD_COMMON_TERMINAL_H
#define CMD_COMMON_TERMINAL_H

/* Columns of the terminal behind fd as it is now, so that it is asked again after each change; 80 where there is none,
 * or where it does not say. */
unsigned terminal_columns(int fd);

/* What read(2) means when it has returned 0: 0 for an end; -EIO where fd is a terminal that was closed, which reads
 * like Ctrl-D though its user has not ended the input.  The SIGHUP may come later than that. */
int terminal_check_end(int fd);

#endif
