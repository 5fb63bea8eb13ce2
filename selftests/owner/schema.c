// SPDX-License-Identifier: GPL-2.0
/*
 * Schemas: what is in a table, as its programs have agreed; asked for when it is opened, claimed
 * and waited for, and changed by its owner.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/standby.h"

#define SCHEMA	0x5e55000000000001ULL
#define OTHER	0x5e55000000000002ULL

FIXTURE(schema) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(schema)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(schema)
{
	test_teardown(_metadata, &self->base);
}

static struct kreg_ioc_open open_cmd(__u32 flags, __u64 schema, __u32 version)
{
	struct kreg_ioc_open cmd = test_open_cmd("w", flags);

	cmd.schema = schema;
	cmd.schema_version = version;
	return cmd;
}

/* Open "w" and ask for that; the answer has to be @err and what the table has. */
static void expect_open(struct __test_metadata *_metadata, int err, int fd, __u64 schema,
			__u32 version, __u64 has, __u32 has_version)
{
	struct kreg_ioc_open cmd = open_cmd(0, schema, version);

	cmd.out_schema = 99;
	cmd.out_schema_version = 99;
	EXPECT_EQ(-err, _test_open_cmd(fd, &cmd));
	EXPECT_EQ(has, cmd.out_schema);
	EXPECT_EQ(has_version, cmd.out_schema_version);
	EXPECT_EQ(schema, cmd.schema);
	EXPECT_EQ(version, cmd.schema_version);
}

static void expect_info(struct __test_metadata *_metadata, int fd, __u64 table, __u64 schema,
			__u32 version)
{
	struct kreg_info info;

	test_info(fd, table, &info);
	EXPECT_EQ(schema, info.schema);
	EXPECT_EQ(version, info.schema_version);
}

static int set_schema(int fd, __u64 table, __u64 schema, __u32 version, __u32 from)
{
	return _test_setopt(fd, table, KREG_OPT_SCHEMA, schema,
			    KREG_SCHEMA_VERSIONS(version, from));
}

/* A kid that owns "w", which is parked when he dies, with the schema in version 1. */
static struct kid *start_owner(struct __test_metadata *_metadata, __u64 *table)
{
	struct kid *kid = kid_start(_metadata);

	kid_open_prepare(kid, "w", KREG_OPEN_CREATE);
	kid->job->open.orphan = KREG_ORPHAN_PARK;
	kid->job->open.schema = SCHEMA;
	kid->job->open.schema_version = 1;
	EXPECT_EQ(0, kid_do(kid, job_open));
	*table = kid->job->table;
	return kid;
}

static long kid_set_version(struct kid *kid, __u64 table, __u32 version)
{
	return kid_setopt(kid, table, KREG_OPT_SCHEMA, SCHEMA, KREG_SCHEMA_VERSIONS(version, 0));
}

TEST_F(schema, created_with)
{
	struct kreg_ioc_open cmd = open_cmd(KREG_OPEN_CREATE | KREG_OPEN_EXCL, SCHEMA, 3);

	test_open_(self->fd, &cmd);
	EXPECT_EQ(SCHEMA, cmd.out_schema);
	EXPECT_EQ(3, cmd.out_schema_version);
	expect_info(_metadata, self->fd, cmd.out_table, SCHEMA, 3);
	/* The same, and what asks for nothing, or for no version. */
	expect_open(_metadata, 0, self->fd, SCHEMA, 3, SCHEMA, 3);
	expect_open(_metadata, 0, self->fd, SCHEMA, 0, SCHEMA, 3);
	expect_open(_metadata, 0, self->fd, 0, 0, SCHEMA, 3);
	/* With CREATE it is the same question. */
	cmd = open_cmd(KREG_OPEN_CREATE, SCHEMA, 3);
	test_open_(self->fd, &cmd);
	EXPECT_EQ(0, cmd.out_how);
	test_destroy(self->fd, cmd.out_table);
}

TEST_F(schema, another)
{
	struct kreg_ioc_open cmd = open_cmd(KREG_OPEN_CREATE, SCHEMA, 3);

	test_open_(self->fd, &cmd);
	self->table = cmd.out_table;
	expect_open(_metadata, EPROTOTYPE, self->fd, SCHEMA, 2, SCHEMA, 3);
	expect_open(_metadata, EPROTOTYPE, self->fd, SCHEMA, 4, SCHEMA, 3);
	expect_open(_metadata, EPROTOTYPE, self->fd, OTHER, 3, SCHEMA, 3);
	expect_open(_metadata, EPROTOTYPE, self->fd, OTHER, 0, SCHEMA, 3);
	cmd = open_cmd(KREG_OPEN_CREATE, OTHER, 3);
	test_err_open_(EPROTOTYPE, self->fd, &cmd);
	/* That it is there, and of which type, is looked at before. */
	cmd.flags |= KREG_OPEN_EXCL;
	test_err_open_(EEXIST, self->fd, &cmd);
	cmd.flags = KREG_OPEN_CREATE;
	cmd.type = KREG_TYPE_BAG;
	test_err_open_(EEXIST, self->fd, &cmd);
	test_destroy(self->fd, self->table);
}

