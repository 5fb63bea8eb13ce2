// SPDX-License-Identifier: GPL-2.0
/* libkreg: dumps whose objects expire, as another writer makes them. */
#include "lib/dump_made.h"

/* When an object expires, and what is to be the object. */
static void expiry(struct made *m, uint64_t until, uint64_t at, uint64_t idle)
{
	put(m, 2, 2);
	put(m, 0, 2);
	put(m, 24, 4);
	put(m, until, 8);
	put(m, at, 8);
	put(m, idle, 8);
}

#define HOURS	(3600ull * 1000000000)

TEST_F(made, expires)
{
	uint64_t at = time(NULL) * 1000000000ull + HOURS, n;

	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	expiry(&self->m, at, at, 0);
	record(&self->m, 1, "timed", "value");
	expiry(&self->m, 1, 1, 0);
	record(&self->m, 1, "gone", "value");
	record(&self->m, 1, "plain", "value");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	ASSERT_EQ(0, restore(self->client, &self->m, &self->copy));
	ASSERT_EQ(0, kreg_count(self->copy, &n));
	EXPECT_EQ(2, n);
	EXPECT_EQ(0, kreg_member(self->copy, "timed", 5));
	EXPECT_EQ(0, kreg_member(self->copy, "plain", 5));
}

TEST_F(made, expiry_of_nothing)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	record(&self->m, 1, "key", "value");
	expiry(&self->m, HOURS, HOURS, 0);
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	refused(EBADMSG, "an expiry is of no object");
}

TEST_F(made, expiry_twice)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	expiry(&self->m, HOURS, HOURS, 0);
	expiry(&self->m, HOURS, HOURS, 0);
	record(&self->m, 1, "key", "value");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	refused(EBADMSG, "an expiry is of no object");
}

TEST_F(made, bad_expiry)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	expiry(&self->m, 0, HOURS, 0);
	record(&self->m, 1, "key", "value");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	refused(EBADMSG, "an object has an expiry that none has");
}

/* Those of a key stay in their order, with what expires among them. */
TEST_F(made, expiry_in_a_bag)
{
	uint64_t at = time(NULL) * 1000000000ull + HOURS, ns;
	struct kreg_objects *objects;
	const struct kreg_object *o;
	const char *value;
	size_t len, i;

	field(&self->m, 2, KREG_TYPE_BAG);
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	record(&self->m, 1, "key", "0");
	expiry(&self->m, at, at, 0);
	record(&self->m, 1, "key", "1");
	expiry(&self->m, 1, 1, 0);
	record(&self->m, 1, "key", "x");
	record(&self->m, 1, "key", "2");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	ASSERT_EQ(0, restore(self->client, &self->m, &self->copy));
	ASSERT_EQ(0, kreg_get_all(self->copy, "key", 3, &objects));
	ASSERT_EQ(3, kreg_objects_count(objects));
	for (i = 0; i < 3; i++) {
		o = kreg_objects_next(objects);
		value = kreg_object_value(o, &len);
		ASSERT_EQ(1, len);
		EXPECT_EQ('0' + (int)i, *value);
	}
	kreg_objects_free(objects);
	ASSERT_EQ(0, kreg_expires(self->copy, "key", 3, &ns));
	EXPECT_LT(0, ns);
}

TEST_HARNESS_MAIN
