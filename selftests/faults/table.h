/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of faults.c on tables as a whole, on clients and on mailboxes.
 */
#ifndef KREG_FAULTS_TABLE_H
#define KREG_FAULTS_TABLE_H

#define MAKER(_name)							\
static void _name(struct __test_metadata *_metadata, struct world *w,	\
		  struct call *c, const struct test_case *test)

MAKER(make_query)
{
	call_init(c, KREG_IOC_QUERY, sizeof(c->arg.query), true);
}

SWEEP(query, .make = make_query)

MAKER(make_whois)
{
	call_init(c, KREG_IOC_WHOIS, sizeof(c->arg.whois), true);
	c->arg.whois.pid = w->kid->pid;
}

SWEEP(whois, .make = make_whois, .kid = true)

static void make_open_name(struct call *c, const char *name, __u32 flags)
{
	call_init(c, KREG_IOC_OPEN, sizeof(c->arg.open), true);
	c->arg.open = test_open_cmd(NULL, flags);
	c->arg.open.name_len = strlen(name);
	call_in(c, PART_KEY, &c->arg.open.name, name, strlen(name));
}

MAKER(make_open)
{
	make_open_name(c, NAME, 0);
}

SWEEP(open, .make = make_open)

MAKER(make_create)
{
	make_open_name(c, "created", KREG_OPEN_CREATE | test->flags);
	c->arg.open.orphan = KREG_ORPHAN_PARK;
	if (!w->kid)
		return;
	c->arg.open.heir = w->kid->self;
	c->arg.open.data_len = 100;
	call_in(c, PART_VALUE, &c->arg.open.data, bytes, 100);
}

SWEEP(create, .make = make_create)
SWEEP(create_heir, .make = make_create, .kid = true, .flags = KREG_OPEN_HEIR)

MAKER(make_claim)
{
	test_park(w->fd, w->table);
	make_open_name(c, NAME, KREG_OPEN_CLAIM | test->flags);
}

SWEEP(claim, .make = make_claim)
SWEEP(claim_wait, .make = make_claim, .flags = KREG_OPEN_WAIT)

/* The kid has it, so that the call takes a place in line. */
MAKER(make_standby)
{
	test_give(w->fd, w->table, w->kid->self, NULL, 0);
	make_open_name(c, NAME, KREG_OPEN_CLAIM | KREG_OPEN_STANDBY);
}

SWEEP(standby, .make = make_standby, .kid = true)
SWEEP(standby_now, .make = make_claim, .flags = KREG_OPEN_STANDBY)
SWEEP(standby_full, .make = make_standby, .kid = true, .full = "max_user_watches", .at = 0)

MAKER(make_destroy)
{
	call_init(c, KREG_IOC_DESTROY, sizeof(c->arg.table), false);
	c->arg.table.table = w->table;
}

SWEEP(destroy, .make = make_destroy)

/* The heir does not own the table, so room for a record must be reserved for it. */
MAKER(make_give)
{
	test_heir(w->fd, w->table, test_self(w->fd), "heir", 4, 0);
	call_init(c, KREG_IOC_GIVE, sizeof(c->arg.give), false);
	c->arg.give.table = w->table;
	c->arg.give.flags = test->flags;
	if (test->flags)
		return;
	c->arg.give.to = w->kid->self;
	c->arg.give.data_len = 100;
	call_in(c, PART_VALUE, &c->arg.give.data, bytes, 100);
}

SWEEP(give, .make = make_give, .kid = true)
SWEEP(park, .make = make_give, .flags = KREG_GIVE_PARK)

MAKER(make_setopt)
{
	call_init(c, KREG_IOC_SETOPT, sizeof(c->arg.setopt), false);
	c->arg.setopt.table = w->table;
	c->arg.setopt.option = test->option;
	c->arg.setopt.value = test->value;
}

SWEEP(access, .make = make_setopt, .option = KREG_OPT_ACCESS, .value = KREG_ACCESS_PRIVATE)
SWEEP(mode, .make = make_setopt, .option = KREG_OPT_MODE, .value = 0600)
SWEEP(orphan, .make = make_setopt, .option = KREG_OPT_ORPHAN, .value = KREG_ORPHAN_PARK)

MAKER(make_schema)
{
	make_setopt(_metadata, w, c, test);
	c->arg.setopt.value2 = 1;
}

SWEEP(schema, .make = make_schema, .option = KREG_OPT_SCHEMA, .value = 5)
SWEEP(seal, .make = make_setopt, .option = KREG_OPT_SEAL, .value = 1)

MAKER(make_heir)
{
	make_setopt(_metadata, w, c, test);
	c->arg.setopt.process = w->kid->self;
	c->arg.setopt.data_len = 100;
	call_in(c, PART_VALUE, &c->arg.setopt.data, bytes, 100);
}

SWEEP(heir, .make = make_heir, .kid = true, .option = KREG_OPT_HEIR)

MAKER(make_setopt_client)
{
	make_setopt(_metadata, w, c, test);
	c->arg.setopt.table = 0;
}

