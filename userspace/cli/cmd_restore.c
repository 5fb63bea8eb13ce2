/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg restore: a table of a dump. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const struct option options[] = {
	{ "as", required_argument, NULL, 'a' },
	COMMON_LONG_OPTIONS
};

static int open_dump(const char *path, int *fd)
{
	*fd = STDIN_FILENO;
	if (!path || !strcmp(path, "-")) {
		if (isatty(*fd))
			usage("a dump is not typed: give a file, or redirect it");
		return 0;
	}
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? fail_text(EXIT_ERROR, "%s: %s", path, strerror(errno)) : 0;
}

static int report(struct kreg_table *table)
{
	struct kreg_stat *stat;
	char name[KREG_MAX_NAME + 32];
	int ret;

	if (kreg_table_stat(table, &stat))
		return finish_output();
	if (json) {
		json_begin(stdout);
		show_json(stat);
		json_end();
	} else {
		text_table(stat, name, sizeof(name));
		note("table '%s' is parked, with %" PRIu64 " objects", name,
		     kreg_stat_objects(stat));
	}
	ret = finish_output();
	kreg_stat_free(stat);
	return ret;
}

static int restore(struct kreg_client *client, int fd, const char *name)
{
	struct kreg_restore_options o = KREG_RESTORE_OPTIONS_INIT;
	struct kreg_table *table;
	int ret;

	o.name = name;
	o.progress = progress;
	ret = kreg_restore(client, fd, &o, &table);
	progress_end();
	if (ret) {
		fail(ret);
		if (ret == -EEXIST)
			note("'--as NAME' restores it under another name");
		return exit_code_of(ret);
	}
	ret = kreg_table_park(table);
	if (ret) {
		ret = fail(ret);
		kreg_table_destroy(table);
	} else {
		ret = report(table);
	}
	kreg_table_close(table);
	return ret;
}

static int run(int argc, char **argv)
{
	struct kreg_client *client;
	const char *name = NULL;
	int fd, ret;

	while (next_option(argc, argv, "a:", options) != -1)
		name = optarg;
	need_args(argc, 0, 1);
	if (name && !*name)
		usage("the name is empty");
	ret = open_dump(argv[optind], &fd);
	if (!ret)
		ret = open_client(&client);
	if (ret)
		return ret;
	ret = restore(client, fd, name);
	kreg_client_close(client);
	return ret;
}

const struct command cmd_restore = {
	.name = "restore",
	.args = "[--as NAME] [FILE]",
	.summary = "make a table of a dump",
	.help = "Make a table of what 'kreg dump' has written, from a file or standard input,\n"
		"and park it. The whole dump is verified before there is a table; one from which\n"
		"a byte is missing, or was changed, is refused. Others see the table when all is\n"
		"in it, and there is none if this command is killed before.\n\n"
		"  -a, --as NAME  under this name, not that of the table that was dumped",
	.run = run,
};
