/* SPDX-License-Identifier: MIT */
#include "ucspi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARS 7

static const char *const names[VARS] = {"PROTO",       "GNREMOTEPEER", "GNREMOTEADDR", "GNLOCALPEER",
					"GNLOCALADDR", "GNPROTOCOL",   "GNPATH"};

static char *variable(const char *name, const char *value)
{
	size_t room = strlen(name) + 1 + strlen(value) + 1;
	char *text = malloc(room);

	if (text != NULL)
		snprintf(text, room, "%s=%s", name, value);
	return text;
}

static bool is_ours(const char *entry)
{
	for (int i = 0; i < VARS; i++) {
		size_t n = strlen(names[i]);

		if (strncmp(entry, names[i], n) == 0 && entry[n] == '=')
			return true;
	}
	return false;
}

char **ucspi_new(const struct gn_channel *ch, const struct gn_peer_id *self)
{
	extern char **environ;
	char peer[GN_PEER_ID_TEXT_MAX], own[GN_PEER_ID_TEXT_MAX];
	struct gn_channel_state st;
	char *remote, *local, **env;
	size_t n = 0;
	bool good = true;

	gn_channel_state(ch, &st);
	remote = st.remote != NULL ? gn_multiaddr_format(st.remote) : NULL;
	local = st.local != NULL ? gn_multiaddr_format(st.local) : NULL;
	while (environ != NULL && environ[n] != NULL)
		n++;
	env = calloc(n + VARS + 1, sizeof *env);
	if (env != NULL) {
		const char *values[VARS] = {
			"GN",
			gn_peer_id_format(&st.peer, peer),
			remote != NULL ? remote : "",
			gn_peer_id_format(self, own),
			local != NULL ? local : "",
			st.protocol != NULL ? st.protocol : "",
			gn_path_name(st.path),
		};

		n = 0;
		for (int i = 0; i < VARS && good; i++)
			good = (env[n++] = variable(names[i], values[i])) != NULL;
		for (char **e = environ; e != NULL && *e != NULL && good; e++)
			if (!is_ours(*e))
				good = (env[n++] = strdup(*e)) != NULL;
	}
	free(remote);
	free(local);
	if (env != NULL && !good) {
		ucspi_free(env);
		return NULL;
	}
	return env;
}

void ucspi_free(char **env)
{
	for (char **e = env; e != NULL && *e != NULL; e++)
		free(*e);
	free(env);
}
