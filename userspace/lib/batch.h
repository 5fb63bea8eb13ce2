/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A batch, between the files that fill it. */
#ifndef KREG_LIB_BATCH_H
#define KREG_LIB_BATCH_H

#include "internal.h"

/*
 * Keys and values lie in one buffer that moves as it grows, so the operations hold
 * offsets; bind_ops() makes pointers of them for the call. A read has the head of a
 * struct kreg_object before its key, so that what it finds can be handed out from there.
 */
struct kreg_batch {
	struct kreg_table *table;
	unsigned int flags;
	struct kreg_op *ops;
	unsigned int count;
	unsigned int room;
	char *bytes;
	size_t len;
	size_t bytes_room;
	size_t payload;		/* bytes that count against @most_bytes */
	unsigned int most_ops;	/* with which it is full */
	size_t most_bytes;
	bool reads;
	bool looks;		/* there are operations of batch_edit.c */
	bool ran;		/* the operations hold the results of a call */
	int failed;
	struct kreg_filter **filters;	/* which operations lead to, a reference each */
	unsigned int nr_filters;
};

/* batch.c. Room for so many bytes more behind those that are there. -ENOMEM. */
int kreg_batch_grow(struct kreg_batch *b, size_t more);
/* An operation, with @value or room for one; its index, or what has failed. */
int kreg_batch_add(struct kreg_batch *b, unsigned int code, const void *key, size_t key_len,
		   const void *value, size_t value_len);
/*
 * batch_object.c. Whether a read gives all objects of its key, packed one behind the other, and not
 * a value alone.
 */
bool kreg_batch_packs(const struct kreg_batch *b, unsigned int code);
/* Of what else reads have found, objects. */
void kreg_batch_make_objects(struct kreg_batch *b);
/*
 * batch_edit.c. What else operations lead to becomes pointers, or with @there false offsets again,
 * while values of them are offsets.
 */
void kreg_batch_move_looks(struct kreg_batch *b, bool there);
/* There is no operation left that leads to one. */
void kreg_batch_drop_filters(struct kreg_batch *b);

#endif /* KREG_LIB_BATCH_H */
