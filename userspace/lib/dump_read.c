/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading dumps: what is in the blocks. */
#include <errno.h>
#include <stdlib.h>

#include "dump.h"

/* None and one that allows nothing are two things. */
static void take_mode(struct dump_reader *r, uint32_t mode)
{
	r->info.mode = mode;
	r->has_mode = true;
}

/* A field of the table, and where it goes. */
static int set_number(struct dump_reader *r, unsigned int kind, uint64_t n)
{
	struct kreg_dump_info *info = &r->info;

	if (n > UINT32_MAX && ((kind >= DUMP_TYPE && kind <= DUMP_ORPHAN) ||
			       kind == DUMP_SCHEMA_VERSION))
		return kreg_dump_damaged(r, "a number of the table is too large");
	if (kind == DUMP_TYPE)
		info->type = n;
	else if (kind == DUMP_ACCESS)
		info->access = n;
	else if (kind == DUMP_MODE)
		take_mode(r, n);
	else if (kind == DUMP_ORPHAN)
		info->orphan = n;
	else if (kind == DUMP_ORPHAN_MS)
		info->orphan_ms = n;
	else if (kind == DUMP_FLAGS && !(n & ~(uint64_t)DUMP_TABLE_FLAGS))
		info->flags |= n;
	else if (kind == DUMP_SCHEMA)
		info->schema = n;
	else if (kind == DUMP_SCHEMA_VERSION)
		info->schema_version = n;
	else if (kind == DUMP_ABOUT)
		r->about = n;
	else if (kind == DUMP_VERSION)
		info->version = n;
	else if (kind == DUMP_TIME)
		info->time_ns = n;
	else if (!(kind & DUMP_OPTIONAL))
		return kreg_dump_unknown("field", kind);
	return 0;
}

static int set_field(struct dump_reader *r, unsigned int kind, const unsigned char *data,
		     size_t len)
{
	if (kind == DUMP_NAME) {
		if (len > KREG_MAX_NAME || memchr(data, 0, len))
			return kreg_dump_damaged(r, "the name of the table is none");
		memcpy(r->info.name, data, len);
		r->info.name[len] = '\0';
		return 0;
	}
	if (len == 8)
		return set_number(r, kind, dump_get64(data));
	return kind & DUMP_OPTIONAL ? 0 : kreg_dump_unknown("field", kind);
}

static int read_fields(struct dump_reader *r)
{
	unsigned int kind, len;
	int ret = 0;

	while (!ret && r->next < r->len) {
		if (r->len - r->next < 4)
			return kreg_dump_damaged(r, "a field is too short");
		kind = dump_get16(r->body + r->next);
		len = dump_get16(r->body + r->next + 2);
		r->next += 4;
		if (len > r->len - r->next)
			return kreg_dump_damaged(r, "a field is too long");
		ret = set_field(r, kind, r->body + r->next, len);
		r->next += len;
	}
	return ret;
}

/* The kernel would refuse some of these, too, but without saying that the dump is the cause. */
static int check_table(struct dump_reader *r)
{
	const struct kreg_dump_info *i = &r->info;

	if (i->type < KREG_TYPE_SET || i->type > KREG_TYPE_DUPLICATE_BAG)
		return kreg_dump_unknown("type of a table", i->type);
	if (i->access < KREG_ACCESS_PRIVATE || i->access > KREG_ACCESS_REGISTRY)
		return kreg_dump_unknown("rule of access", i->access);
	if (i->orphan > KREG_ORPHAN_PARK_ON_CRASH)
		return kreg_dump_unknown("rule for orphans", i->orphan);
	if (!r->has_mode || i->mode & ~0666u)
		return kreg_dump_damaged(r, "the mode of the table is none");
	if (!i->schema != !i->schema_version)
		return kreg_dump_damaged(r, "its schema has no version, or the version no schema");
	return 0;
}

int kreg_dump_reader_open(struct dump_reader *r, int fd, int copy)
{
	int ret;

	*r = (struct dump_reader){ .fd = fd, .copy = copy, .info.size = sizeof(r->info) };
	r->stored = malloc(DUMP_BODY);
	r->plain = malloc(DUMP_BODY);
	if (!r->stored || !r->plain)
		return kreg_fail(-ENOMEM, TRY_OTHER, NULL);
	ret = kreg_dump_read_start(r);
	if (!ret)
		ret = kreg_dump_read_block(r);
	if (!ret && r->kind != DUMP_TABLE)
		ret = kreg_dump_damaged(r, "its first block is not that of the table");
	if (!ret)
		ret = read_fields(r);
	return ret ? ret : check_table(r);
}

void kreg_dump_reader_close(struct dump_reader *r)
{
	free(r->stored);
	free(r->plain);
}

