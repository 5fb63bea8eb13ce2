/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg info: all about tables. */
#include <inttypes.h>
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "id", no_argument, NULL, 'i' },
	COMMON_LONG_OPTIONS
};

static void line(const char *title, const char *text)
{
	bool keep = hex;

	hex = false;
	printf("%-10s ", title);
	bytes_print(text, strlen(text), stdout);
	putchar('\n');
	hex = keep;
}

static void number(const char *title, uint64_t value, const char *unit)
{
	printf("%-10s %" PRIu64 "%s\n", title, value, unit);
}

/* A process, and the user under whom it owns or inherits if that is not the table's. */
static void text_holder(const struct kreg_stat *stat, struct kreg_process proc, uid_t uid,
			char *buf, size_t room)
{
	char user[64];
	size_t used;

	text_proc(proc.pid, buf, room);
	used = strlen(buf);
	if (proc.cookie && uid != kreg_stat_uid(stat))
		snprintf(buf + used, room - used, ", as user %s",
			 text_user(uid, user, sizeof(user)));
}

static void show_owner(const struct kreg_stat *stat)
{
	char buf[160], left[32];

	if (kreg_stat_parked(stat) && kreg_stat_parked_until_ns(stat)) {
		text_ms(parked_ms_left(stat), left, sizeof(left));
		snprintf(buf, sizeof(buf), "none: %s for another %s",
			 kreg_stat_quarantined(stat) ? "quarantined" : "parked", left);
	} else if (kreg_stat_parked(stat)) {
		snprintf(buf, sizeof(buf), "none: %s",
			 kreg_stat_quarantined(stat) ? "quarantined" : "parked");
	} else {
		text_holder(stat, kreg_stat_owner(stat), kreg_stat_owner_uid(stat), buf,
			    sizeof(buf));
	}
	line("owner", buf);
	snprintf(buf, sizeof(buf), "none");
	if (kreg_stat_heir(stat).cookie)
		text_holder(stat, kreg_stat_heir(stat), kreg_stat_heir_uid(stat), buf,
			    sizeof(buf));
	if (kreg_stat_heir_silent(stat))
		strncat(buf, ", silent", sizeof(buf) - strlen(buf) - 1);
	if (kreg_stat_heir_on_crash(stat))
		strncat(buf, ", after a crash", sizeof(buf) - strlen(buf) - 1);
	line("heir", buf);
	snprintf(buf, sizeof(buf), "%s", text_orphan(kreg_stat_orphan(stat)));
	if (kreg_stat_orphan_ms(stat)) {
		text_ms(kreg_stat_orphan_ms(stat), left, sizeof(left));
		snprintf(buf, sizeof(buf), "%s for %s", text_orphan(kreg_stat_orphan(stat)), left);
	}
	line("orphan", buf);
}

/* A role is named by its id, since its name may be none of the caller's business. */
static void show_roles(const struct kreg_stat *stat)
{
	char buf[64], within[32];

	if (kreg_stat_role(stat))
		number("follows", kreg_stat_role(stat), "");
	if (kreg_stat_writer_role(stat))
		number("writer", kreg_stat_writer_role(stat), "");
	if (!kreg_stat_limit(stat))
		return;
	text_ms(kreg_stat_limit_ms(stat), within, sizeof(within));
	snprintf(buf, sizeof(buf), "%u deaths of owners in %s", kreg_stat_limit(stat), within);
	line("limit", buf);
}

static void show_schema(const struct kreg_stat *stat)
{
	char buf[64];

	if (!kreg_stat_schema(stat))
		return;
	snprintf(buf, sizeof(buf), "%#" PRIx64 ", version %u", kreg_stat_schema(stat),
		 kreg_stat_schema_version(stat));
	line("schema", buf);
}

