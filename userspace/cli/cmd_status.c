/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg status: how much there is, whose it is, and what keeps the module in use. */
#include <inttypes.h>
#include <string.h>

#include "status.h"

static const struct option options[] = {
	COMMON_LONG_OPTIONS
};

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* Tables that are destroyed, but whose memory is not free yet. */
static uint64_t being_freed(const struct status *s)
{
	return s->counters.tables > s->total.tables ? s->counters.tables - s->total.tables : 0;
}

/* Open files of processes that /proc does not show here; this command's own is not counted. */
static uint64_t unseen_files(const struct status *s)
{
	uint64_t seen = (uint64_t)s->files + 1;

	return s->counters.clients > seen ? s->counters.clients - seen : 0;
}

static void json_account(const struct account *a)
{
	json_number("tables", a->tables);
	json_number("parked", a->parked);
	json_number("objects", a->objects);
	json_number("memory", a->memory);
}

static void json_module(const struct status *s)
{
	json_begin(stdout);
	json_text("status", s->counters.known ? "module" : "visible");
	json_account(&s->total);
	json_number("files", s->files);
	if (s->counters.known) {
		json_number("tables_being_freed", being_freed(s));
		json_number("files_unseen", unseen_files(s));
		json_number("deaths_pending", s->counters.deaths);
	}
	json_end();
}

static void json_all(const struct status *s)
{
	char text[64];
	size_t i;

	json_module(s);
	for (i = 0; i < s->n_accounts; i++) {
		json_begin(stdout);
		json_text("status", "user");
		json_number("uid", s->accounts[i].uid);
		json_account(&s->accounts[i]);
		json_end();
	}
	for (i = 0; i < s->n_holders; i++) {
		json_begin(stdout);
		json_text("status", "process");
		json_number("pid", s->holders[i].pid);
		text_comm(s->holders[i].pid, text, sizeof(text));
		json_text("command", text);
		json_number("uid", s->holders[i].uid);
		json_number("files", s->holders[i].files);
		json_number("inherited", s->holders[i].inherited);
		json_end();
	}
}

static void print_totals(const struct status *s)
{
	char memory[32];

	text_bytes(s->total.memory, memory, sizeof(memory));
	printf("tables  %" PRIu64 ", of them %" PRIu64 " parked, with %" PRIu64
	       " object%s in %s\n", s->total.tables, s->total.parked, s->total.objects,
	       plural(s->total.objects), memory);
	printf("files   %u open in %zu process%s\n", s->files, s->n_holders,
	       s->n_holders == 1 ? "" : "es");
	if (!s->counters.known)
		return;
	printf("deaths  %" PRIu64 " not handled yet\n", s->counters.deaths);
	if (being_freed(s))
		printf("        %" PRIu64 " destroyed table%s being freed\n", being_freed(s),
		       being_freed(s) == 1 ? " is" : "s are");
	if (unseen_files(s))
		printf("        %" PRIu64 " more file%s open where /proc does not show it\n",
		       unseen_files(s), unseen_files(s) == 1 ? " is" : "s are");
}

static void print_accounts(const struct status *s)
{
	char user[64], memory[32];
	const struct account *a;
	size_t i;

	if (!s->n_accounts)
		return;
	printf("\n%-16s %8s %8s %12s %10s\n", "USER", "TABLES", "PARKED", "OBJECTS", "MEMORY");
	for (i = 0; i < s->n_accounts; i++) {
		a = &s->accounts[i];
		text_bytes(a->memory, memory, sizeof(memory));
		printf("%-16s %8" PRIu64 " %8" PRIu64 " %12" PRIu64 " %10s\n",
		       text_user(a->uid, user, sizeof(user)), a->tables, a->parked, a->objects,
		       memory);
	}
}

static void print_holders(const struct status *s)
{
	char user[64], process[64];
	const struct holder *h;
	size_t i;

	if (!s->n_holders)
		return;
	printf("\n%-16s %8s  %s\n", "USER", "FILES", "PROCESS");
	for (i = 0; i < s->n_holders; i++) {
		h = &s->holders[i];
		printf("%-16s %8u  ", text_user(h->uid, user, sizeof(user)), h->files);
		text_proc(h->pid, process, sizeof(process));
		bytes_print(process, strlen(process), stdout);
		if (h->inherited)
			printf(", %u of them opened by another process", h->inherited);
		putchar('\n');
	}
}

/* For an administrator to whom rmmod(8) has said that the module is in use. */
static void print_verdict(const struct status *s)
{
	uint64_t tables = s->total.tables + being_freed(s), files = s->files + unseen_files(s);

	if (!s->counters.known)
		return;
	if (!tables && !files)
		printf("\nNothing holds the module: it can be removed.\n");
	else
		printf("\nThe module cannot be removed: %" PRIu64 " table%s and %" PRIu64
		       " open file%s hold it.\n"
		       "'kreg ls --all' lists the tables, 'kreg rm --parked --all' and\n"
		       "'kreg rm --id' destroy them.\n", tables, plural(tables), files,
		       plural(files));
}

static int run(int argc, char **argv)
{
	struct kreg_client *client;
	struct status status;
	int ret;

	while (next_option(argc, argv, "", options) != -1)
		;
	need_args(argc, 0, 0);
	ret = open_client(&client);
	if (ret)
		return ret;
	ret = status_read(client, &status);
	if (!ret && json) {
		json_all(&status);
	} else if (!ret) {
		print_totals(&status);
		print_accounts(&status);
		print_holders(&status);
		print_verdict(&status);
	}
	status_free(&status);
	kreg_client_close(client);
	return ret ? ret : finish_output();
}

const struct command cmd_status = {
	.name = "status",
	.args = "",
	.summary = "how much there is, and what keeps the module in use",
	.help = "Count the tables of which one may know, by user, and tell which processes have\n"
		"the device open. Root of the initial user namespace sees all of them, and why\n"
		"the module cannot be removed; others see what is theirs.",
	.run = run,
};
