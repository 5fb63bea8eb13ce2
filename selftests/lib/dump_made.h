/* SPDX-License-Identifier: GPL-2.0 */
/* Dumps that are made here, from the description of the format alone. */
#ifndef KREG_LIB_DUMP_MADE_H
#define KREG_LIB_DUMP_MADE_H

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

static inline uint64_t crc(const unsigned char *s, size_t len, uint64_t poly, uint64_t ones)
{
	uint64_t sum = ones;
	int bit;

	for (; len; len--, s++)
		for (sum ^= *s, bit = 0; bit < 8; bit++)
			sum = sum & 1 ? sum >> 1 ^ poly : sum >> 1;
	return sum ^ ones;
}

static inline uint32_t crc32c(const unsigned char *s, size_t len)
{
	return crc(s, len, 0x82f63b78, UINT32_MAX);
}

static inline void put(struct made *m, uint64_t n, unsigned int size)
{
	for (; size; size--, n >>= 8)
		m->bytes[m->len++] = n;
}

static inline void put_bytes(struct made *m, const void *data, size_t len)
{
	memcpy(m->bytes + m->len, data, len);
	m->len += len;
}

static inline void start(struct made *m, uint32_t format)
{
	memset(m, 0, sizeof(*m));
	put_bytes(m, "\x89kreg\r\n\x1a", 8);
	put(m, format, 4);
	put(m, crc32c(m->bytes, 12), 4);
}

static inline void begin_block(struct made *m)
{
	m->block = m->len;
	m->len += 32;
}

/* @more: bytes of the body that are not there. */
static inline void end_block(struct made *m, uint32_t kind, uint32_t coding, uint32_t more)
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

static inline void field(struct made *m, unsigned int kind, uint64_t n)
{
	put(m, kind, 2);
	put(m, 8, 2);
	put(m, n, 8);
}

static inline void fields(struct made *m, unsigned int type)
{
	begin_block(m);
	put(m, 1, 2);
	put(m, 4, 2);
	put_bytes(m, "made", 4);
	field(m, 2, type);
	field(m, 3, KREG_ACCESS_PUBLIC);
	field(m, 4, 0600);
}

static inline void record(struct made *m, unsigned int kind, const char *key, const char *value)
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

static inline void end(struct made *m)
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
static inline int restore(struct kreg_client *client, const struct made *m,
			  struct kreg_table **copy)
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

#endif /* KREG_LIB_DUMP_MADE_H */