static void show_pins(const struct kreg_stat *stat)
{
	char buf[256], kept[32], since[32], who[96];

	if (!kreg_stat_pins(stat))
		return;
	text_bytes(kreg_stat_kept_bytes(stat), kept, sizeof(kept));
	text_ms(ms_since(kreg_stat_pinned_since_ns(stat)), since, sizeof(since));
	text_proc(kreg_stat_pinner(stat).pid, who, sizeof(who));
	snprintf(buf, sizeof(buf), "%u, which keep %" PRIu64 " objects (%s); the first for %s, process %s",
		 kreg_stat_pins(stat), kreg_stat_kept(stat), kept, since, who);
	line("pins", buf);
}

static void show(const struct kreg_stat *stat)
{
	char buf[192], user[64];

	text_table(stat, buf, sizeof(buf));
	line("table", buf);
	number("id", kreg_stat_id(stat), "");
	snprintf(buf, sizeof(buf), "%s %04o, user %s%s", text_access(kreg_stat_access(stat)),
		 kreg_stat_mode(stat), text_user(kreg_stat_uid(stat), user, sizeof(user)),
		 kreg_stat_claimable(stat) ? ", claimable by whoever may write" : "");
	line("access", buf);
	if (kreg_stat_shared(stat))
		line("shared", "while public, whoever may write may destroy and rename it");
	show_schema(stat);
	if (kreg_stat_sealed(stat))
		line("sealed", "what is in it stays as it is");
	show_owner(stat);
	show_roles(stat);
	number("waiting", kreg_stat_waiters(stat), " to claim it");
	number("transfers", kreg_stat_transfers(stat), "");
	number("objects", kreg_stat_objects(stat), "");
	if (kreg_stat_bound(stat))
		number("bound", kreg_stat_bound(stat), " objects of processes, or on loan");
	if (kreg_stat_timed(stat))
		number("timed", kreg_stat_timed(stat), " objects that expire");
	number("bytes", kreg_stat_bytes(stat), " of keys and values");
	text_bytes(kreg_stat_memory(stat), user, sizeof(user));
	snprintf(buf, sizeof(buf), "%" PRIu64 " (%s)", kreg_stat_memory(stat), user);
	line("memory", buf);
	number("version", kreg_stat_version(stat), "");
	show_pins(stat);
	if (kreg_stat_marks(stat)) {
		snprintf(buf, sizeof(buf), "%u links at most, %u marks in long buckets",
			 kreg_stat_walked(stat), kreg_stat_marks(stat));
		line("walks", buf);
	}
	snprintf(buf, sizeof(buf), "user %" PRIu64 ", pid %" PRIu64, kreg_stat_user_ns(stat),
		 kreg_stat_pid_ns(stat));
	line("namespaces", buf);
}

static int look_up(struct kreg_client *client, const char *arg, bool by_id,
		   struct kreg_stat **stat)
{
	int ret = by_id ? kreg_stat_by_id(client, id_arg(arg), stat) :
			  kreg_stat_by_name(client, arg, stat);

	return ret ? fail(ret) : 0;
}

static int run(int argc, char **argv)
{
	struct kreg_client *client;
	struct kreg_stat *stat;
	bool by_id = false;
	int i, ret, status;

	while (next_option(argc, argv, "i", options) != -1)
		by_id = true;
	need_args(argc, 1, -1);
	status = open_client(&client);
	if (status)
		return status;
	for (i = optind; i < argc; i++) {
		ret = look_up(client, argv[i], by_id, &stat);
		if (ret) {
			status = status ? status : ret;
			continue;
		}
		if (json) {
			json_begin(stdout);
			show_json(stat);
			json_end();
		} else {
			if (i > optind)
				putchar('\n');
			show(stat);
		}
		kreg_stat_free(stat);
	}
	kreg_client_close(client);
	return status ? status : finish_output();
}

const struct command cmd_info = {
	.name = "info",
	.args = "NAME... | --id ID...",
	.summary = "tell all about a table",
	.help = "Tell all about tables: rights, owner, heir, what becomes of them, sizes.\n\n"
		"  -i, --id  ids instead of names, also of other namespaces over which one has\n"
		"            CAP_SYS_ADMIN: see 'kreg ls --all'",
	.run = run,
};
