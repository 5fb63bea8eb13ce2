// SPDX-License-Identifier: GPL-2.0
/*
 * libkreg: dumps as a later or a hostile writer makes them, from the description of the format
 * alone.
 */
#include "lib/dump_made.h"

TEST_F(made, as_described)
{
	char value[8];
	size_t len;

	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	record(&self->m, 1, "key", "value");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	ASSERT_EQ(0, restore(self->client, &self->m, &self->copy));
	ASSERT_EQ(0, kreg_get(self->copy, "key", 3, value, sizeof(value), &len));
	EXPECT_EQ(5, len);
	EXPECT_EQ(0, memcmp(value, "value", 5));
}

TEST_F(made, later_version)
{
	start(&self->m, 2);
	refused(EOPNOTSUPP, "format of version 2, which this library does not know");
}

/* What a later writer may add, so that this reader passes over it. */
TEST_F(made, optional)
{
	uint64_t n;

	field(&self->m, OPTIONAL | 77, 7);
	put(&self->m, OPTIONAL | 78, 2);
	put(&self->m, 0, 2);
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	put_bytes(&self->m, "whatever", 8);
	end_block(&self->m, OPTIONAL_BLOCK | 9, 99, 0);
	begin_block(&self->m);
	record(&self->m, OPTIONAL | 5, "", "about the next");
	record(&self->m, 1, "key", "value");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	ASSERT_EQ(0, restore(self->client, &self->m, &self->copy));
	ASSERT_EQ(0, kreg_count(self->copy, &n));
	EXPECT_EQ(1, n);
}

TEST_F(made, unknown_field)
{
	field(&self->m, 77, 7);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EOPNOTSUPP, "a field 77, which");
}

TEST_F(made, unknown_type)
{
	field(&self->m, 2, 9);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EOPNOTSUPP, "a type of a table 9, which");
}

TEST_F(made, unknown_access)
{
	field(&self->m, 3, 0);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EOPNOTSUPP, "a rule of access 0, which");
}

/* Half of it would be a type. */
TEST_F(made, large_number)
{
	field(&self->m, 2, 1ull << 32 | KREG_TYPE_SET);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EBADMSG, "a number of the table is too large");
}

TEST_F(made, schema_without_version)
{
	field(&self->m, 8, 1);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EBADMSG, "its schema has no version, or the version no schema");
}

TEST_F(made, large_schema_version)
{
	field(&self->m, 8, 1);
	field(&self->m, 9, 1ull << 32 | 1);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EBADMSG, "a number of the table is too large");
}

TEST_F(made, unknown_orphan)
{
	field(&self->m, 5, 9);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EOPNOTSUPP, "a rule for orphans 9, which");
}

TEST_F(made, bad_mode)
{
	field(&self->m, 4, 0777);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EBADMSG, "the mode of the table is none");
}

/* There is none, which is another thing than one that allows nothing. */
TEST_F(made, no_mode)
{
	start(&self->m, 1);
	begin_block(&self->m);
	field(&self->m, 2, KREG_TYPE_SET);
	field(&self->m, 3, KREG_ACCESS_PUBLIC);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EBADMSG, "the mode of the table is none");
}

TEST_F(made, mode_of_nobody)
{
	struct kreg_stat *stat;

	field(&self->m, 4, 0);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	ASSERT_EQ(0, restore(self->client, &self->m, &self->copy));
	ASSERT_EQ(0, kreg_table_stat(self->copy, &stat));
	EXPECT_EQ(0, kreg_stat_mode(stat));
	kreg_stat_free(stat);
}

TEST_F(made, bad_name)
{
	put(&self->m, 1, 2);
	put(&self->m, 3, 2);
	put_bytes(&self->m, "a\0b", 3);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EBADMSG, "the name of the table is none");
}

/* A table without what it has to have. */
TEST_F(made, no_type)
{
	start(&self->m, 1);
	begin_block(&self->m);
	field(&self->m, 3, KREG_ACCESS_PUBLIC);
	field(&self->m, 4, 0600);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EOPNOTSUPP, "a type of a table 0, which");
}

TEST_F(made, unknown_block)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	end_block(&self->m, 9, 0, 0);
	end(&self->m);
	refused(EOPNOTSUPP, "a block of kind 9, which");
}

TEST_F(made, unknown_coding)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	end_block(&self->m, 2, 2, 0);
	end(&self->m);
	refused(EOPNOTSUPP, "a coding 2, which");
}

TEST_F(made, unknown_record)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	record(&self->m, 5, "", "it expires");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	refused(EOPNOTSUPP, "a record of kind 5, which");
}

TEST_F(made, key_twice)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	record(&self->m, 1, "key", "value");
	record(&self->m, 1, "key", "other");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	refused(ENOTUNIQ, "the dump has 2 objects, of which this type of table keeps 1");
}

/* Lengths are not trusted, though the checksum is right. */
TEST_F(made, long_block)
{
	end_block(&self->m, 1, 0, 1u << 30);
	refused(EBADMSG, "a block is too long");
}

TEST_F(made, long_field)
{
	put(&self->m, 1, 2);
	put(&self->m, UINT16_MAX, 2);
	end_block(&self->m, 1, 0, 0);
	end(&self->m);
	refused(EBADMSG, "a field is too long");
}

TEST_F(made, long_record)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	put(&self->m, 1, 2);
	put(&self->m, 1, 2);
	put(&self->m, UINT32_MAX, 4);
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	refused(EBADMSG, "a record is too long");
}

TEST_F(made, empty_key)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	record(&self->m, 1, "", "value");
	end_block(&self->m, 2, 0, 0);
	end(&self->m);
	refused(EBADMSG, "an object has a length that none has");
}

TEST_F(made, not_packed)
{
	end_block(&self->m, 1, 0, 0);
	begin_block(&self->m);
	put_bytes(&self->m, "no frame of zstd", 16);
	end_block(&self->m, 2, 1, 0);
	end(&self->m);
	refused(EBADMSG, "a block cannot be expanded");
}

TEST_F(made, other_totals)
{
	end_block(&self->m, 1, 0, 0);
	self->m.objects++;
	end(&self->m);
	refused(EBADMSG, "objects are missing, or too many");
}

TEST_F(made, block_missing)
{
	end_block(&self->m, 1, 0, 0);
	self->m.number++;
	end(&self->m);
	refused(EBADMSG, "a block is missing");
}

TEST_HARNESS_MAIN
