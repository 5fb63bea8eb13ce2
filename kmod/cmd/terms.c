// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/kreg.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "cmd/cmd.h"
#include "cmd/terms.h"

static int get_term_bytes(u8 *to, const struct kreg_term *terms, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (terms[i].op != KREG_TERM_BYTES)
			continue;
		if (copy_from_user(to, u64_to_user_ptr(terms[i].value), terms[i].size))
			return -EFAULT;
		to += terms[i].size;
	}
	return 0;
}

static struct kreg_filter *make_filter(const struct kreg_term *terms, u32 count)
{
	struct kreg_filter *f;
	u32 bytes;
	int err = kreg_filter_check(terms, count, &bytes);

	if (err)
		return ERR_PTR(err);
	f = kreg_filter_alloc(terms, count, bytes);
	if (!f)
		return ERR_PTR(-ENOMEM);
	err = get_term_bytes(f->bytes, terms, count);
	if (!err)
		return f;
	kreg_filter_put(f);
	return ERR_PTR(err);
}

struct kreg_filter *kreg_terms_get(u64 filter, u32 count)
{
	struct kreg_filter *f;
	void *terms;

	if (!count)
		return NULL;
	if (count > KREG_MAX_TERMS)
		return ERR_PTR(-EFBIG);
	terms = kreg_cmd_get_bytes(filter, count * sizeof(struct kreg_term));
	if (IS_ERR(terms))
		return terms;
	f = make_filter(terms, count);
	kvfree(terms);
	return f;
}
