// SPDX-License-Identifier: GPL-2.0
/* libkreg: of what is invalid, each cause has a sentence of its own. */
#include "lib/cause.h"

TEST_F(lib, causes_of_options)
{
	const struct kreg_process nobody = { 0 }, half = { .cookie = 1 };
	struct kreg_process self_;

	ASSERT_EQ(0, kreg_client_self(self->client, &self_));
	EXPECT_CAUSE(EINVAL, "64 deaths at most", kreg_table_set_limit(self->table, 65, 1));
	EXPECT_CAUSE(EINVAL, "or neither", kreg_table_set_limit(self->table, 1, 0));
	EXPECT_CAUSE(EINVAL, "or neither", kreg_table_set_limit(self->table, 0, 1));
	EXPECT_CAUSE(EINVAL, "bits than those of 0666", kreg_table_set_mode(self->table, 0777));
	EXPECT_CAUSE(EINVAL, "0 is no access rule", kreg_table_set_access(self->table, 0));
	EXPECT_CAUSE(EINVAL, "is not parked for a time",
		     kreg_table_set_orphan(self->table, KREG_ORPHAN_DESTROY, 1));
	EXPECT_CAUSE(EINVAL, "pid 0", kreg_table_give(self->table, &nobody, NULL, 0));
	EXPECT_CAUSE(EINVAL, "pid 0", kreg_table_set_heir(self->table, &half, NULL, 0, 0));
	EXPECT_CAUSE(EINVAL, "there is none", kreg_table_set_heir(self->table, NULL, "d", 1, 0));
	EXPECT_CAUSE(EINVAL, "KREG_HEIR_SILENT is for none",
		     kreg_table_set_heir(self->table, &self_, "d", 1, KREG_HEIR_SILENT));
}

TEST_F(lib, causes_of_opens)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_process me;
	struct kreg_table *t;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
#define OPEN(text, path, ...)							\
do {										\
	struct kreg_open_options __o = { .size = sizeof(__o), __VA_ARGS__ };	\
										\
	EXPECT_CAUSE(EINVAL, text, kreg_table_open(self->client, path, &__o, &t));	\
} while (0)
	OPEN("the name is empty", "", .flags = KREG_OPEN_CREATE);
	OPEN("there is no name", NULL, .flags = 0);
	OPEN("a table without a name", NULL, .flags = KREG_OPEN_CREATE | KREG_OPEN_CLAIM);
	OPEN("does not go with KREG_OPEN_CLAIM", "n",
	     .flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL | KREG_OPEN_CLAIM);
	OPEN("goes with KREG_OPEN_CREATE alone", "n", .flags = KREG_OPEN_EXCL);
	OPEN("go with KREG_OPEN_CLAIM alone", "n", .flags = KREG_OPEN_WAIT);
	OPEN("go with KREG_OPEN_CLAIM alone", "n", .flags = KREG_OPEN_QUARANTINED);
	OPEN("goes with KREG_OPEN_WAIT alone", "n", .flags = KREG_OPEN_CLAIM, .deadline_ns = 1);
	OPEN("bits than those of 0666", "n", .flags = KREG_OPEN_CREATE, .mode = 0700);
	OPEN("is not parked for a time", "n", .flags = KREG_OPEN_CREATE, .orphan_ms = 1);
	OPEN("go with an heir", "n", .flags = KREG_OPEN_CREATE, .data = "d", .data_len = 1);
	OPEN("KREG_OPEN_HEIR_SILENT is for none", "n", .heir = me, .data = "d", .data_len = 1,
	     .flags = KREG_OPEN_CREATE | KREG_OPEN_HEIR_SILENT);
	OPEN("does not go with KREG_OPEN_ANY_USER", "n",
	     .flags = KREG_OPEN_OWN_USER | KREG_OPEN_ANY_USER);
	OPEN("without KREG_OPEN_CREATE", "n", .mode = 0600);
#undef OPEN
	o.size = 3;
	EXPECT_CAUSE(EINVAL, "do not tell their size",
		     kreg_table_open(self->client, "n", &o, &t));
	EXPECT_CAUSE(EINVAL, "has to have a name", kreg_role_open(self->client, NULL, 0, &t));
	EXPECT_CAUSE(EINVAL, "has the id 0", kreg_table_by_id(self->client, 0, &t));
}

TEST_F(lib, causes_of_owning)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *t;

	o.flags = KREG_OPEN_WAIT;
	EXPECT_CAUSE(EINVAL, "does not go with owning",
		     kreg_table_own(self->client, "n", 0, &o, &t));
	o.flags = 0;
	o.deadline_ns = 1;
	EXPECT_CAUSE(EINVAL, "not in its options", kreg_table_own(self->client, "n", 0, &o, &t));
}

static void expect_line(struct __test_metadata *_metadata, struct kreg_table *table,
			const struct kreg_register_options *o, size_t len, const char *text)
{
	struct kreg_ref *ref;

	EXPECT_CAUSE(EINVAL, text, kreg_register_wait(table, "k", len, "", 0, o, 0, NULL));
	EXPECT_CAUSE(EINVAL, text,
		     kreg_register_standby(table, "k", len, "", 0, o, NULL, NULL, &ref));
}

