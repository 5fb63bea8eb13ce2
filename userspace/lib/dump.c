/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing dumps: a scan by a pin, in blocks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dump.h"

/* A block is written when it has so much, or before it would become too long for the format. */
#define FULL	(256u << 10)

_Static_assert(FULL + 2 * DUMP_RECORD + DUMP_EXPIRY_LEN + KREG_MAX_KEY + KREG_MAX_VALUE <=
	       DUMP_BODY,
	       "an object fits into a block that is not full");

struct writer {
	struct kreg_table *table;
	int fd;
	struct kreg_dump_options o;
	unsigned char *body;		/* of the block that is filled */
	size_t len;
	unsigned char *packed;		/* room to compress it */
	uint32_t number;
	uint64_t sum;
	uint64_t about;
	uint64_t ahead;			/* nanoseconds of CLOCK_REALTIME before CLOCK_MONOTONIC */
	struct kreg_dump_info info;
};

static int write_out(struct writer *w, const void *data, size_t len)
{
	w->info.file_bytes += len;
	return kreg_dump_write_all(w->fd, data, len);
}

static int write_start(struct writer *w)
{
	unsigned char start[DUMP_START];

	memcpy(start, DUMP_MAGIC, DUMP_MAGIC_LEN);
	dump_set32(start + 8, DUMP_FORMAT);
	dump_set32(start + 12, kreg_crc32c(0, start, 12));
	w->sum = kreg_crc64(0, start, sizeof(start));
	return write_out(w, start, sizeof(start));
}

/* What was filled becomes a block of this kind. */
static int write_block(struct writer *w, unsigned int kind)
{
	unsigned char head[DUMP_HEAD] = { 0 };
	const unsigned char *body = w->body;
	size_t len = w->len;
	ssize_t packed = 0;
	int ret;

	if (w->packed && kind == DUMP_OBJECTS)
		packed = kreg_zstd_compress(w->packed, body, len, w->o.level ? w->o.level : 3);
	if (packed > 0) {
		body = w->packed;
		len = packed;
		w->info.flags |= KREG_DUMP_COMPRESS;
	}
	dump_set32(head + HEAD_KIND, kind);
	dump_set32(head + HEAD_CODING, packed > 0 ? DUMP_ZSTD : DUMP_PLAIN);
	dump_set32(head + HEAD_STORED, len);
	dump_set32(head + HEAD_PLAIN, w->len);
	dump_set32(head + HEAD_NUMBER, w->number++);
	dump_set32(head + HEAD_BODY_SUM, kreg_crc32c(0, body, len));
	dump_set32(head + HEAD_SUM, kreg_crc32c(0, head, HEAD_SUM));
	w->sum = kreg_crc64(kreg_crc64(w->sum, head, sizeof(head)), body, len);
	w->len = 0;
	ret = write_out(w, head, sizeof(head));
	return ret ? ret : write_out(w, body, len);
}

static void add_field(struct writer *w, unsigned int kind, const void *data, size_t len)
{
	dump_set16(w->body + w->len, kind);
	dump_set16(w->body + w->len + 2, len);
	memcpy(w->body + w->len + 4, data, len);
	w->len += 4 + len;
}

static void add_number(struct writer *w, unsigned int kind, uint64_t number)
{
	unsigned char data[8];

	dump_set64(data, number);
	add_field(w, kind, data, sizeof(data));
}

static int write_table(struct writer *w)
{
	const struct kreg_dump_info *i = &w->info;

	add_field(w, DUMP_NAME, i->name, strlen(i->name));
	add_number(w, DUMP_TYPE, i->type);
	add_number(w, DUMP_ACCESS, i->access);
	add_number(w, DUMP_MODE, i->mode);
	add_number(w, DUMP_ORPHAN, i->orphan);
	add_number(w, DUMP_ORPHAN_MS, i->orphan_ms);
	add_number(w, DUMP_FLAGS, i->flags & DUMP_TABLE_FLAGS);
	/* Who does not know these would make a table that its programs do not open. */
	if (i->schema) {
		add_number(w, DUMP_SCHEMA, i->schema);
		add_number(w, DUMP_SCHEMA_VERSION, i->schema_version);
	}
	add_number(w, DUMP_ABOUT, w->about);
	add_number(w, DUMP_VERSION, i->version);
	add_number(w, DUMP_TIME, i->time_ns);
	return write_block(w, DUMP_TABLE);
}

