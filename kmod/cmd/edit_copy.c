// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/string.h>

#include "cmd/edit_copy.h"
#include "filter/filter.h"
#include "store/gfp.h"

void kreg_edit_put_base(struct kreg_edit *e)
{
	if (e->base)
		kreg_blob_put(e->base);
	e->base = NULL;
}

struct kreg_edit *kreg_edit_clone(const struct kreg_edit *e)
{
	struct kreg_edit *copy = kvmalloc(sizeof(*copy) + e->size, KREG_GFP_USER);

	if (!copy)
		return NULL;
	*copy = *e;
	copy->bytes = memcpy(copy + 1, e->bytes, e->size);
	kreg_filter_get(copy->filter);
	return copy;
}

void kreg_edit_take(struct kreg_edit *to, struct kreg_edit *from)
{
	void *bytes = to->bytes;

	*to = *from;
	to->bytes = memcpy(bytes, from->bytes, from->size);
	from->base = NULL;
}

void kreg_edit_free(struct kreg_edit *e)
{
	if (!e)
		return;
	kreg_edit_put_base(e);
	kreg_filter_put(e->filter);
	kvfree(e);
}