TEST_F(schema, none)
{
	test_create(self->fd, "w", 0, &self->table);
	expect_info(_metadata, self->fd, self->table, 0, 0);
	expect_open(_metadata, 0, self->fd, 0, 0, 0, 0);
	expect_open(_metadata, EPROTOTYPE, self->fd, SCHEMA, 1, 0, 0);
	expect_open(_metadata, EPROTOTYPE, self->fd, SCHEMA, 0, 0, 0);
	test_destroy(self->fd, self->table);
}

TEST_F(schema, makes_no_sense)
{
	struct kreg_ioc_open cmd = open_cmd(KREG_OPEN_CREATE, SCHEMA, 0);

	test_err_open_(EINVAL, self->fd, &cmd);
	cmd = open_cmd(KREG_OPEN_CREATE, 0, 1);
	test_err_open_(EINVAL, self->fd, &cmd);
	cmd = open_cmd(0, 0, 1);
	test_err_open_(EINVAL, self->fd, &cmd);
	test_create(self->fd, "w", 0, &self->table);
	EXPECT_EQ(-EINVAL, set_schema(self->fd, self->table, SCHEMA, 0, 0));
	EXPECT_EQ(-EINVAL, set_schema(self->fd, self->table, SCHEMA, 0, 1));
	EXPECT_EQ(-EINVAL, set_schema(self->fd, self->table, 0, 1, 0));
	expect_info(_metadata, self->fd, self->table, 0, 0);
	test_destroy(self->fd, self->table);
}

/* A caller that knows the struct without it asks for nothing, and nothing is written behind it. */
TEST_F(schema, unknown_to_the_caller)
{
	struct kreg_ioc_open cmd = open_cmd(KREG_OPEN_CREATE, SCHEMA, 3);

	test_open_(self->fd, &cmd);
	self->table = cmd.out_table;
	cmd = open_cmd(0, OTHER, 1);
	cmd.size = KREG_OPEN_SIZE;
	cmd.out_schema = 77;
	cmd.out_schema_version = 77;
	test_open_(self->fd, &cmd);
	EXPECT_EQ(self->table, cmd.out_table);
	EXPECT_EQ(77, cmd.out_schema);
	EXPECT_EQ(77, cmd.out_schema_version);
	test_destroy(self->fd, self->table);
}

TEST_F(schema, changed)
{
	test_create(self->fd, "w", 0, &self->table);
	EXPECT_EQ(0, set_schema(self->fd, self->table, SCHEMA, 1, 0));
	expect_open(_metadata, 0, self->fd, SCHEMA, 1, SCHEMA, 1);
	/* Only from the version that it has. */
	EXPECT_EQ(-ECANCELED, set_schema(self->fd, self->table, SCHEMA, 3, 2));
	expect_info(_metadata, self->fd, self->table, SCHEMA, 1);
	EXPECT_EQ(0, set_schema(self->fd, self->table, SCHEMA, 2, 1));
	EXPECT_EQ(-ECANCELED, set_schema(self->fd, self->table, SCHEMA, 2, 1));
	expect_open(_metadata, EPROTOTYPE, self->fd, SCHEMA, 1, SCHEMA, 2);
	EXPECT_EQ(0, set_schema(self->fd, self->table, OTHER, ~0U, 2));
	expect_info(_metadata, self->fd, self->table, OTHER, ~0U);
	EXPECT_EQ(0, set_schema(self->fd, self->table, 0, 0, ~0U));
	expect_open(_metadata, EPROTOTYPE, self->fd, OTHER, 0, 0, 0);
	EXPECT_EQ(-ECANCELED, set_schema(self->fd, self->table, SCHEMA, 1, 1));
	test_destroy(self->fd, self->table);
}

TEST_F(schema, for_the_owner)
{
	struct kid *other = kid_start(_metadata);

	test_create(self->fd, "w", KREG_ACCESS_PUBLIC, &self->table);
	EXPECT_EQ(-EPERM, kid_set_version(other, self->table, 1));
	test_access(self->fd, self->table, KREG_ACCESS_PROTECTED);
	EXPECT_EQ(-EACCES, kid_set_version(other, self->table, 1));
	expect_info(_metadata, self->fd, self->table, 0, 0);
	test_destroy(self->fd, self->table);
	EXPECT_EQ(-ESTALE, set_schema(self->fd, self->table, SCHEMA, 1, 0));
}

