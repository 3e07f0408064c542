/* SPDX-License-Identifier: MIT */
/* terminal: the width of a terminal, and whether it was closed. */
#ifndef CMD_COMMON_TERMINAL_H
#define CMD_COMMON_TERMINAL_H

/* The present number of columns of the terminal fd; 80 if fd is not a terminal or the number is unknown. */
unsigned terminal_columns(int fd);

/* To be called when read(2) has returned 0.  Returns 0 for an end of file; -EIO if fd is a terminal that
 * was closed: its read looks like Ctrl-D although the user has not ended the input.  The SIGHUP may arrive
 * later. */
int terminal_check_end(int fd);

#endif