TEST_F(lib, causes_of_lines)
{
	struct kreg_register_options o = { .size = sizeof(o), .version = 1 };
	struct kreg_lock_options lock = KREG_LOCK_OPTIONS_INIT;
	struct kreg_holder holder = { .size = 1 };
	const struct kreg_event *event;
	struct kreg_lock *l;
	struct kreg_ref *ref;

	expect_line(_metadata, self->table, &o, 1, "a version does not go with a place in line");
	o.version = 0;
	expect_line(_metadata, self->table, &o, 0, "the key is empty");
	o.size = 1;
	expect_line(_metadata, self->table, &o, 1, "do not tell their size");
	EXPECT_CAUSE(EINVAL, "the key is empty", kreg_lock(self->table, "", 0, 0, &l));
	lock.holder = &holder;
	EXPECT_CAUSE(EINVAL, "the holder does not tell its size",
		     kreg_lock_with(self->table, "k", 1, &lock, &l));
	EXPECT_CAUSE(EINVAL, "the holder does not tell its size",
		     kreg_register_wait(self->table, "k", 1, "", 0, NULL, 0, &holder));
	ASSERT_EQ(0, kreg_when(self->table, "k", 1, KREG_WATCH_ABSENT, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_event_next(self->client, PATIENCE_MS, &event));
	EXPECT_CAUSE(EINVAL, "has brought no lock", kreg_lock_take(self->table, event, &l));
	kreg_ref_cancel(ref);
	EXPECT_CAUSE(EINVAL, "in another table",
		     kreg_registry_ensure(self->table, self->table, "k", 1, NULL, NULL, 0, NULL));
}

TEST_F(lib, causes_of_subscriptions)
{
	const unsigned int all = KREG_SUBSCRIBE_KINDS;
	const struct kreg_event *event;
	struct kreg_ref *ref;

#define SUBSCRIBE(text, kinds, flags, after)					\
	EXPECT_CAUSE(EINVAL, text,						\
		     kreg_subscribe(self->table, kinds, flags, after, NULL, NULL, &ref))
	SUBSCRIBE("no kind of event", 0, 0, 0);
	SUBSCRIBE("does not go with KREG_SUBSCRIBE_REPLAY", all,
		  KREG_SUBSCRIBE_PRESENT | KREG_SUBSCRIBE_REPLAY, 0);
	SUBSCRIBE("goes with KREG_SUBSCRIBE_REPLAY alone", all, 0, 1);
	SUBSCRIBE("no event with the number", all, KREG_SUBSCRIBE_REPLAY, 1000);
#undef SUBSCRIBE
	ASSERT_EQ(0, kreg_subscribe(self->table, all, 0, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	ASSERT_EQ(0, kreg_event_next(self->client, PATIENCE_MS, &event));
	EXPECT_CAUSE(EINVAL, "of no subscription with KREG_SUBSCRIBE_ACK", kreg_event_ack(event));
	kreg_ref_cancel(ref);
}

TEST_F(lib, causes_of_waits)
{
	EXPECT_CAUSE(EINVAL, "the key is empty",
		     kreg_wait(self->table, "", 0, KREG_WATCH_PRESENT, 0, 0));
	EXPECT_CAUSE(EINVAL, "with KREG_WATCH_CHANGED alone",
		     kreg_wait(self->table, "k", 1, KREG_WATCH_PRESENT, 1, 0));
	EXPECT_CAUSE(EINVAL, "by this kind of watch",
		     kreg_wait(self->table, "k", 1, KREG_WATCH_OWNER, 0, 0));
	EXPECT_CAUSE(EINVAL, "the name is empty",
		     kreg_wait_name(self->client, "", KREG_WATCH_PRESENT, 0));
	EXPECT_CAUSE(EINVAL, "a name has no such condition",
		     kreg_wait_name(self->client, "n", KREG_WATCH_CHANGED, 0));
}

TEST_F(lib, causes_of_operations)
{
	struct kreg_more more = { .size = sizeof(more), .linger_ms = 1, .start_len = 1 };
	struct kreg_op_args args = KREG_OP_ARGS_INIT;
	struct kreg_loan loan = KREG_LOAN_INIT;

#define RUN(err, text, op, ...)							\
do {										\
	struct kreg_op_args __a = {						\
		.size = sizeof(__a), .code = (op), .key = "k",			\
		__VA_ARGS__							\
	};									\
										\
	EXPECT_CAUSE(err, text, kreg_op_run(self->table, &__a));		\
} while (0)
	RUN(EINVAL, "the key is empty", KREG_OP_PUT, .value = "v", .value_len = 1);
	RUN(EINVAL, "by no key and no value", KREG_OP_CLEAR, .key_len = 1);
	RUN(EINVAL, "only one may be given", KREG_OP_PUT, .key_len = 1, .version = 1,
	    .flags = KREG_OP_VERSION | KREG_OP_VALUE);
	RUN(EINVAL, "has version 0", KREG_OP_PUT, .key_len = 1, .flags = KREG_OP_VERSION);
	RUN(EINVAL, "KREG_OP_NEW does not go", KREG_OP_PUT, .key_len = 1,
	    .flags = KREG_OP_NEW | KREG_OP_PRESENT);
	RUN(EINVAL, "KREG_WRITE_ASYNC", KREG_OP_PUT, .key_len = 1, .flags = KREG_OP_NEW,
	    .call_flags = KREG_WRITE_ASYNC);
	RUN(EINVAL, "contradict each other", KREG_OP_PUT, .key_len = 1, .more = &more,
	    .flags = KREG_OP_BOUND | KREG_OP_MORE);
	RUN(EINVAL, "does not go with this operation", KREG_OP_MEMBER, .key_len = 1, .value = "v",
	    .value_len = 1);
	RUN(ENODATA, "does not have the key", KREG_OP_PUT, .key_len = 1, .flags = KREG_OP_MINE);
	RUN(ENODATA, "the key is not in", KREG_OP_PUT, .key_len = 1, .flags = KREG_OP_PRESENT);
#undef RUN
	args.size = 3;
	EXPECT_CAUSE(EINVAL, "do not tell their size", kreg_op_run(self->table, &args));
	EXPECT_CAUSE(EINVAL, "has no version", kreg_lease_return(self->table, "k", 1, &loan));
	EXPECT_CAUSE(EINVAL, "the key is empty", kreg_lease_return(self->table, "", 0, NULL));
	EXPECT_CAUSE(ENODATA, "is not on loan to this process",
		     kreg_lease_return(self->table, "k", 1, NULL));
}

TEST_F(lib, causes_of_ranges)
{
	struct kreg_scan *scan;
	uint64_t n;

#define SCAN(text, ...)								\
do {										\
	struct kreg_scan_options __o = { .size = sizeof(__o), __VA_ARGS__ };	\
										\
	EXPECT_CAUSE(EINVAL, text, kreg_scan_open(self->table, &__o, &scan));	\
} while (0)
	SCAN("the highest key is empty", .high = "");
	SCAN("not go with a highest key", .low = "a", .low_len = 1, .high = "b", .high_len = 1,
	     .range = KREG_RANGE_PREFIX);
	SCAN("not go with other flags", .low = "a", .low_len = 1,
	     .range = KREG_RANGE_PREFIX | KREG_RANGE_LOW_OPEN);
	SCAN("needs a lowest key", .range = KREG_RANGE_LOW_OPEN);
	SCAN("needs a highest key", .range = KREG_RANGE_HIGH_OPEN);
	SCAN("has a length and is NULL", .low_len = 1);
	SCAN("the key is empty", .low = "", .range = KREG_RANGE_EXACT);
	SCAN("1 GiB", .room = (1u << 30) + 1);
#undef SCAN
	EXPECT_CAUSE(EINVAL, "no batch and no room",
		     kreg_scan_count(self->table, &(struct kreg_scan_options){
			.size = sizeof(struct kreg_scan_options), .batch = 1 }, &n));
}

TEST_F(lib, causes_of_edits)
{
	struct kreg_edit_options o = KREG_EDIT_OPTIONS_INIT;
	struct kreg_counter_options c = { .size = sizeof(c), .starts = 1, .offset = 8, .start = 1 };
	struct kreg_field field, many[KREG_MAX_FIELDS + 1];
	int64_t now;
	int i;

	kreg_field_number(&field, KREG_FIELD_ADD, 0, 0, 1);
	for (i = 0; i <= KREG_MAX_FIELDS; i++)
		many[i] = field;
	EXPECT_CAUSE(EINVAL, "the key is empty", kreg_edit(self->table, "", 0, &field, 1, NULL));
	EXPECT_CAUSE(EINVAL, "there is no field", kreg_edit(self->table, "k", 1, &field, 0, NULL));
	EXPECT_CAUSE(EFBIG, "more than 16 fields",
		     kreg_edit(self->table, "k", 1, many, KREG_MAX_FIELDS + 1, NULL));
	EXPECT_CAUSE(EFBIG, "longer than 1048576 bytes",
		     kreg_patch(self->table, "k", 1, KREG_MAX_VALUE, "v", 1, KREG_FIELD_EXTEND));
	o.start = "";
	o.if_version = 1;
	EXPECT_CAUSE(EINVAL, "there is no version", kreg_edit(self->table, "k", 1, &field, 1, &o));
	field.set = 1;
	EXPECT_CAUSE(EINVAL, "the flags of a field",
		     kreg_edit(self->table, "k", 1, &field, 1, NULL));
	EXPECT_CAUSE(EINVAL, "begins with 0",
		     kreg_counter_add_with(self->table, "k", 1, 1, &c, &now));
}

TEST_HARNESS_MAIN
