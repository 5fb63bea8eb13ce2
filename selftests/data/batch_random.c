// SPDX-License-Identifier: GPL-2.0
/*
 * Random batches of writes, compared with a model: what each operation comes to, and what is there
 * afterwards.
 */
#include "kit/fixture.h"
#include "kit/edit.h"

#define KEYS	6
#define MOST	40
/* The most that an EDIT at the last place makes. */
#define ROOM	7500
#define BATCHES	1500
#define HOUR_NS	3600000000000ULL

/* What is there of a key. */
struct value {
	bool there;
	bool timed;
	__u32 len;
	char bytes[ROOM];
};

/* An operation, and what it refers to. */
struct step {
	struct kreg_op op;
	struct kreg_more more;
	struct kreg_field f[2];
	char value[ROOM];
	char expected[ROOM];
	char start[64];
	int key;
};

static const char *const keys[KEYS] = { "a", "b", "cc", "ddd", "eeee", "f0123456789" };

FIXTURE(batch_random) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 seed;
	__u64 when;
	struct value now[KEYS];		/* what is there */
	struct value then[KEYS];	/* while a batch is played */
	struct step steps[MOST];
	struct kreg_op ops[MOST];
	int errs[MOST];
	int count;
};

FIXTURE_VARIANT(batch_random) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(batch_random, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(batch_random, ordered) { .type = KREG_TYPE_ORDERED_SET };

FIXTURE_SETUP(batch_random)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "table", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->seed = time(NULL);
	printf("# seed %llu\n", (unsigned long long)self->seed);
	fflush(stdout);
	self->when = test_now_ns() + HOUR_NS;
}

FIXTURE_TEARDOWN_PARENT(batch_random)
{
	test_teardown(_metadata, &self->base);
}

#define world	FIXTURE_DATA(batch_random)

static __u32 any(world *w, __u32 n)
{
	w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (w->seed >> 33) % n;
}

static __u32 any_len(world *w)
{
	static const __u32 most[] = { 9, 20, 140, 600, 5000 };

	return any(w, most[any(w, 5)]);
}

static void fill(world *w, char *bytes, __u32 len)
{
	memset(bytes, 'a' + any(w, 26), len);
	/* Now and then a number that may overflow. */
	if (len >= 8 && !any(w, 8))
		memcpy(bytes, (__s64[]) { INT64_MAX - any(w, 20) }, 8);
}

/* The value that is there, or not quite. */
static void expect_value(world *w, struct step *s)
{
	const struct value *v = &w->now[s->key];
	__u32 len = v->there ? v->len : any(w, 3);

	memcpy(s->expected, v->bytes, len);
	if (!any(w, 12))
		len += 1;
	test_if_value(&s->op, s->expected, len);
}

static struct kreg_field any_field(world *w, struct step *s)
{
	__u32 at = any(w, 6) ? any(w, 30) : any_len(w), len = any_len(w) / 2;

	switch (any(w, 4)) {
	case 0:
		return test_add(0, any(w, 30));
	case 1:
		return test_number(KREG_FIELD_ADD, KREG_FIELD_WRAP | KREG_FIELD_EXTEND, at, 1);
	case 2:
		return test_copy(KREG_FIELD_EXTEND | (any(w, 2) ? KREG_FIELD_TRUNCATE : 0), at,
				 s->value, len);
	default:
		return test_copy(KREG_FIELD_EXTEND, 0, s->value, any(w, 12));
	}
}

static void make_edit(world *w, struct step *s)
{
	int count = 1 + any(w, 2), i;

	fill(w, s->value, sizeof(s->value));
	for (i = 0; i < count; i++)
		s->f[i] = any_field(w, s);
	s->op = test_op_edit(keys[s->key], s->f, count);
	if (!any(w, 3)) {
		fill(w, s->start, sizeof(s->start));
		s->more = (struct kreg_more) {
			.size = sizeof(s->more), .flags = KREG_MORE_START,
			.start = test_ptr(s->start), .start_len = any(w, sizeof(s->start)),
			.expires_ns = any(w, 2) ? w->when : 0,
		};
		s->op.flags = KREG_OP_MORE;
		s->op.arg = test_ptr(&s->more);
	} else if (!any(w, 3)) {
		expect_value(w, s);
	}
}

