/* SPDX-License-Identifier: GPL-2.0-only */
/* A table in JSON, as ls, info and watch show it. */
#include <inttypes.h>
#include <time.h>

#include "cmd.h"

uint64_t parked_ms_left(const struct kreg_stat *stat)
{
	uint64_t until = kreg_stat_parked_until_ns(stat), now_ns;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000u + now.tv_nsec;
	return until > now_ns ? (until - now_ns) / 1000000 : 0;
}

static void show_proc(const char *name, struct kreg_process proc, uid_t uid)
{
	char comm[32], field[32];

	if (!proc.cookie) {
		json_null(name);
		return;
	}
	json_number(name, proc.pid);
	snprintf(field, sizeof(field), "%s_cookie", name);
	json_number(field, proc.cookie);
	snprintf(field, sizeof(field), "%s_uid", name);
	json_number(field, uid);
	text_comm(proc.pid, comm, sizeof(comm));
	snprintf(field, sizeof(field), "%s_command", name);
	if (comm[0])
		json_text(field, comm);
}

/* As text, since not all readers of JSON keep 64 bits of a number. */
void show_json_schema(uint64_t schema, unsigned int version)
{
	char text[24];

	snprintf(text, sizeof(text), "%#" PRIx64, schema);
	if (schema)
		json_text("schema", text);
	else
		json_null("schema");
	json_number("schema_version", version);
}

void show_json(const struct kreg_stat *stat)
{
	char mode[8];

	json_text("name", kreg_stat_name(stat));
	json_number("id", kreg_stat_id(stat));
	json_text("type", text_type(kreg_stat_type(stat)));
	json_text("access", text_access(kreg_stat_access(stat)));
	snprintf(mode, sizeof(mode), "%04o", kreg_stat_mode(stat));
	json_text("mode", mode);
	show_json_schema(kreg_stat_schema(stat), kreg_stat_schema_version(stat));
	json_bool("sealed", kreg_stat_sealed(stat));
	json_number("uid", kreg_stat_uid(stat));
	json_number("gid", kreg_stat_gid(stat));
	json_bool("parked", kreg_stat_parked(stat));
	if (kreg_stat_parked(stat) && kreg_stat_parked_until_ns(stat))
		json_number("parked_ms_left", parked_ms_left(stat));
	show_proc("owner", kreg_stat_owner(stat), kreg_stat_owner_uid(stat));
	show_proc("heir", kreg_stat_heir(stat), kreg_stat_heir_uid(stat));
	json_bool("heir_silent", kreg_stat_heir_silent(stat));
	json_bool("heir_on_crash", kreg_stat_heir_on_crash(stat));
	json_bool("quarantined", kreg_stat_quarantined(stat));
	json_text("orphan", text_orphan(kreg_stat_orphan(stat)));
	json_number("orphan_ms", kreg_stat_orphan_ms(stat));
	json_bool("claimable", kreg_stat_claimable(stat));
	json_bool("shared", kreg_stat_shared(stat));
	json_number("waiters", kreg_stat_waiters(stat));
	json_number("objects", kreg_stat_objects(stat));
	json_number("bytes", kreg_stat_bytes(stat));
	json_number("memory", kreg_stat_memory(stat));
	json_number("limbo", kreg_stat_limbo(stat));
	json_number("buckets", kreg_stat_buckets(stat));
	json_number("walked", kreg_stat_walked(stat));
	json_number("marks", kreg_stat_marks(stat));
	json_number("pins", kreg_stat_pins(stat));
	if (kreg_stat_pinned_since_ns(stat))
		json_number("pinned_ms", ms_since(kreg_stat_pinned_since_ns(stat)));
	if (kreg_stat_pinner(stat).cookie)
		json_number("pinner", kreg_stat_pinner(stat).pid);
	else
		json_null("pinner");
	json_number("kept", kreg_stat_kept(stat));
	json_number("kept_bytes", kreg_stat_kept_bytes(stat));
	json_number("bound", kreg_stat_bound(stat));
	json_number("timed", kreg_stat_timed(stat));
	json_number("version", kreg_stat_version(stat));
	json_number("transfers", kreg_stat_transfers(stat));
	json_number("user_ns", kreg_stat_user_ns(stat));
	json_number("pid_ns", kreg_stat_pid_ns(stat));
	json_number("role", kreg_stat_role(stat));
	json_number("writer_role", kreg_stat_writer_role(stat));
	json_number("limit", kreg_stat_limit(stat));
	json_number("limit_ms", kreg_stat_limit_ms(stat));
	json_number("subscriptions", kreg_stat_subscriptions(stat));
	json_number("events", kreg_stat_events(stat));
}