static int write_end(struct writer *w)
{
	dump_set64(w->body, w->info.objects);
	dump_set64(w->body + 8, w->info.bytes);
	dump_set64(w->body + 16, w->number);
	dump_set64(w->body + 24, w->sum);
	w->len = DUMP_END_LEN;
	return write_block(w, DUMP_END);
}

static int write_objects(struct writer *w)
{
	int ret = write_block(w, DUMP_OBJECTS);

	return ret ? ret : kreg_dump_tell(w->o.progress, w->o.arg, KREG_DUMP_WRITING,
					  w->info.objects, w->about);
}

/* By the clock that goes on when the machine is started anew. */
static uint64_t moment(const struct writer *w, uint64_t ns)
{
	return ns ? ns + w->ahead : 0;
}

static void add_expiry(struct writer *w, const struct kreg_object_expiry *e)
{
	unsigned char *at = w->body + w->len, *value = at + DUMP_RECORD;

	if (!e->until_ns)
		return;
	dump_set16(at, DUMP_EXPIRY);
	dump_set16(at + 2, 0);
	dump_set32(at + 4, DUMP_EXPIRY_LEN);
	dump_set64(value, moment(w, e->until_ns));
	dump_set64(value + 8, moment(w, e->expires_ns));
	dump_set64(value + 16, e->idle_ms);
	w->len += DUMP_RECORD + DUMP_EXPIRY_LEN;
}

static int add_object(struct writer *w, const struct kreg_object *object)
{
	size_t key_len, value_len;
	const void *key = kreg_object_key(object, &key_len);
	const void *value = kreg_object_value(object, &value_len);
	unsigned char *at;

	/* It is of a process, and means nothing without that. */
	if (kreg_object_process(object).cookie)
		return 0;
	add_expiry(w, kreg_object_expiry(object));
	at = w->body + w->len;
	dump_set16(at, DUMP_OBJECT);
	dump_set16(at + 2, key_len);
	dump_set32(at + 4, value_len);
	memcpy(at + DUMP_RECORD, key, key_len);
	memcpy(at + DUMP_RECORD + key_len, value, value_len);
	w->len += DUMP_RECORD + key_len + value_len;
	w->info.objects++;
	w->info.bytes += key_len + value_len;
	return w->len < FULL ? 0 : write_objects(w);
}

static int write_all(struct writer *w, const struct kreg_pin *pin)
{
	struct kreg_scan_options o = {
		.size = sizeof(o), .flags = KREG_SCAN_PROCESSES | KREG_SCAN_EXPIRES,
		.room = FULL, .pin = pin,
	};
	const struct kreg_object *object;
	struct kreg_scan *scan;
	int ret = kreg_scan_open(w->table, &o, &scan);

	if (ret)
		return ret;
	ret = write_start(w);
	if (!ret)
		ret = write_table(w);
	while (!ret) {
		ret = kreg_scan_next(scan, &object);
		if (ret <= 0)
			break;
		ret = add_object(w, object);
	}
	kreg_scan_close(scan);
	if (!ret && w->len)
		ret = write_objects(w);
	return ret ? ret : write_end(w);
}

