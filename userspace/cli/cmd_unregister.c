/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg unregister: take a key from the process that has it. */
#include <errno.h>

#include "cmd.h"

static const struct option options[] = {
	COMMON_LONG_OPTIONS
};

/* Only the object that was seen: another process may have got the key meanwhile. */
static int delete_version(struct kreg_table *table, const struct bytes *key, uint64_t version)
{
	struct kreg_op_args args = KREG_OP_ARGS_INIT;

	args.code = KREG_OP_DELETE;
	args.flags = KREG_OP_VERSION;
	args.key = key->data;
	args.key_len = key->len;
	args.version = version;
	return kreg_op_run(table, &args);
}

/* The process may put a new value at any time, so it is tried as long as it has the key. */
static int unregister(struct kreg_table *table, const struct bytes *key, void *arg)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	uint64_t first = 0;
	int ret;

	(void)arg;
	do {
		ret = kreg_whereis(table, key->data, key->len, &holder);
		if (ret)
			return fail(ret);
		if (!holder.process.pid)
			return fail_text(EXIT_MISSING,
					 "no process has the key; 'kreg del' removes it");
		if (first && holder.process.cookie != first)
			return fail_text(EXIT_BUSY, "another process has the key now");
		first = holder.process.cookie;
		ret = delete_version(table, key, holder.version);
	} while (ret == -ECANCELED);
	return ret ? fail(ret) : 0;
}

static int run(int argc, char **argv)
{
	while (next_option(argc, argv, "", options) != -1)
		;
	return with_key(argc, argv, unregister, NULL);
}

const struct command cmd_unregister = {
	.name = "unregister",
	.args = "NAME KEY",
	.summary = "take a key from the process that has it",
	.help = "Remove the object of a key that is bound to a process: of the same user, or\n"
		"with the right to kill it. The process goes on.",
	.run = run,
};