SWEEP(receiver, .make = make_setopt_client, .option = KREG_OPT_RECEIVER)
SWEEP(accept, .make = make_setopt_client, .option = KREG_OPT_ACCEPT, .value = 1)

MAKER(make_sync)
{
	call_init(c, KREG_IOC_SYNC, sizeof(c->arg.sync), false);
}

SWEEP(sync, .make = make_sync)

/* With an heir, to whom another record is promised. */
MAKER(make_rename)
{
	test_heir(w->fd, w->table, w->kid->self, "heir", 4, 0);
	call_init(c, KREG_IOC_RENAME, sizeof(c->arg.rename), false);
	c->arg.rename.table = w->table;
	c->arg.rename.name_len = strlen("renamed");
	call_in(c, PART_KEY, &c->arg.rename.name, "renamed", strlen("renamed"));
}

SWEEP(rename, .make = make_rename, .kid = true)

MAKER(make_pin)
{
	call_init(c, KREG_IOC_PIN, sizeof(c->arg.pin), true);
	c->arg.pin.table = w->table;
}

SWEEP(pin, .make = make_pin)

MAKER(make_info)
{
	call_init(c, KREG_IOC_INFO, sizeof(c->arg.info), false);
	c->arg.info.table = w->table;
	c->arg.info.info_len = sizeof(struct kreg_info);
	call_out(c, PART_VALUE, &c->arg.info.info, sizeof(struct kreg_info));
}

SWEEP(info, .make = make_info)

MAKER(make_info_name)
{
	make_info(_metadata, w, c, test);
	c->arg.info.table = 0;
	c->arg.info.name_len = strlen(NAME);
	call_in(c, PART_KEY, &c->arg.info.name, NAME, strlen(NAME));
}

SWEEP(info_name, .make = make_info_name)

/* Room that is longer than the kernel's struct: the rest is cleared. */
MAKER(make_list)
{
	__u32 len = sizeof(struct kreg_info) + 64;

	call_init(c, KREG_IOC_LIST, sizeof(c->arg.list), true);
	c->arg.list.info_len = len;
	c->arg.list.max_count = 1;
	call_out(c, PART_VALUE, &c->arg.list.infos, len);
}

SWEEP(list, .make = make_list)

/* The table has an owner, so nothing is in the mailbox until it dies. */
MAKER(make_watch_owner)
{
	call_init(c, KREG_IOC_WATCH, sizeof(c->arg.watch), true);
	c->arg.watch.kind = KREG_WATCH_OWNER;
	c->arg.watch.key_len = strlen(NAME);
	call_in(c, PART_KEY, &c->arg.watch.key, NAME, strlen(NAME));
}

SWEEP(watch_owner, .make = make_watch_owner)
SWEEP(watch_full, .make = make_watch_owner, .full = "max_user_watches", .at = 0)

/* The kid has the key, so nothing is in the mailbox until it dies. */
MAKER(make_watch_holder)
{
	call_init(c, KREG_IOC_WATCH, sizeof(c->arg.watch), true);
	ASSERT_EQ(0, kid_bind(w->kid, w->table, NAME, "v"));
	c->arg.watch.kind = KREG_WATCH_HOLDER;
	c->arg.watch.table = w->table;
	c->arg.watch.key_len = strlen(NAME);
	call_in(c, PART_KEY, &c->arg.watch.key, NAME, strlen(NAME));
}

SWEEP(watch_holder, .make = make_watch_holder, .kid = true)

MAKER(make_watch)
{
	call_init(c, KREG_IOC_WATCH, sizeof(c->arg.watch), true);
	c->arg.watch.kind = KREG_WATCH_PROCESS;
	c->arg.watch.process = w->kid->self;
}

SWEEP(watch, .make = make_watch, .kid = true)

/* There is no such key, so nothing is in the mailbox. */
MAKER(make_await)
{
	call_init(c, KREG_IOC_WATCH, sizeof(c->arg.watch), true);
	c->arg.watch.kind = KREG_WATCH_PRESENT;
	c->arg.watch.table = w->table;
	c->arg.watch.key_len = strlen(NAME);
	call_in(c, PART_KEY, &c->arg.watch.key, NAME, strlen(NAME));
}

SWEEP(await, .make = make_await)
SWEEP(await_full, .make = make_await, .full = "max_user_watches", .at = 0)
SWEEP(await_table_full, .make = make_await, .full = "max_table_awaited", .at = 0)

/* It is so already. */
MAKER(make_await_sleep)
{
	make_await(_metadata, w, c, test);
	c->arg.watch.kind = KREG_WATCH_ABSENT;
	c->arg.watch.flags = KREG_WATCH_SLEEP;
}

SWEEP(await_sleep, .make = make_await_sleep)

/* A place in the line of a key that is held, by an object that is bound to nobody. */
MAKER(make_line)
{
	static const char value[] = "locked";

	if (_test_member(w->fd, w->table, NAME))
		test_puts(w->fd, w->table, NAME, "held");
	call_init(c, KREG_IOC_REGISTER, sizeof(c->arg.reg), true);
	c->arg.reg.table = w->table;
	c->arg.reg.flags = KREG_REGISTER_STANDBY;
	c->arg.reg.key_len = strlen(NAME);
	c->arg.reg.value_len = strlen(value);
	call_in(c, PART_KEY, &c->arg.reg.key, NAME, strlen(NAME));
	call_in(c, PART_VALUE, &c->arg.reg.value, value, strlen(value));
}

