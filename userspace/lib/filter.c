/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters, and what is done to all objects that match one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "internal.h"

struct kreg_filter {
	unsigned int refs;
	size_t count;
	struct kreg_term *terms;	/* behind this, and behind them what they lead to */
};

/* @bytes are those of all strings, one behind the other. */
static int make_filter(const struct kreg_term *terms, size_t count, size_t bytes,
		       struct kreg_filter **filter, unsigned char **room)
{
	struct kreg_filter *f = malloc(sizeof(*f) + count * sizeof(*terms) + bytes);

	if (!f)
		return -ENOMEM;
	f->refs = 1;
	f->count = count;
	f->terms = (void *)(f + 1);
	memcpy(f->terms, terms, count * sizeof(*terms));
	*room = (void *)(f->terms + count);
	*filter = f;
	return 0;
}

int kreg_filter_new(const struct kreg_term *terms, size_t count, struct kreg_filter **filter)
{
	size_t i, bytes = 0;
	unsigned char *room;
	int ret = 0;

	if (!count)
		ret = kreg_cause(-EINVAL, "there is no term");
	else if (count > KREG_MAX_TERMS)
		ret = kreg_cause(-EFBIG, "there are more than 64 terms");
	for (i = 0; !ret && i < count; i++)
		bytes += terms[i].op == KREG_TERM_BYTES ? terms[i].size : 0;
	if (!ret && bytes > KREG_MAX_TERM_BYTES)
		ret = kreg_cause(-EFBIG, "the terms have more than 4096 bytes");
	if (!ret)
		ret = make_filter(terms, count, bytes, filter, &room);
	if (ret)
		return kreg_fail(ret, TRY_OTHER, NULL);
	for (i = 0; i < count; i++) {
		struct kreg_term *t = &(*filter)->terms[i];

		if (t->op != KREG_TERM_BYTES)
			continue;
		memcpy(room, (const void *)(uintptr_t)t->value, t->size);
		t->value = kreg_ptr(room);
		room += t->size;
	}
	return 0;
}

/* The parser has put the strings one behind the other. */
static int filter_of(const struct kreg_terms *parsed, struct kreg_filter **filter)
{
	unsigned char *room;
	size_t i;
	int ret = make_filter(parsed->terms, parsed->count, parsed->used, filter, &room);

	if (ret)
		return kreg_fail(ret, TRY_OTHER, NULL);
	memcpy(room, parsed->bytes, parsed->used);
	for (i = 0; i < parsed->count; i++)
		if (parsed->terms[i].op == KREG_TERM_BYTES)
			(*filter)->terms[i].value = kreg_ptr(room + parsed->terms[i].value);
	return 0;
}

static int tell_fault(const struct kreg_parse_fault *fault)
{
	char text[256];

	snprintf(text, sizeof(text), "the filter is wrong at column %zu: %s", fault->column,
		 fault->text);
	return kreg_fail_text(fault->err, text);
}

int kreg_filter_compile(const char *text, struct kreg_filter **filter, size_t *column)
{
	struct kreg_terms *terms = malloc(sizeof(*terms));
	struct kreg_parse_fault fault = { 0, 0, NULL };
	int ret;

	if (column)
		*column = 0;
	if (!terms)
		return kreg_fail(-ENOMEM, TRY_OTHER, NULL);
	ret = kreg_filter_parse(text, terms, &fault);
	if (ret && column)
		*column = fault.column;
	ret = ret ? tell_fault(&fault) : filter_of(terms, filter);
	free(terms);
	return ret;
}

const struct kreg_term *kreg_filter_terms(const struct kreg_filter *filter, size_t *count)
{
	*count = filter->count;
	return filter->terms;
}

struct kreg_filter *kreg_filter_get(const struct kreg_filter *filter)
{
	struct kreg_filter *f = (struct kreg_filter *)filter;

	if (f)
		__atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
	return f;
}

void kreg_filter_free(struct kreg_filter *filter)
{
	if (filter && !__atomic_sub_fetch(&filter->refs, 1, __ATOMIC_ACQ_REL))
		free(filter);
}

void kreg_filter_set(const struct kreg_filter *filter, struct kreg_range *range)
{
	range->filter = filter ? kreg_ptr(filter->terms) : 0;
	range->filter_count = filter ? filter->count : 0;
}