/* Who may not open it is not told what is in it, nor who trusts his own user alone. */
TEST_F(schema, rights_come_first)
{
	struct kid *other = kid_start_as(_metadata, 1000);
	struct kreg_ioc_open cmd = open_cmd(KREG_OPEN_CREATE, SCHEMA, 1);

	test_open_(self->fd, &cmd);
	self->table = cmd.out_table;
	kid_open_prepare(other, "w", 0);
	other->job->open.schema = OTHER;
	EXPECT_EQ(-EACCES, kid_do(other, job_open));
	EXPECT_EQ(0, other->job->open.out_schema);
	test_mode(self->fd, self->table, 0666);
	EXPECT_EQ(-EPROTOTYPE, kid_do(other, job_open));
	EXPECT_EQ(SCHEMA, other->job->open.out_schema);
	other->job->open.flags = KREG_OPEN_OWN_USER;
	EXPECT_EQ(-EPERM, kid_do(other, job_open));
	test_destroy(self->fd, self->table);
}

TEST_F(schema, claimed)
{
	struct kid *owner = start_owner(_metadata, &self->table);
	struct kreg_ioc_open cmd = open_cmd(KREG_OPEN_CLAIM, SCHEMA, 2);
	struct kreg_info info;

	/* Whether there is an owner makes no difference. */
	test_err_open_(EPROTOTYPE, self->fd, &cmd);
	kid_kill(owner);
	test_err_open_(EPROTOTYPE, self->fd, &cmd);
	EXPECT_EQ(SCHEMA, cmd.out_schema);
	EXPECT_EQ(1, cmd.out_schema_version);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	/* As a new release does it: any version, its values made anew, then its own. */
	cmd.schema_version = 0;
	test_open_(self->fd, &cmd);
	EXPECT_EQ(KREG_OPENED_CLAIMED, cmd.out_how);
	EXPECT_EQ(1, cmd.out_schema_version);
	EXPECT_EQ(0, set_schema(self->fd, self->table, SCHEMA, 2, cmd.out_schema_version));
	test_err_open_(EALREADY, self->fd, &cmd);
	test_destroy(self->fd, self->table);
}

/* What it has when the wait ends counts, and is told. */
TEST_F(schema, waited_for)
{
	struct kid *owner = start_owner(_metadata, &self->table);
	struct kid *old = kid_start(_metadata), *new = kid_start(_metadata);

	kid_open_prepare(old, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	old->job->open.schema = SCHEMA;
	old->job->open.schema_version = 2;
	EXPECT_EQ(-EPROTOTYPE, kid_do(old, job_open));
	EXPECT_EQ(0, places(self->fd, self->table));
	old->job->open.schema_version = 1;
	kid_ask(old, job_open);
	EXPECT_TRUE(test_wait_for(places(self->fd, self->table) == 1));
	kid_open_prepare(new, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	new->job->open.schema = SCHEMA;
	kid_ask(new, job_open);
	EXPECT_TRUE(test_wait_for(places(self->fd, self->table) == 2));
	EXPECT_EQ(0, kid_set_version(owner, self->table, 2));
	EXPECT_EQ(2, places(self->fd, self->table));
	kid_kill(owner);
	EXPECT_EQ(-EPROTOTYPE, kid_answer(old));
	EXPECT_EQ(2, old->job->open.out_schema_version);
	EXPECT_EQ(0, kid_answer(new));
	EXPECT_EQ(2, new->job->open.out_schema_version);
	EXPECT_TRUE(is_owner(self->fd, self->table, new->self));
	EXPECT_EQ(0, kid_destroy(new, self->table));
}

TEST_F(schema, stood_by_for)
{
	struct kid *owner = start_owner(_metadata, &self->table);
	struct kreg_ioc_open cmd = open_cmd(TEST_STANDBY, SCHEMA, 2);
	struct kreg_process from = owner->self;
	struct test_event event;
	__u64 id;

	cmd.udata = TEST_UDATA;
	test_err_open_(EPROTOTYPE, self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_schema_version);
	cmd.schema_version = 1;
	test_open_(self->fd, &cmd);
	id = cmd.out_id;
	EXPECT_EQ(1, cmd.out_schema_version);
	EXPECT_EQ(0, kid_set_version(owner, self->table, 2));
	cmd.schema_version = 2;
	test_open_(self->fd, &cmd);
	EXPECT_EQ(2, cmd.out_schema_version);
	kid_kill(owner);
	test_event_now(self->fd, &event);
	test_gone(&event, self->table, id, KREG_CAUSE_SCHEMA);
	test_event_now(self->fd, &event);
	test_come(&event, self->table, cmd.out_id, from);
	test_destroy(self->fd, self->table);
}

/* Heirs are not asked, and the schema stays with the table. */
TEST_F(schema, inherited)
{
	struct kid *owner = start_owner(_metadata, &self->table);
	struct test_event event;

	EXPECT_EQ(0, kid_heir(owner, self->table, test_self(self->fd), ""));
	kid_kill(owner);
	test_event_now(self->fd, &event);
	expect_info(_metadata, self->fd, self->table, SCHEMA, 1);
	test_park(self->fd, self->table);
	expect_info(_metadata, self->fd, self->table, SCHEMA, 1);
	test_destroy(self->fd, self->table);
}

TEST_HARNESS_MAIN