SWEEP(line, .make = make_line)
SWEEP(line_full, .make = make_line, .full = "max_user_watches", .at = 0)
SWEEP(line_table_full, .make = make_line, .full = "max_table_awaited", .at = 0)
SWEEP(line_bound_full, .make = make_line, .full = "max_user_bound", .at = 0)

/* Of the name of the table, which stays. */
MAKER(make_await_name)
{
	make_await(_metadata, w, c, test);
	c->arg.watch.kind = KREG_WATCH_ABSENT;
	c->arg.watch.table = 0;
}

SWEEP(await_name, .make = make_await_name)

MAKER(make_subscribe)
{
	call_init(c, KREG_IOC_SUBSCRIBE, sizeof(c->arg.subscribe), true);
	c->arg.subscribe.table = w->table;
	c->arg.subscribe.mask = KREG_SUBSCRIBE_KINDS;
}

SWEEP(subscribe, .make = make_subscribe)
SWEEP(subscribe_full, .make = make_subscribe, .full = "max_subscriptions", .at = 0)
SWEEP(subscribe_table_full, .make = make_subscribe, .full = "max_table_subscriptions", .at = 0)

MAKER(make_stream)
{
	call_init(c, KREG_IOC_SETOPT, sizeof(c->arg.setopt), false);
	c->arg.setopt.table = w->table;
	c->arg.setopt.option = KREG_OPT_STREAM;
	c->arg.setopt.value = KREG_MIN_STREAM;
}

SWEEP(stream, .make = make_stream)

/* A table to follow, or to write by, or so many deaths. */
MAKER(make_role)
{
	make_setopt(_metadata, w, c, test);
	c->arg.setopt.value2 = test->option == KREG_OPT_LIMIT ? 1000 : 0;
	if (test->option != KREG_OPT_LIMIT)
		test_create(w->fd, "role", 0, &c->arg.setopt.value);
}

SWEEP(follow, .make = make_role, .option = KREG_OPT_ROLE)
SWEEP(writer, .make = make_role, .option = KREG_OPT_WRITER)
SWEEP(death_limit, .make = make_role, .option = KREG_OPT_LIMIT, .value = 3)

/* Nothing of it can fail but the copy of the struct. */
MAKER(make_cancel)
{
	call_init(c, KREG_IOC_CANCEL, sizeof(c->arg.cancel), false);
	ASSERT_EQ(0, _test_watch(w->fd, w->kid->self, &c->arg.cancel.id));
}

/* Only the client that has set a watch can cancel it. */
static long call_cancel(struct world *w, struct call *c)
{
	return ioctl(w->fd, c->cmd, c->address) < 0 ? -errno : 0;
}

SWEEP(cancel, .make = make_cancel, .call = call_cancel, .kid = true)

/* The next event of a subscription, that waits for acknowledgements, to what is put after it. */
static void make_told(struct __test_metadata *_metadata, struct world *w)
{
	struct kreg_ioc_subscribe cmd = {
		.size = sizeof(cmd),
		.flags = KREG_SUBSCRIBE_ACK,
		.table = w->table,
		.mask = KREG_SUBSCRIBE_KINDS,
	};

	ASSERT_EQ(0, test_ioctl(w->fd, KREG_IOC_SUBSCRIBE, &cmd));
	test_puts(w->fd, w->table, "told", "");
	ASSERT_EQ(0, test_nonblock(w->fd, true));
}

/* Nothing of it can fail but the copy of the struct, as of CANCEL. */
MAKER(make_ack)
{
	struct test_event event;

	make_told(_metadata, w);
	ASSERT_EQ(0, test_event_read(w->fd, &event));
	call_init(c, KREG_IOC_ACK, sizeof(c->arg.ack), false);
	c->arg.ack.id = event.e.id;
	c->arg.ack.seq = event.e.seq;
}

SWEEP(ack, .make = make_ack, .call = call_cancel)

/* An event in a stream must still be there likewise. */
MAKER(make_read_event)
{
	memset(c, 0, sizeof(*c));
	make_told(_metadata, w);
	call_out(c, PART_VALUE, &c->address, sizeof(struct kreg_event) + 8);
}

SWEEP(read_event, .make = make_read_event, .call = call_read)

/* A record is in the mailbox, and must still be there if it cannot be copied. */
MAKER(make_read)
{
	memset(c, 0, sizeof(*c));
	w->kid->job->process = test_self(w->fd);
	ASSERT_EQ(0, kid_do(w->kid, job_gift));
	/* If the record were lost, read(2) would wait for ever. */
	ASSERT_EQ(0, test_nonblock(w->fd, true));
	call_out(c, PART_VALUE, &c->address, sizeof(struct kreg_event) + 8);
}

SWEEP(read, .make = make_read, .call = call_read, .kid = true)

#endif /* KREG_FAULTS_TABLE_H */
