/* SPDX-License-Identifier: MIT */
/* terminal: what a terminal can show. */
#ifndef CMD_COMMON_TERMINAL_H
#define CMD_COMMON_TERMINAL_H

/* Columns of the terminal behind fd as it is now, so that it is asked again after each change; 80 where there is none,
 * or where it does not say. */
unsigned terminal_columns(int fd);

#endif
