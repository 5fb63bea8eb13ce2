// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that keep a table over the deaths of the process that works with it: a data
 * master (db.*) and a table manager (tm.*). The test is the supervisor: it kills the
 * processes and starts new ones.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/oom.h"

#define NAME	"data"

struct pair {
	int fd;
	struct kid *master;
	struct kid *server;
	__u64 table;
};

FIXTURE(db) {
	struct test_base base;
	struct pair p;
};

FIXTURE_SETUP(db)
{
	self->p.fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(db)
{
	test_teardown(_metadata, &self->base);
}

FIXTURE(tm) {
	struct test_base base;
	struct pair p;
};

FIXTURE_SETUP(tm)
{
	self->p.fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(tm)
{
	test_teardown(_metadata, &self->base);
}

/*
 * Start of the master: create the table or claim it if it is parked. job->table is its
 * id, job->flags says whether the master owns it.
 */
static long job_master(struct job *job)
{
	struct kreg_ioc_open cmd = test_open_cmd(NAME, KREG_OPEN_CREATE |
						 KREG_OPEN_CLAIM |
						 KREG_OPEN_HEIR);
	long err;

	cmd.heir = job->self;
	err = _test_open_cmd(job->fd, &cmd);
	job->table = cmd.out_table;
	job->flags = !err;
	return err;
}

/* Give the table to job->process: 1, or 0 if another process has it. */
static long job_get_table(struct job *job)
{
	long err;

	if (!job->flags)
		return 0;
	err = _test_give(job->fd, job->table, job->process, NULL, 0);
	if (err)
		return err;
	job->flags = 0;
	return 1;
}

/* A table has come back: keep one's own, destroy any other. */
static long job_take_back(struct job *job)
{
	long err = _test_event_now(job->fd, &job->event);

	if (err)
		return err;
	if (job->event.e.table != job->table)
		return _test_destroy(job->fd, job->event.e.table);
	job->flags = 1;
	return 0;
}

/* The server takes the table that it was given. */
static long job_receive(struct job *job)
{
	long err = _test_event_now(job->fd, &job->event);

	job->table = job->event.e.table;
	return err;
}

static struct kid *start_master(struct __test_metadata *_metadata)
{
	struct kid *kid = kid_start(_metadata);

	ASSERT_EQ(0, kid_do(kid, job_master));
	return kid;
}

static struct kid *start_server(struct __test_metadata *_metadata,
				struct kid *master)
{
	struct kid *kid = kid_start(_metadata);

	master->job->process = kid->self;
	ASSERT_EQ(1, kid_do(master, job_get_table));
	ASSERT_EQ(0, kid_do(kid, job_receive));
	EXPECT_EQ(master->job->table, kid->job->table);
	return kid;
}

static void start_pair(struct __test_metadata *_metadata, struct pair *p)
{
	p->master = start_master(_metadata);
	p->table = p->master->job->table;
	p->server = start_server(_metadata, p->master);
}

static void expect_owner(struct __test_metadata *_metadata, struct pair *p,
			 struct kreg_process owner, struct kreg_process heir)
{
	struct kreg_info info;

	test_info_name(p->fd, NAME, &info);
	EXPECT_EQ(p->table, info.id);
	EXPECT_TRUE(test_same(owner, info.owner));
	EXPECT_TRUE(test_same(heir, info.heir));
}

/* db.start: nobody is there before the start, all are after it */
TEST_F(db, start)
{
	struct kid *kids[2];
	struct kreg_process process;
	struct kreg_info info;
	int i;

	test_err_info_name(ENOENT, self->p.fd, NAME, &info);
	for (i = 0; i < 2; i++) {
		kids[i] = kid_start_bare(_metadata);
		test_err_whois(ENOTCONN, self->p.fd, kids[i]->pid, &process);
		ASSERT_EQ(0, kid_do(kids[i], job_client));
		test_whois(self->p.fd, kids[i]->pid, &process);
	}
	start_pair(_metadata, &self->p);
	test_info_name(self->p.fd, NAME, &info);
}

/* db.master_init: it starts, owns the table, is its heir, and holds it */
TEST_F(db, master_init)
{
	struct kid *master = start_master(_metadata);

	self->p.table = master->job->table;
	expect_owner(_metadata, &self->p, master->self, master->self);
	EXPECT_EQ(1, master->job->flags);
}

/* db.get_ets: given once, not held any more, not given twice */
TEST_F(db, get_ets)
{
	struct kid *other = kid_start(_metadata);

	start_pair(_metadata, &self->p);
	EXPECT_EQ(0, self->p.master->job->flags);
	expect_owner(_metadata, &self->p, self->p.server->self,
		     self->p.master->self);
	self->p.master->job->process = other->self;
	EXPECT_EQ(0, kid_do(self->p.master, job_get_table));
	EXPECT_EQ(0, kid_no_event(other));
}

/* db.transfer_own: given back, the master holds it again */
TEST_F(db, transfer_own)
{
	struct pair *p = &self->p;

	start_pair(_metadata, p);
	ASSERT_EQ(0, kid_give(p->server, p->table, p->master->self, ""));
	ASSERT_EQ(0, kid_do(p->master, job_take_back));
	EXPECT_EQ(1, p->master->job->flags);
	expect_owner(_metadata, p, p->master->self, p->master->self);
}

/* db.transfer_foreign: a table of another name is destroyed */
TEST_F(db, transfer_foreign)
{
	struct pair *p = &self->p;
	struct kreg_info info;
	__u64 id;

	start_pair(_metadata, p);
	ASSERT_EQ(0, kid_create(p->server, "foreign", 0, &id));
	ASSERT_EQ(0, kid_give(p->server, id, p->master->self, ""));
	ASSERT_EQ(0, kid_do(p->master, job_take_back));
	EXPECT_EQ(0, p->master->job->flags);
	test_err_info(ESTALE, p->fd, id, &info);
	expect_owner(_metadata, p, p->server->self, p->master->self);
}

/* db.server_start: the table goes from the master to the server */
TEST_F(db, server_start)
{
	struct pair *p = &self->p;

	p->master = start_master(_metadata);
	p->table = p->master->job->table;
	expect_owner(_metadata, p, p->master->self, p->master->self);
	p->server = start_server(_metadata, p->master);
	expect_owner(_metadata, p, p->server->self, p->master->self);
	EXPECT_STREQ(NAME, p->server->job->event.name);
}

/* db.insert, db.get, db.state: insert, overwrite, get; any process reads */
TEST_F(db, insert)
{
	struct pair *p = &self->p;

	start_pair(_metadata, p);
	ASSERT_EQ(0, kid_puts(p->server, p->table, "1", "test"));
	test_gets(p->fd, p->table, "1", "test");
	ASSERT_EQ(0, kid_puts(p->server, p->table, "1", "again"));
	ASSERT_EQ(0, kid_gets(p->server, p->table, "1"));
	EXPECT_STREQ("again", p->server->job->value);
	EXPECT_EQ(-ENODATA, kid_gets(p->server, p->table, "2"));
	EXPECT_EQ(p->table, p->server->job->table);
	/* The owner alone writes. */
	test_err_puts(EACCES, p->fd, p->table, "1", "other");
	EXPECT_EQ(-EACCES, kid_puts(p->master, p->table, "1", "master"));
}

/* The server has died: its successor gets the table with all objects. */
static void expect_preserved(struct __test_metadata *_metadata,
			     struct pair *p)
{
	ASSERT_EQ(0, kid_do(p->master, job_take_back));
	EXPECT_EQ(KREG_CAUSE_DEATH, p->master->job->event.e.cause);
	p->server = start_server(_metadata, p->master);
	ASSERT_EQ(0, kid_gets(p->server, p->table, "1"));
	EXPECT_STREQ("test", p->server->job->value);
}

/* db.preserved: the server is killed, its successor has the data */
TEST_F(db, preserved)
{
	struct pair *p = &self->p;
	int i;

	start_pair(_metadata, p);
	ASSERT_EQ(0, kid_puts(p->server, p->table, "1", "test"));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(SIGKILL, kid_kill(p->server));
		expect_preserved(_metadata, p);
	}
}

static long job_abort(struct job *job)
{
	abort();
}

/*
 * execve(2) that fails after the old program is gone, so that the kernel kills the process:
 * the ELF header of this program, and one segment at an address that does not exist.
 */
static long job_bad_exec(struct job *job)
{
	__u64 elf[15] = { 0 };
	char * const none[] = { NULL };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (read(fd, elf, 24) != 24)
		return -errno;
	elf[4] = 64;				/* e_phoff */
	elf[6] = 64ULL << 32 | 56ULL << 48;	/* e_ehsize, e_phentsize */
	elf[7] = 1;				/* e_phnum */
	elf[8] = 1 | 5ULL << 32;		/* p_type PT_LOAD, p_flags PF_R | PF_X */
	elf[10] = 1ULL << 63;
	elf[12] = 4096;
	elf[13] = 4096;
	elf[14] = 4096;
	fd = syscall(SYS_memfd_create, "elf", MFD_CLOEXEC);
	if (write(fd, elf, sizeof(elf)) != sizeof(elf))
		return -errno;
	syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
	return -errno;
}

/* db.no_terminate_hook: nothing depends on what the dying process does */
TEST_F(db, no_terminate_hook)
{
	struct pair *p = &self->p;

	start_pair(_metadata, p);
	ASSERT_EQ(0, kid_puts(p->server, p->table, "1", "test"));
	kid_ask(p->server, job_abort);
	EXPECT_EQ(SIGABRT, kid_reap(p->server));
	expect_preserved(_metadata, p);
	kid_ask(p->server, job_bad_exec);
	EXPECT_EQ(SIGSEGV, kid_reap(p->server));
	expect_preserved(_metadata, p);
	ASSERT_EQ(0, oom_prepare(p->server));
	kid_ask(p->server, job_hog);
	EXPECT_EQ(SIGKILL, kid_reap(p->server));
	expect_preserved(_metadata, p);
	EXPECT_EQ(0, oom_clean());
	EXPECT_EQ(0, kid_exit(p->server, 0));
	expect_preserved(_metadata, p);
}

/* The master dies while the server owns: its successor finds the table. */
TEST_F(db, master_restarts)
{
	struct pair *p = &self->p;
	struct kreg_process none = {};
	__u64 id;

	start_pair(_metadata, p);
	ASSERT_EQ(0, kid_puts(p->server, p->table, "1", "test"));
	ASSERT_EQ(0, kid_orphan(p->server, p->table, KREG_ORPHAN_PARK, 0));
	kid_kill(p->master);
	expect_owner(_metadata, p, p->server->self, none);
	p->master = kid_start(_metadata);
	/* It is still the server's ... */
	EXPECT_EQ(-EBUSY, kid_do(p->master, job_master));
	ASSERT_EQ(0, kid_open(p->master, NAME, 0, &id));
	EXPECT_EQ(p->table, id);
	/* ... until that dies as well. */
	kid_kill(p->server);
	ASSERT_EQ(0, kid_do(p->master, job_master));
	EXPECT_EQ(p->table, p->master->job->table);
	p->server = start_server(_metadata, p->master);
	ASSERT_EQ(0, kid_gets(p->server, p->table, "1"));
	EXPECT_STREQ("test", p->server->job->value);
}

/* tm.named_shares_consumer_name: found under its name, and a set */
TEST_F(tm, named_shares_consumer_name)
{
	struct kreg_info info;

	start_pair(_metadata, &self->p);
	test_info_name(self->p.fd, NAME, &info);
	EXPECT_EQ(KREG_TYPE_SET, info.type);
	EXPECT_EQ(self->p.table, info.id);
}

/* tm.attributes: owner is the consumer, heir the manager (ordered: later) */
TEST_F(tm, attributes)
{
	start_pair(_metadata, &self->p);
	expect_owner(_metadata, &self->p, self->p.server->self,
		     self->p.master->self);
}

/* tm.provides_table: what the consumer received is what the manager has */
TEST_F(tm, provides_table)
{
	start_pair(_metadata, &self->p);
	EXPECT_EQ(self->p.master->job->table, self->p.server->job->table);
	test_transfer(&self->p.server->job->event, self->p.table,
		      self->p.master->self, KREG_CAUSE_GIFT);
	EXPECT_EQ(0, self->p.server->job->event.e.value_len);
}

/* tm.survives_restart: by a real kill */
TEST_F(tm, survives_restart)
{
	struct pair *p = &self->p;
	struct kreg_process dead;

	start_pair(_metadata, p);
	ASSERT_EQ(0, kid_puts(p->server, p->table, "1", "test"));
	dead = p->server->self;
	kid_kill(p->server);
	expect_owner(_metadata, p, p->master->self, p->master->self);
	expect_preserved(_metadata, p);
	EXPECT_FALSE(test_same(dead, p->server->self));
}

/* tm.post_scenario: create, give, take back, give again; the id stays */
TEST_F(tm, post_scenario)
{
	struct pair *p = &self->p;
	int i;

	p->master = start_master(_metadata);
	p->table = p->master->job->table;
	for (i = 0; i < 5; i++) {
		expect_owner(_metadata, p, p->master->self, p->master->self);
		p->server = start_server(_metadata, p->master);
		EXPECT_EQ(p->table, p->server->job->table);
		expect_owner(_metadata, p, p->server->self, p->master->self);
		kid_kill(p->server);
		ASSERT_EQ(0, kid_do(p->master, job_take_back));
	}
}

/* The consumer dies before it is given the table: the giver still has it. */
TEST_F(tm, consumer_dies_first)
{
	struct pair *p = &self->p;
	struct kid *dead;
	int i;

	p->master = start_master(_metadata);
	p->table = p->master->job->table;
	for (i = 0; i < 20; i++) {
		dead = kid_start(_metadata);
		p->master->job->process = dead->self;
		kill(dead->pid, SIGKILL);
		/* In one half of the rounds it is dead for certain, in the other perhaps. */
		if (i & 1)
			ASSERT_TRUE(kid_dead(dead));
		if (kid_do(p->master, job_get_table) == 1) {
			kid_reap(dead);
			ASSERT_EQ(0, kid_do(p->master, job_take_back));
		} else {
			EXPECT_EQ(-ESRCH, p->master->job->ret);
			kid_reap(dead);
		}
		EXPECT_EQ(1, p->master->job->flags);
		expect_owner(_metadata, p, p->master->self, p->master->self);
	}
}

TEST_HARNESS_MAIN
