// SPDX-License-Identifier: GPL-2.0
/*
 * libkreg: dumps as a later or a hostile writer makes them, from the description of the format
 * alone.
 */
#include "lib/dump.h"

#define OPTIONAL_BLOCK	(1u << 31)
#define OPTIONAL	(1u << 15)

/* A dump that is made here, so that its checksums are right whatever else is wrong. */
struct made {
	unsigned char bytes[8192];
	size_t len;
	size_t block;			/* where the head of the last one is */
	uint32_t number;
	uint64_t objects;
	uint64_t payload;
};

static uint64_t crc(const unsigned char *s, size_t len, uint64_t poly, uint64_t ones)
{
	uint64_t sum = ones;
	int bit;

	for (; len; len--, s++)
		for (sum ^= *s, bit = 0; bit < 8; bit++)
			sum = sum & 1 ? sum >> 1 ^ poly : sum >> 1;
	return sum ^ ones;
}

static uint32_t crc32c(const unsigned char *s, size_t len)
{
	return crc(s, len, 0x82f63b78, UINT32_MAX);
}

static void put(struct made *m, uint64_t n, unsigned int size)
{
	for (; size; size--, n >>= 8)
		m->bytes[m->len++] = n;
}

static void put_bytes(struct made *m, const void *data, size_t len)
{
	memcpy(m->bytes + m->len, data, len);
	m->len += len;
}

static void start(struct made *m, uint32_t format)
{
	memset(m, 0, sizeof(*m));
	put_bytes(m, "\x89kreg\r\n\x1a", 8);
	put(m, format, 4);
	put(m, crc32c(m->bytes, 12), 4);
}

static void begin_block(struct made *m)
{
	m->block = m->len;
	m->len += 32;
}

/* @more: bytes of the body that are not there. */
static void end_block(struct made *m, uint32_t kind, uint32_t coding, uint32_t more)
{
	size_t end = m->len, body = m->block + 32;

	m->len = m->block;
	put(m, kind, 4);
	put(m, coding, 4);
	put(m, end - body + more, 4);
	put(m, end - body + more, 4);
	put(m, m->number++, 4);
	put(m, 0, 4);
	put(m, crc32c(m->bytes + body, end - body), 4);
	put(m, crc32c(m->bytes + m->block, 28), 4);
	m->len = end;
}

static void field(struct made *m, unsigned int kind, uint64_t n)
{
	put(m, kind, 2);
	put(m, 8, 2);
	put(m, n, 8);
}

static void fields(struct made *m, unsigned int type)
{
	begin_block(m);
	put(m, 1, 2);
	put(m, 4, 2);
	put_bytes(m, "made", 4);
	field(m, 2, type);
	field(m, 3, KREG_ACCESS_PUBLIC);
	field(m, 4, 0600);
}

static void record(struct made *m, unsigned int kind, const char *key, const char *value)
{
	put(m, kind, 2);
	put(m, strlen(key), 2);
	put(m, strlen(value), 4);
	put_bytes(m, key, strlen(key));
	put_bytes(m, value, strlen(value));
	if (kind != 1)
		return;
	m->objects++;
	m->payload += strlen(key) + strlen(value);
}

static void end(struct made *m)
{
	uint64_t sum = crc(m->bytes, m->len, 0xc96c5795d7870f42, UINT64_MAX);

	begin_block(m);
	put(m, m->objects, 8);
	put(m, m->payload, 8);
	put(m, m->number, 8);
	put(m, sum, 8);
	end_block(m, 3, 0, 0);
}

FIXTURE(made)
{
	struct kreg_client *client;
	struct kreg_table *copy;
	struct made m;
};

FIXTURE_SETUP(made)
{
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->copy = NULL;
	start(&self->m, 1);
	fields(&self->m, KREG_TYPE_SET);
}

FIXTURE_TEARDOWN(made)
{
	if (self->copy)
		dump_drop_table(self->copy);
	kreg_client_close(self->client);
}

/* What a restore has failed with; looking whether it has left something fails, too. */
static char said[512];

/* Restore what was made; if that fails nothing is there. */
static int restore(struct kreg_client *client, const struct made *m, struct kreg_table **copy)
{
	int fd = dump_bytes(m->bytes, m->len), ret;

	*copy = NULL;
	ret = dump_restore(client, fd, NULL, copy);
	close(fd);
	snprintf(said, sizeof(said), "%s", kreg_errmsg());
	return ret && !dump_none(client, "made") ? 1 : ret;
}

/* Ends what was begun, and is refused with these. */
#define refused(err, text) do {								\
	EXPECT_EQ(-(err), restore(self->client, &self->m, &self->copy));		\
	EXPECT_NE(NULL, strstr(said, text)) {						\
		TH_LOG("%s", said);							\
	}										\
} while (0)

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
