/* SPDX-License-Identifier: GPL-2.0-only */
/* The kreg command: finds the subcommand. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

/* In the order of the manual page. */
static const struct command *const commands[] = {
	&cmd_new, &cmd_rm, &cmd_rename, &cmd_set, &cmd_ls, &cmd_info, &cmd_status,
	&cmd_put, &cmd_get, &cmd_take, &cmd_del, &cmd_incr, &cmd_patch,
	&cmd_scan, &cmd_count, &cmd_first, &cmd_last, &cmd_next, &cmd_prev,
	&cmd_batch, &cmd_load, &cmd_dump, &cmd_restore,
	&cmd_claim, &cmd_role, &cmd_give, &cmd_hold, &cmd_watch, &cmd_publish,
	&cmd_monitor, &cmd_wait, &cmd_lock, &cmd_lease, &cmd_queue, &cmd_register, &cmd_unregister,
	&cmd_whereis, &cmd_keys,
	&cmd_call, &cmd_cast, &cmd_supervise, &cmd_super,
};

#define N_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	size_t i;

	fprintf(out, "Usage: kreg COMMAND [ARGUMENT]...\n\n"
		"Named in-memory tables that outlive the processes that use them.\n\n");
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n'kreg COMMAND --help' tells more, and so does kreg(1).\n"
		"  -h, --help     this text\n  -V, --version  the version\n");
}

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* A script may have put anything in the place of a command. */
static int no_command(const char *name)
{
	fputs("kreg: there is no command '", stderr);
	bytes_print(name, strlen(name), stderr);
	fputs("'; 'kreg --help' lists them\n", stderr);
	return EXIT_USAGE;
}

/* kreg help [COMMAND] */
static int help_command(int argc, char **argv)
{
	const struct command *cmd = argc > 2 ? find(argv[2]) : NULL;

	if (argc > 2 && !cmd)
		return no_command(argv[2]);
	if (cmd)
		print_help(cmd, stdout);
	else
		help(stdout);
	return finish_output();
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(name, "-h") || !strcmp(name, "--help") || !strcmp(name, "help"))
		return help_command(argc, argv);
	if (!strcmp(name, "-V") || !strcmp(name, "--version")) {
		printf("kreg %s, libkreg %s\n", KREG_CLI_VERSION, kreg_version());
		return finish_output();
	}
	command = find(name);
	if (!command)
		return no_command(name);
	end_as_init();
	return command->run(argc - 1, argv + 1);
}