/* 1: a block of objects; 0: the end. */
static int next_block(struct dump_reader *r)
{
	int ret;

	for (;;) {
		ret = kreg_dump_read_block(r);
		if (ret)
			return ret;
		if (r->kind == DUMP_OBJECTS)
			return 1;
		if (r->kind == DUMP_END)
			return kreg_dump_read_end(r);
		if (r->kind == DUMP_TABLE)
			return kreg_dump_damaged(r, "a block is there twice");
		if (!(r->kind & DUMP_BLOCK_OPTIONAL))
			return kreg_dump_unknown("block of kind", r->kind);
		r->len = 0;
		r->next = 0;
	}
}

/* The record at the position, of whatever kind. */
static int read_record(struct dump_reader *r, unsigned int *kind, struct dump_object *o)
{
	const unsigned char *at = r->body + r->next;
	size_t left = r->len - r->next;

	if (left < DUMP_RECORD)
		return kreg_dump_damaged(r, "a record is too short");
	left -= DUMP_RECORD;
	*kind = dump_get16(at);
	o->key_len = dump_get16(at + 2);
	o->value_len = dump_get32(at + 4);
	if (o->key_len > left || o->value_len > left - o->key_len)
		return kreg_dump_damaged(r, "a record is too long");
	o->key = at + DUMP_RECORD;
	o->value = at + DUMP_RECORD + o->key_len;
	r->next += DUMP_RECORD + o->key_len + o->value_len;
	return 0;
}

static int check_object(struct dump_reader *r, const struct dump_object *o)
{
	if (!o->key_len || o->key_len > KREG_MAX_KEY || o->value_len > KREG_MAX_VALUE)
		return kreg_dump_damaged(r, "an object has a length that none has");
	if (!r->timed)
		memset(&r->expiry, 0, sizeof(r->expiry));
	r->timed = false;
	r->info.objects++;
	r->info.bytes += o->key_len + o->value_len;
	return 1;
}

static int read_expiry(struct dump_reader *r, const struct dump_object *o)
{
	const unsigned char *value = o->value;

	if (o->key_len || o->value_len != DUMP_EXPIRY_LEN || r->timed || r->next >= r->len)
		return kreg_dump_damaged(r, "an expiry is of no object");
	r->timed = true;
	r->expiry.until_ns = dump_get64(value);
	r->expiry.expires_ns = dump_get64(value + 8);
	if (!r->expiry.until_ns || dump_get64(value + 16) > UINT32_MAX)
		return kreg_dump_damaged(r, "an object has an expiry that none has");
	r->expiry.idle_ms = dump_get64(value + 16);
	return 0;
}

int kreg_dump_reader_next(struct dump_reader *r, struct dump_object *object)
{
	unsigned int kind = 0;
	int ret;

	for (;;) {
		while (r->next >= r->len) {
			ret = next_block(r);
			if (ret <= 0)
				return ret;
		}
		ret = read_record(r, &kind, object);
		if (ret)
			return ret;
		if (kind == DUMP_OBJECT)
			return check_object(r, object);
		if (kind == DUMP_EXPIRY) {
			ret = read_expiry(r, object);
			if (ret)
				return ret;
			continue;
		}
		if (!(kind & DUMP_OPTIONAL))
			return kreg_dump_unknown("record of kind", kind);
	}
}

int kreg_dump_tell(kreg_dump_fn fn, void *arg, unsigned int stage, uint64_t objects,
		   uint64_t total)
{
	if (!fn || !fn(stage, objects, total, arg))
		return 0;
	return kreg_dump_fail(-ECANCELED, "the program did not want to go on");
}

int kreg_dump_verify(struct dump_reader *r, kreg_dump_fn progress, void *arg)
{
	struct dump_object object;
	int ret;

	while ((ret = kreg_dump_reader_next(r, &object)) > 0) {
		if (r->next < r->len)
			continue;
		/* Once a block. */
		ret = kreg_dump_tell(progress, arg, KREG_DUMP_VERIFYING, r->info.objects, r->about);
		if (ret)
			break;
	}
	return ret;
}

int kreg_dump_info(int fd, struct kreg_dump_info *info)
{
	struct dump_reader r;
	int ret;

	if (info->size < sizeof(info->size))
		return kreg_fail(kreg_cause(-EINVAL, "the struct does not tell its size"),
				 TRY_OTHER, NULL);
	ret = kreg_dump_reader_open(&r, fd, -1);
	if (!ret)
		ret = kreg_dump_verify(&r, NULL, NULL);
	if (!ret)
		kreg_dump_info_copy(info, &r.info);
	kreg_dump_reader_close(&r);
	return ret;
}