static void set_info(struct writer *w, const struct kreg_stat *stat, const struct kreg_pin *pin)
{
	struct kreg_dump_info *i = &w->info;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	w->ahead = now.tv_sec * 1000000000ull + now.tv_nsec - kreg_deadline(0);
	i->format = DUMP_FORMAT;
	i->flags = (kreg_stat_claimable(stat) ? KREG_DUMP_CLAIMABLE : 0) |
		   (kreg_stat_sealed(stat) ? KREG_DUMP_SEALED : 0) |
		   (kreg_stat_shared(stat) ? KREG_DUMP_SHARED : 0);
	i->type = kreg_stat_type(stat);
	i->access = kreg_stat_access(stat);
	i->mode = kreg_stat_mode(stat);
	i->orphan = kreg_stat_orphan(stat);
	i->orphan_ms = kreg_stat_orphan_ms(stat);
	i->version = kreg_pin_version(pin);
	i->schema = kreg_stat_schema(stat);
	i->schema_version = kreg_stat_schema_version(stat);
	i->time_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	snprintf(i->name, sizeof(i->name), "%s", kreg_stat_name(stat));
	w->about = kreg_stat_objects(stat);
}

static int read_options(struct writer *w, const struct kreg_dump_options *options)
{
	int ret;

	w->o = (struct kreg_dump_options){ .size = sizeof(w->o) };
	ret = options ? kreg_options_copy(&w->o, sizeof(w->o), options) : 0;
	if (!ret && w->o.flags & ~KREG_DUMP_COMPRESS)
		ret = kreg_cause(-EOPNOTSUPP, "a flag of the dump is not known");
	if (!ret && w->o.level && !(w->o.flags & KREG_DUMP_COMPRESS))
		ret = kreg_cause(-EINVAL, "a level goes with KREG_DUMP_COMPRESS alone");
	if (ret || !(w->o.flags & KREG_DUMP_COMPRESS))
		return ret;
	ret = kreg_zstd_check(w->o.level);
	if (ret == -EOPNOTSUPP)
		kreg_cause(ret, "this libkreg was built without zstd: dump without compressing, or install libzstd-dev and build it again");
	else if (ret)
		kreg_cause(ret, "zstd has no such level: they go from 1 to 22");
	return ret;
}

/* Its schema is that of what the pin shows if it is the same before and after. */
static int begin(struct writer *w, struct kreg_pin **pin)
{
	struct kreg_stat *before, *stat;
	bool same;
	int ret;

	for (;;) {
		ret = kreg_table_stat(w->table, &before);
		if (ret)
			return ret;
		ret = kreg_pin_set(w->table, 0, pin);
		if (!ret)
			ret = kreg_table_stat(w->table, &stat);
		if (ret)
			break;
		same = kreg_stat_schema(stat) == kreg_stat_schema(before) &&
		       kreg_stat_schema_version(stat) == kreg_stat_schema_version(before);
		if (same)
			set_info(w, stat, *pin);
		kreg_stat_free(stat);
		if (same)
			break;
		kreg_pin_end(*pin);
		*pin = NULL;
		kreg_stat_free(before);
	}
	kreg_stat_free(before);
	return ret;
}

static int run_dump(struct writer *w)
{
	struct kreg_pin *pin = NULL;
	int ret = 0;

	w->body = malloc(DUMP_BODY);
	w->packed = w->o.flags & KREG_DUMP_COMPRESS ? malloc(DUMP_BODY) : NULL;
	if (!w->body || (w->o.flags & KREG_DUMP_COMPRESS && !w->packed))
		ret = kreg_fail_table(-ENOMEM, TRY_READ, w->table);
	if (!ret)
		ret = begin(w, &pin);
	if (!ret)
		ret = write_all(w, pin);
	kreg_pin_end(pin);
	free(w->body);
	free(w->packed);
	return ret;
}

int kreg_dump(struct kreg_table *table, int fd, const struct kreg_dump_options *options,
	      struct kreg_dump_info *info)
{
	struct writer w = { .table = table, .fd = fd };
	int ret;

	if (info && info->size < sizeof(info->size)) {
		ret = kreg_cause(-EINVAL, "the struct for what was written does not tell its size");
		return kreg_fail_table(ret, TRY_READ, table);
	}
	ret = read_options(&w, options);
	ret = ret ? kreg_fail_table(ret, TRY_READ, table) : run_dump(&w);
	/* Who wants to try again has to know whether there is something to be undone. */
	if (ret)
		w.info = (struct kreg_dump_info){ .file_bytes = w.info.file_bytes };
	if (info)
		kreg_dump_info_copy(info, &w.info);
	return ret;
}
