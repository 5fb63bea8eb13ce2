/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deaths for which there is no memory: all that was promised comes all the same, since it was set
 * aside before.
 */
#ifndef KREG_FAULTS_DEATH_H
#define KREG_FAULTS_DEATH_H

#define NAMES	40			/* that the process has; more than fit into one turn */

/* What a process leaves, and who is to be told of it. */
struct legacy {
	struct kid *kid;
	int stream;			/* told of each EXIT */
	__u64 left;			/* a table, of which the test is the heir */
	__u64 names;			/* in which it has names, a lock, and an object on loan */
};

static int open_thread_nth(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fail-nth", find_thread());
	return open(path, O_RDWR | O_CLOEXEC);
}

static void make_legacy(struct __test_metadata *_metadata, struct world *w, struct legacy *l)
{
	__u64 id;

	l->kid = kid_start(_metadata);
	l->stream = test_client();
	ASSERT_LE(0, l->stream);
	test_create(w->fd, "names", KREG_ACCESS_PUBLIC, &l->names);
	test_subscribe(l->stream, l->names, KIND(EXIT));
	ASSERT_EQ(0, kid_create_heir(l->kid, "left", test_self(w->fd), "", &l->left));
	ASSERT_EQ(NAMES, kid_bind_many(l->kid, l->names, "n", NAMES, 0));
	ASSERT_EQ(0, kid_lock(l->kid, l->names, 0));
	test_puts(w->fd, l->names, "job", "work");
	ASSERT_EQ(1, kid_lease(l->kid, l->names, "job"));
	test_watch(w->fd, l->kid->self, &id);
	test_stand(w->fd, l->names, &id);
	test_await(w->fd, l->names, KREG_WATCH_ABSENT, "n0", 0, &id);
	test_await(w->fd, l->names, KREG_WATCH_PRESENT, "job", 0, &id);
}

static unsigned int count_events(int fd, __u32 kind, unsigned int *others)
{
	struct test_event event;
	unsigned int n = 0;

	test_nonblock(fd, true);
	while (!test_event_read(fd, &event)) {
		if (event.e.kind == kind)
			n++;
		else
			++*others;
	}
	return n;
}

/* TRANSFER, DOWN, and READY of the lock, of the name and of the job; EXIT of names and lock. */
static void expect_legacy(struct __test_metadata *_metadata, struct world *w, struct legacy *l)
{
	unsigned int others = 0;

	EXPECT_EQ(3, count_events(w->fd, KREG_EVENT_READY, &others));
	EXPECT_EQ(2, others);
	EXPECT_EQ(NAMES + 1, count_events(l->stream, KREG_EVENT_EXIT, &others));
	EXPECT_EQ(2, others);
	EXPECT_TRUE(test_is_of(w->fd, l->names, "key", test_self(w->fd)));
	EXPECT_EQ(1, test_loans(w->fd, l->names, "job"));
	EXPECT_EQ(2, test_objects(w->fd, l->names));
	close(l->stream);
	test_destroy(w->fd, l->names);
	test_destroy(w->fd, l->left);
}

/*
 * @nth: allocation @n of the writer's thread fails. There may be some: what is freed by RCU asks
 * for a page that it can do without.
 */
static void die_without_memory(struct __test_metadata *_metadata, struct world *w, int nth, int n,
			       bool lent)
{
	struct legacy l;
	bool hit;

	make_legacy(_metadata, w, &l);
	ASSERT_TRUE(fault_arm(nth, n));
	kill(l.kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(l.kid));
	/* Whoever looks may do the work, and allocates nothing for it either. */
	ASSERT_TRUE(fault_arm(w->nth, 1));
	EXPECT_EQ(-ENODATA, _test_member(w->fd, l.left, "none"));
	hit = fault_disarm(w->nth);
	EXPECT_TRUE(!hit || !lent);
	test_sync(w->fd);
	fault_disarm(nth);
	kid_reap(l.kid);
	expect_legacy(_metadata, w, &l);
}

TEST_F(faults, death)
{
	int nth = open_thread_nth(), n;

	ASSERT_LE(0, nth);
	for (n = 1; n <= 3; n++)
		die_without_memory(_metadata, &self->w, nth, n, variant->lent);
	close(nth);
}

#endif /* KREG_FAULTS_DEATH_H */