static void make_put(world *w, struct step *s)
{
	__u32 len = any_len(w);

	fill(w, s->value, len);
	s->op = test_op_value(KREG_OP_PUT, keys[s->key], strlen(keys[s->key]), s->value, len);
	switch (any(w, 8)) {
	case 0:
		s->op.flags = KREG_OP_NEW;
		break;
	case 1:
		s->op.flags = KREG_OP_PRESENT;
		break;
	case 2:
		expect_value(w, s);
		break;
	case 3:
		s->op.flags = KREG_OP_MORE;
		s->op.arg = test_ptr(&s->more);
		s->more = (struct kreg_more) { .size = sizeof(s->more), .expires_ns = w->when };
		break;
	}
	if (!any(w, 3) && !(s->op.flags & KREG_OP_NEW))
		s->op.flags |= KREG_OP_KEEP;
}

static void make_step(world *w, struct step *s)
{
	__u32 x = any(w, 20);

	s->key = any(w, KEYS);
	if (x < 10) {
		make_edit(w, s);
	} else if (x < 17) {
		make_put(w, s);
	} else if (x < 19 || any(w, 4)) {
		s->op = test_ops(KREG_OP_DELETE, keys[s->key]);
		if (!any(w, 2))
			expect_value(w, s);
	} else {
		s->op = test_op(KREG_OP_CLEAR, NULL, 0);
	}
}

static int check_conditions(const struct step *s, const struct value *v)
{
	__u16 flags = s->op.flags;

	if (flags & KREG_OP_NEW && v->there)
		return -EEXIST;
	if (flags & KREG_OP_PRESENT && !v->there)
		return -ENODATA;
	if (flags & KREG_OP_VALUE && (!v->there || v->len != s->op.offset ||
				      memcmp(v->bytes, s->expected, v->len)))
		return -ECANCELED;
	return 0;
}

static int play_field(const struct kreg_field *f, struct value *v)
{
	bool copies = f->code == KREG_FIELD_COPY;
	__u32 end = f->offset + (copies ? f->set : 8);
	__s64 x;

	if (end > v->len && !(f->flags & KREG_FIELD_EXTEND))
		return -ERANGE;
	if (end > v->len) {
		memset(v->bytes + v->len, 0, end - v->len);
		v->len = end;
	}
	if (copies) {
		memcpy(v->bytes + f->offset, (void *)(unsigned long)f->operand, f->set);
		if (f->flags & KREG_FIELD_TRUNCATE)
			v->len = end;
		return 0;
	}
	memcpy(&x, v->bytes + f->offset, 8);
	if (__builtin_add_overflow(x, (__s64)f->operand, &x) && !(f->flags & KREG_FIELD_WRAP))
		return -EOVERFLOW;
	memcpy(v->bytes + f->offset, &x, 8);
	return 0;
}

static int play_edit(const struct step *s, struct value *v)
{
	static struct value made;
	unsigned int i, count = s->op.value_len / sizeof(s->f[0]);
	bool starts = s->op.flags & KREG_OP_MORE;
	int err, out_of_range = 0;

	if (!v->there && !starts)
		return -ENODATA;
	made = *v;
	if (!v->there) {
		made = (struct value) { .there = true, .timed = s->more.expires_ns };
		made.len = s->more.start_len;
		memcpy(made.bytes, s->start, made.len);
	}
	/* Lengths are looked at before numbers. */
	for (i = 0, err = 0; i < count; i++) {
		int e = play_field(&s->f[i], &made);

		out_of_range |= e == -ERANGE;
		err = err ? err : e;
		if (e == -ERANGE)
			break;
	}
	if (out_of_range)
		return -ERANGE;
	if (!err)
		*v = made;
	return err;
}

