/* SPDX-License-Identifier: MIT */
/* default_key: the key file that a tool uses when neither -k nor GN_KEY_FILE names one:
 * $XDG_CONFIG_HOME/golem-net/key, or ~/.config/golem-net/key if the variable is unset or not an absolute
 * path. */
#ifndef CMD_COMMON_DEFAULT_KEY_H
#define CMD_COMMON_DEFAULT_KEY_H

/* The path, whether the file exists or not, in memory that the caller frees with free(); NULL when neither
 * XDG_CONFIG_HOME nor HOME is an absolute path. */
char *default_key_path(void);
/* Creates the missing directories of the path, with mode 0700.  Returns 0, or -errno and in *where the
 * length of the part of the path that could not be created. */
int default_key_make_directories(const char *path, int *where);

#endif
