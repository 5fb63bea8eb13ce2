/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The format of dumps, which kreg-dump(5) describes, and what the files about it share. */
#ifndef KREG_LIB_DUMP_H
#define KREG_LIB_DUMP_H

#include <endian.h>
#include <string.h>

#include "internal.h"

/* Lines that were converted, and a seventh bit that was lost, are seen in it as such. */
#define DUMP_MAGIC	"\x89kreg\r\n\x1a"
#define DUMP_MAGIC_LEN	8
#define DUMP_FORMAT	1

/* The file begins with magic, version and the checksum of both. */
#define DUMP_START	16
/* Head of a block; its last four bytes are the checksum of those before. */
#define DUMP_HEAD	32
/* Body of a block, as it is stored and as it is meant. */
#define DUMP_BODY	(2u << 20)
/* Head of a record in a body: kind, length of the key, length of the value. */
#define DUMP_RECORD	8
/* Body of the last block. */
#define DUMP_END_LEN	32

enum dump_block {
	DUMP_TABLE = 1,
	DUMP_OBJECTS = 2,
	DUMP_END = 3,
};

/* Who does not know a block, field or record with this bit in its kind passes over it. */
#define DUMP_BLOCK_OPTIONAL	(1u << 31)
#define DUMP_OPTIONAL		(1u << 15)

enum dump_coding {
	DUMP_PLAIN = 0,
	DUMP_ZSTD = 1,
};

enum dump_record {
	DUMP_OBJECT = 1,
	DUMP_EXPIRY = 2,		/* of the object in the next record */
};

/* Value of a record of that kind, which has no key. */
#define DUMP_EXPIRY_LEN	24

enum dump_field {
	DUMP_NAME = 1,
	DUMP_TYPE = 2,
	DUMP_ACCESS = 3,
	DUMP_MODE = 4,
	DUMP_ORPHAN = 5,
	DUMP_ORPHAN_MS = 6,
	DUMP_FLAGS = 7,
	DUMP_SCHEMA = 8,
	DUMP_SCHEMA_VERSION = 9,
	DUMP_ABOUT = DUMP_OPTIONAL | 1,		/* how many objects, for who shows progress */
	DUMP_VERSION = DUMP_OPTIONAL | 2,
	DUMP_TIME = DUMP_OPTIONAL | 3,
};

/* What the field DUMP_FLAGS may have. */
#define DUMP_TABLE_FLAGS	(KREG_DUMP_CLAIMABLE | KREG_DUMP_SEALED | KREG_DUMP_SHARED)

/* Positions in the head of a block. */
#define HEAD_KIND	0
#define HEAD_CODING	4
#define HEAD_STORED	8
#define HEAD_PLAIN	12
#define HEAD_NUMBER	16
#define HEAD_ZERO	20
#define HEAD_BODY_SUM	24
#define HEAD_SUM	28

static inline void dump_set16(unsigned char *at, uint16_t n)
{
	n = htole16(n);
	memcpy(at, &n, sizeof(n));
}

static inline void dump_set32(unsigned char *at, uint32_t n)
{
	n = htole32(n);
	memcpy(at, &n, sizeof(n));
}

static inline void dump_set64(unsigned char *at, uint64_t n)
{
	n = htole64(n);
	memcpy(at, &n, sizeof(n));
}

static inline uint16_t dump_get16(const unsigned char *at)
{
	uint16_t n;

	memcpy(&n, at, sizeof(n));
	return le16toh(n);
}

static inline uint32_t dump_get32(const unsigned char *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return le32toh(n);
}

static inline uint64_t dump_get64(const unsigned char *at)
{
	uint64_t n;

	memcpy(&n, at, sizeof(n));
	return le64toh(n);
}

/* dump_sum.c: CRC-32C, and CRC-64 as xz(1) has it; the first @sum is 0. */
uint32_t kreg_crc32c(uint32_t sum, const void *data, size_t len);
uint64_t kreg_crc64(uint64_t sum, const void *data, size_t len);

/*
 * dump_zstd.c. Compress into less than @len bytes: how many, or 0 if that cannot be, or an error.
 * Expand to exactly @len bytes: 0 or an error. -EOPNOTSUPP: the library was built without zstd.
 */
int kreg_zstd_check(int level);
ssize_t kreg_zstd_compress(void *to, const void *from, size_t len, int level);
int kreg_zstd_expand(void *to, size_t len, const void *from, size_t from_len);

/* dump_file.c: 0 or -errno, the whole or nothing; what has failed is kept for kreg_errmsg(). */
int kreg_dump_write_all(int fd, const void *data, size_t len);
/* Likewise in a file of kreg_dump_temporary(), if there is one: -1 is none. */
int kreg_dump_keep(int fd, const void *data, size_t len);
/* How many bytes were there before the end, at most @len. */
ssize_t kreg_dump_read_all(int fd, void *data, size_t len);
/* A file without a name, which is gone when it is closed. */
int kreg_dump_temporary(void);
/* Keep a sentence of its own. */
int kreg_dump_fail(int ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fill in a struct of the program's that may be longer or shorter. */
void kreg_dump_info_copy(struct kreg_dump_info *theirs, const struct kreg_dump_info *ours);

struct dump_reader {
	int fd;
	int copy;			/* descriptor that gets all that is read, or -1 */
	uint64_t at;			/* bytes that were read */
	uint64_t sum;			/* CRC-64 of all that were read before this block */
	uint32_t number;		/* of the block */
	uint32_t kind;
	uint64_t about;			/* how many objects there are */
	unsigned char *stored;		/* room for a body */
	unsigned char *plain;		/* likewise */
	const unsigned char *body;	/* one of them */
	size_t len;			/* of the body; */
	size_t next;			/* position in it */
	bool has_mode;			/* the table has a mode, which may be 0 */
	bool timed;			/* @expiry is that of the next object, */
	struct kreg_object_expiry expiry;	/* or of the last: by CLOCK_REALTIME */
	struct kreg_dump_info info;
};

struct dump_object {
	const void *key;
	size_t key_len;
	const void *value;
	size_t value_len;
};

/* dump_block.c: the start of the file, and a block, whose checksums are right. */
int kreg_dump_read_start(struct dump_reader *r);
int kreg_dump_read_block(struct dump_reader *r);
/* Verify that all was read, and nothing is behind it. */
int kreg_dump_read_end(struct dump_reader *r);
int kreg_dump_damaged(const struct dump_reader *r, const char *what);
int kreg_dump_unknown(const char *what, unsigned int kind);

/* dump_read.c: to be closed also if it fails; @r->info has what is known of the table. */
int kreg_dump_reader_open(struct dump_reader *r, int fd, int copy);
void kreg_dump_reader_close(struct dump_reader *r);
/* 1: the next object; 0: there is none, and the whole file was right; or an error. */
int kreg_dump_reader_next(struct dump_reader *r, struct dump_object *object);
/* Read all of it. */
int kreg_dump_verify(struct dump_reader *r, kreg_dump_fn progress, void *arg);
/* Tell the program, which may cancel. */
int kreg_dump_tell(kreg_dump_fn fn, void *arg, unsigned int stage, uint64_t objects,
		   uint64_t total);

#endif /* KREG_LIB_DUMP_H */
