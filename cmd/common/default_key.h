/* SPDX-License-Identifier: MIT */
/* default_key: the key file that a tool uses when neither -k nor GN_KEY_FILE names one:
 * $XDG_CONFIG_HOME/golem-net/key, where ~/.config stands in for a variable that is unset or no absolute path. */
#ifndef CMD_COMMON_DEFAULT_KEY_H
#define CMD_COMMON_DEFAULT_KEY_H

/* Its path, whether there is such a file or not, in memory that the caller frees with free(); NULL when neither
 * variable has an absolute path. */
char *default_key_path(void);
/* Makes the directories that the path lacks, with mode 0700.  0, or -errno and in *where the length of the part of the
 * path that could not be made. */
int default_key_make_directories(const char *path, int *where);

#endif
