// SPDX-License-Identifier: GPL-2.0
/* libkreg: dumps of which a byte is another one, is missing or is too many. */
#include "lib/dump.h"

FIXTURE(damage)
{
	struct kreg_client *client;
	struct kreg_table *table;
	unsigned char *bytes;		/* a dump of it */
	size_t len;
};

FIXTURE_VARIANT(damage)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(damage, plain) { 0 };
FIXTURE_VARIANT_ADD(damage, packed) { KREG_DUMP_COMPRESS };

FIXTURE_SETUP(damage)
{
	char key[8], value[64] = "";
	unsigned int n;
	int fd;

	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->table = dump_new_table(self->client, "dumped", KREG_TYPE_ORDERED_SET);
	ASSERT_NE(NULL, self->table);
	for (n = 0; n < 8; n++) {
		snprintf(key, sizeof(key), "key %u", n);
		ASSERT_EQ(0, kreg_put(self->table, key, strlen(key), value, sizeof(value)));
	}
	fd = dump_table(self->table, variant->flags);
	ASSERT_LE(0, fd);
	self->len = lseek(fd, 0, SEEK_END);
	self->bytes = malloc(self->len + 1);
	ASSERT_EQ((ssize_t)self->len, pread(fd, self->bytes, self->len, 0));
	close(fd);
}

FIXTURE_TEARDOWN(damage)
{
	free(self->bytes);
	dump_drop_table(self->table);
	kreg_client_close(self->client);
}

static int info_of(int fd, struct kreg_dump_info *info)
{
	lseek(fd, 0, SEEK_SET);
	return kreg_dump_info(fd, info);
}

TEST_F(damage, every_byte)
{
	static const unsigned char changes[] = { 1, 0x40, 0xff };
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	int fd = dump_bytes(self->bytes, self->len);
	unsigned char byte;
	size_t i, j;

	ASSERT_EQ(0, info_of(fd, &info));
	for (i = 0; i < self->len; i++) {
		for (j = 0; j < ARRAY_SIZE(changes); j++) {
			byte = self->bytes[i] ^ changes[j];
			ASSERT_EQ(1, pwrite(fd, &byte, 1, i));
			ASSERT_EQ(-EBADMSG, info_of(fd, &info)) {
				TH_LOG("byte %zu of %zu, changed by %u", i, self->len, changes[j]);
			}
		}
		ASSERT_EQ(1, pwrite(fd, &self->bytes[i], 1, i));
	}
	ASSERT_EQ(0, info_of(fd, &info));
	close(fd);
}

TEST_F(damage, every_length)
{
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	int fd = dump_bytes(self->bytes, self->len);
	size_t len;

	ASSERT_EQ(1, pwrite(fd, "", 1, self->len));
	ASSERT_EQ(-EBADMSG, info_of(fd, &info));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "it goes on behind its end"));
	for (len = self->len; len--;) {
		ASSERT_EQ(0, ftruncate(fd, len));
		ASSERT_EQ(-EBADMSG, info_of(fd, &info)) {
			TH_LOG("%zu of %zu bytes", len, self->len);
		}
	}
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "this is no dump of kreg"));
	close(fd);
}

/* A byte is left out, or there twice. */
TEST_F(damage, every_shift)
{
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	unsigned char *bytes = malloc(self->len + 1);
	size_t i;
	int fd;

	for (i = 0; i < self->len; i++) {
		memcpy(bytes, self->bytes, i);
		memcpy(bytes + i, self->bytes + i + 1, self->len - i - 1);
		fd = dump_bytes(bytes, self->len - 1);
		ASSERT_EQ(-EBADMSG, info_of(fd, &info));
		close(fd);
		memcpy(bytes + i, self->bytes + i, 1);
		memcpy(bytes + i + 1, self->bytes + i, self->len - i);
		fd = dump_bytes(bytes, self->len + 1);
		ASSERT_EQ(-EBADMSG, info_of(fd, &info));
		close(fd);
	}
	free(bytes);
}

/* Nothing of it becomes a table. */
TEST_F(damage, restore)
{
	struct kreg_table *copy;
	int fd;

	self->bytes[self->len - 1] ^= 1;
	fd = dump_bytes(self->bytes, self->len);
	EXPECT_EQ(-EBADMSG, dump_restore(self->client, fd, "copy", &copy));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the dump is damaged before byte"));
	EXPECT_TRUE(dump_none(self->client, "copy"));
	close(fd);
}

TEST_HARNESS_MAIN