static void play_put(const struct step *s, struct value *v)
{
	bool keeps = s->op.flags & KREG_OP_KEEP && v->there, timed = v->timed;

	*v = (struct value) { .there = true, .len = s->op.value_len };
	memcpy(v->bytes, s->value, v->len);
	v->timed = keeps ? timed : s->op.flags & KREG_OP_MORE;
}

/* With what is there then; the conditions have been looked at. */
static int play_step(world *w, const struct step *s)
{
	struct value *v = &w->then[s->key];

	switch (s->op.code) {
	case KREG_OP_EDIT:
		return play_edit(s, v);
	case KREG_OP_PUT:
		play_put(s, v);
		return 0;
	case KREG_OP_DELETE:
		v->there = false;
		v->timed = false;
		return 0;
	default:
		memset(w->then, 0, sizeof(w->then));
		return 0;
	}
}

/* The index of what fails, or the count. */
static int play_atomic(world *w, int *err)
{
	int i;

	for (i = 0; i < w->count; i++) {
		const struct step *s = &w->steps[i];

		*err = s->op.code == KREG_OP_CLEAR ? 0 : check_conditions(s, &w->now[s->key]);
		*err = *err ? *err : play_step(w, s);
		if (*err)
			return i;
	}
	return i;
}

/* What has failed for want of memory has not happened. */
static void play_each(world *w)
{
	int i;

	for (i = 0; i < w->count; i++) {
		const struct step *s = &w->steps[i];

		w->errs[i] = -EAGAIN;
		if (w->ops[i].out_error == EAGAIN)
			continue;
		w->errs[i] = s->op.code == KREG_OP_CLEAR ? 0 :
			     check_conditions(s, &w->then[s->key]);
		if (!w->errs[i])
			w->errs[i] = play_step(w, s);
	}
}

static void check_object(struct __test_metadata *_metadata, world *w, int key)
{
	static char room[ROOM];
	const struct value *v = &w->now[key];
	struct kreg_more more = { .size = sizeof(more) };
	struct kreg_op op = test_op_value(KREG_OP_GET, keys[key], strlen(keys[key]), room, ROOM);
	int err;

	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	err = _test_op(w->fd, w->table, 0, &op);
	ASSERT_EQ(v->there ? 0 : -ENODATA, err);
	if (err)
		return;
	ASSERT_EQ(v->len, op.out_len);
	ASSERT_EQ(0, memcmp(v->bytes, room, v->len));
	ASSERT_EQ(v->timed ? w->when : 0, more.out_expires_ns);
}

static void run_batch(struct __test_metadata *_metadata, world *w, bool atomic)
{
	int i, ret, err = 0, failed = 0;
	__u32 done;

	w->count = 1 + any(w, any(w, 2) ? 5 : MOST);
	memcpy(w->then, w->now, sizeof(w->then));
	for (i = 0; i < w->count; i++) {
		make_step(w, &w->steps[i]);
		w->ops[i] = w->steps[i].op;
	}
	if (atomic)
		failed = play_atomic(w, &err);
	ret = _test_batch(w->fd, w->table, atomic ? KREG_BATCH_ATOMIC : 0, w->ops, w->count, &done);
	ASSERT_EQ(err, ret);
	if (!atomic)
		play_each(w);
	ASSERT_EQ(atomic ? failed : (int)done, (int)done);
	if (!ret)
		memcpy(w->now, w->then, sizeof(w->now));
	for (i = 0; i < w->count && !atomic; i++)
		ASSERT_EQ(w->errs[i], -(int)w->ops[i].out_error);
	for (i = 0; i < KEYS; i++)
		check_object(_metadata, w, i);
}

TEST_F(batch_random, model)
{
	int i;

	for (i = 0; i < BATCHES; i++)
		run_batch(_metadata, self, i & 1);
}

TEST_HARNESS_MAIN
