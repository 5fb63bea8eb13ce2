/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One of several nodes, of which one leads: whoever has the lock. What the leader does carries
 * the token of its lock, so that what a former leader still does is refused.
 *
 *	leader-node NAME
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kreg.h>

/* Of write_state(), beside errors, which are negative. */
#define OUTDATED	1

static const char *name;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", name, what);
	exit(1);
}

/*
 * Write the state "TOKEN TEXT", unless it has a higher token. That nobody writes between the look
 * and the write is what the version is for: then the write fails, and one looks again.
 *
 * Return: 0; OUTDATED: somebody who had the lock later has written; or a negative errno.
 */
static int write_state(struct kreg_table *state, uint64_t token, const char *text)
{
	int ret;

	do {
		char value[128];
		struct kreg_op_args get = {
			.size = sizeof(get), .code = KREG_OP_GET, .key = "state", .key_len = 5,
			.value = value, .value_len = sizeof(value) - 1,
		};
		struct kreg_op_args put = {
			.size = sizeof(put), .code = KREG_OP_PUT, .key = "state", .key_len = 5,
			.value = value,
		};

		ret = kreg_op_run(state, &get);
		if (ret && ret != -ENODATA)
			return ret;
		value[ret ? 0 : get.out_len] = '\0';
		if (strtoull(value, NULL, 10) > token)
			return OUTDATED;
		put.flags = ret ? KREG_OP_NEW : KREG_OP_VERSION;
		put.version = ret ? 0 : get.out_version;
		put.value_len = snprintf(value, sizeof(value), "%llu %s",
					 (unsigned long long)token, text);
		ret = kreg_op_run(state, &put);
	} while (ret == -ECANCELED || ret == -EEXIST);
	return ret;
}

/* What a leader does: here, to say ten times a second that it is there. */
static int lead(struct kreg_table *state, uint64_t token)
{
	char text[64];
	unsigned int n;
	int ret;

	for (n = 1;; n++) {
		snprintf(text, sizeof(text), "%s %u", name, n);
		ret = write_state(state, token, text);
		if (ret)
			return ret;
		usleep(100000);
	}
}

int main(int argc, char **argv)
{
	struct kreg_client *client;
	struct kreg_table *locks, *state;
	struct kreg_lock_options options = KREG_LOCK_OPTIONS_INIT;
	struct kreg_lock *lock;
	uint64_t token;

	name = argc == 2 ? argv[1] : "leader-node";
	if (argc != 2)
		die("usage: leader-node NAME");
	if (kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, "leader.locks", NULL, &locks) ||
	    kreg_table_open(client, "leader.state", NULL, &state))
		die(kreg_errmsg());
	/* Sleeps until all who came before are dead. Others read in the table who leads. */
	options.value = name;
	options.value_len = strlen(name);
	if (kreg_lock_with(locks, "leader", 6, &options, &lock))
		die(kreg_errmsg());
	token = kreg_lock_token(lock);
	printf("%s: leads, token %llu\n", name, (unsigned long long)token);
	fflush(stdout);
	if (lead(state, token) == OUTDATED)
		die("does not lead any more: its token is too old");
	die(kreg_errmsg());
}
