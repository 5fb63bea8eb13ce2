/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the reads of a batch have found. */
#include <errno.h>

#include "batch.h"

bool kreg_batch_packs(const struct kreg_batch *b, unsigned int code)
{
	return code == KREG_OP_GET && kreg_table_is_bag(b->table);
}

/* Fill in the heads; key and value follow them already. */
void kreg_batch_make_objects(struct kreg_batch *b)
{
	struct kreg_object *obj;
	struct kreg_op *op;

	for (op = b->ops; op < b->ops + b->count; op++) {
		obj = (void *)(b->bytes + op->key - sizeof(*obj));
		*obj = (struct kreg_object){
			.size = sizeof(*obj) + op->key_len + op->value_len,
			.key_len = op->key_len,
			.value_len = op->out_len,
			.version = op->out_version,
		};
		if (op->out_error || op->code != KREG_OP_GET)
			obj->sub = OBJECT_NO_VALUE;
	}
}

/* A read that has found something, or at least its length; or NULL. */
static const struct kreg_op *found(const struct kreg_batch *b, unsigned int index)
{
	const struct kreg_op *op;

	if (index >= b->count || !b->reads || !b->ran)
		return NULL;
	op = &b->ops[index];
	return op->out_error && op->out_error != EMSGSIZE ? NULL : op;
}

const struct kreg_object *kreg_batch_object(const struct kreg_batch *batch, unsigned int index)
{
	const struct kreg_op *op = found(batch, index);

	if (!op)
		return NULL;
	if (!kreg_batch_packs(batch, op->code))
		return (const void *)(batch->bytes + op->key - sizeof(struct kreg_object));
	return op->out_error ? NULL : (const void *)(batch->bytes + op->value);
}

const struct kreg_object *kreg_batch_object_next(const struct kreg_batch *batch,
						 unsigned int index,
						 const struct kreg_object *object)
{
	const struct kreg_op *op = found(batch, index);
	const char *next;

	if (!op || !object)
		return op ? kreg_batch_object(batch, index) : NULL;
	if (!kreg_batch_packs(batch, op->code))
		return NULL;
	next = (const char *)object + object->size;
	return next < batch->bytes + op->value + op->out_len ? (const void *)next : NULL;
}

size_t kreg_batch_room_of(const struct kreg_batch *batch, unsigned int index)
{
	const struct kreg_op *op = found(batch, index);

	return op ? op->out_len : 0;
}
