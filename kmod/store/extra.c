// SPDX-License-Identifier: GPL-2.0
/* What most stores do without, brought by the caller who is the first to need it. */
#include <linux/slab.h>

#include "store/gfp.h"
#include "store/internal.h"

/* Not under the turn. NULL. */
struct kreg_extra *kreg_extra_alloc(void)
{
	struct kreg_extra *extra = kzalloc(sizeof(*extra), KREG_GFP_USER);

	if (!extra)
		return NULL;
	kreg_array_init(&extra->blobs, 0, 1, KREG_ARRAY_SEGS);
	INIT_LIST_HEAD(&extra->blob_list);
	INIT_LIST_HEAD(&extra->held_blobs);
	/* Handle 0 is none. */
	kreg_array_init(&extra->holders, 1, 1, KREG_ARRAY_SEGS);
	INIT_LIST_HEAD(&extra->holder_list);
	INIT_LIST_HEAD(&extra->stale_holders);
	INIT_LIST_HEAD(&extra->retired);
	INIT_LIST_HEAD(&extra->pins);
	INIT_LIST_HEAD(&extra->pinned);
	return extra;
}

/* The store has got one in the meantime, or had it before, and wants the wheel alone. */
static bool add_wheel(struct kreg_store *s, struct kreg_extra *from)
{
	if (!s->extra->wheel) {
		s->extra->wheel = from->wheel;
		s->memory += kreg_wheel_memory(from->wheel);
		from->wheel = NULL;
	}
	return false;
}

/* Turn. False if it is still the caller's. */
bool kreg_extra_add(struct kreg_store *s, struct kreg_extra *extra)
{
	kreg_store_assert(s);
	if (s->extra)
		return add_wheel(s, extra);
	/* Pair 2 publishes it, with the commit of the first record that needs it. */
	WRITE_ONCE(s->extra, extra);
	s->memory += sizeof(*extra) + kreg_wheel_memory(extra->wheel);
	return true;
}

/* Turn. But for the blobs and holders themselves. @extra may be NULL. */
size_t kreg_extra_memory(const struct kreg_extra *extra)
{
	return extra ? sizeof(*extra) + kreg_array_memory(&extra->blobs) +
		       kreg_array_memory(&extra->holders) + kreg_wheel_memory(extra->wheel) : 0;
}

/* May sleep. Its lists are empty, or of no account. @extra may be NULL. */
void kreg_extra_free(struct kreg_extra *extra)
{
	if (!extra)
		return;
	kreg_array_free(&extra->blobs);
	kreg_array_free(&extra->holders);
	kfree(extra->wheel);
	kfree(extra);
}
