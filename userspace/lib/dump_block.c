/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the blocks of a dump: nothing that it says is used before its checksum was right. */
#include <errno.h>

#include "dump.h"

int kreg_dump_damaged(const struct dump_reader *r, const char *what)
{
	return kreg_dump_fail(-EBADMSG,
			      "the dump is damaged before byte %llu: %s; take another copy of it",
			      (unsigned long long)r->at, what);
}

int kreg_dump_unknown(const char *what, unsigned int kind)
{
	return kreg_dump_fail(-EOPNOTSUPP,
			      "the dump has a %s %u, which this library does not know: use a later one",
			      what, kind);
}

/* The next @len bytes; fewer are an error. */
static int get(struct dump_reader *r, void *to, size_t len)
{
	ssize_t n = kreg_dump_read_all(r->fd, to, len);

	if (n < 0)
		return n;
	r->at += n;
	if ((size_t)n < len)
		return kreg_dump_damaged(r, "it ends too early");
	return kreg_dump_keep(r->copy, to, len);
}

int kreg_dump_read_start(struct dump_reader *r)
{
	unsigned char start[DUMP_START] = { 0 };
	ssize_t n = kreg_dump_read_all(r->fd, start, sizeof(start));

	if (n < 0)
		return n;
	r->at = n;
	if (n < DUMP_MAGIC_LEN || memcmp(start, DUMP_MAGIC, DUMP_MAGIC_LEN))
		return kreg_dump_fail(-EBADMSG,
				      "this is no dump of kreg: it does not begin as one does");
	if (n < DUMP_START)
		return kreg_dump_damaged(r, "it ends too early");
	if (dump_get32(start + 12) != kreg_crc32c(0, start, 12))
		return kreg_dump_damaged(r, "its start has another checksum");
	r->info.format = dump_get32(start + 8);
	if (r->info.format != DUMP_FORMAT)
		return kreg_dump_unknown("format of version", r->info.format);
	r->sum = kreg_crc64(0, start, sizeof(start));
	return kreg_dump_keep(r->copy, start, sizeof(start));
}

/* Of a head whose checksum is right: what must be so in every version. */
static const char *head_fault(const struct dump_reader *r, const unsigned char *head)
{
	uint32_t stored = dump_get32(head + HEAD_STORED), plain = dump_get32(head + HEAD_PLAIN);

	if (dump_get32(head + HEAD_NUMBER) != r->number)
		return "a block is missing";
	if (stored > DUMP_BODY || plain > DUMP_BODY)
		return "a block is too long";
	if (dump_get32(head + HEAD_CODING) == DUMP_PLAIN && stored != plain)
		return "a block has two lengths";
	return dump_get32(head + HEAD_ZERO) ? "a head is not as it has to be" : NULL;
}

static int expand(struct dump_reader *r, unsigned int coding, size_t stored, size_t plain)
{
	int ret = 0;

	if (coding > DUMP_ZSTD)
		return kreg_dump_unknown("coding", coding);
	if (coding == DUMP_ZSTD) {
		ret = kreg_zstd_expand(r->plain, plain, r->stored, stored);
		r->info.flags |= KREG_DUMP_COMPRESS;
	}
	if (ret == -EOPNOTSUPP)
		return kreg_dump_fail(ret,
				      "the dump is compressed, and this libkreg was built without zstd: expand it by one that has it, or install libzstd-dev and build again");
	if (ret)
		return kreg_dump_damaged(r, "a block cannot be expanded");
	r->body = coding == DUMP_ZSTD ? r->plain : r->stored;
	r->len = plain;
	r->next = 0;
	return 0;
}

int kreg_dump_read_block(struct dump_reader *r)
{
	unsigned char head[DUMP_HEAD];
	const char *fault;
	uint32_t stored;
	int ret = get(r, head, sizeof(head));

	if (ret)
		return ret;
	if (dump_get32(head + HEAD_SUM) != kreg_crc32c(0, head, HEAD_SUM))
		return kreg_dump_damaged(r, "the head of a block has another checksum");
	fault = head_fault(r, head);
	if (fault)
		return kreg_dump_damaged(r, fault);
	stored = dump_get32(head + HEAD_STORED);
	ret = get(r, r->stored, stored);
	if (ret)
		return ret;
	if (dump_get32(head + HEAD_BODY_SUM) != kreg_crc32c(0, r->stored, stored))
		return kreg_dump_damaged(r, "a block has another checksum");
	r->kind = dump_get32(head + HEAD_KIND);
	r->number++;
	/* The last block has the sum of those before it. */
	if (r->kind != DUMP_END) {
		r->sum = kreg_crc64(r->sum, head, sizeof(head));
		r->sum = kreg_crc64(r->sum, r->stored, stored);
	}
	/* One that is passed over may be coded in a way that is not known. */
	if (r->kind & DUMP_BLOCK_OPTIONAL)
		return 0;
	return expand(r, dump_get32(head + HEAD_CODING), stored, dump_get32(head + HEAD_PLAIN));
}

int kreg_dump_read_end(struct dump_reader *r)
{
	char more;
	ssize_t n;

	if (r->len != DUMP_END_LEN)
		return kreg_dump_damaged(r, "its last block is not as it has to be");
	if (dump_get64(r->body) != r->info.objects || dump_get64(r->body + 8) != r->info.bytes ||
	    dump_get64(r->body + 16) != r->number - 1)
		return kreg_dump_damaged(r, "objects are missing, or too many");
	if (dump_get64(r->body + 24) != r->sum)
		return kreg_dump_damaged(r, "it has another checksum");
	n = kreg_dump_read_all(r->fd, &more, 1);
	if (n > 0)
		return kreg_dump_damaged(r, "it goes on behind its end");
	r->info.file_bytes = r->at;
	return n;
}
