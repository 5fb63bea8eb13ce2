/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects on loan. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* Room for the value in the first try. */
#define GUESS	256

static int check_loan(const struct kreg_loan *loan)
{
	if (!loan || loan->size >= sizeof(*loan))
		return 0;
	return kreg_cause(-EINVAL, "the loan does not tell its size: set @size");
}

/* As @loan says, if the caller has one: it tells the version. */
static int check_version(const struct kreg_loan *loan)
{
	int ret = check_loan(loan);

	if (!ret && loan && !loan->version)
		ret = kreg_cause(-EINVAL, "the loan has no version: it is none that was made");
	return ret;
}

static int lease_failed(int ret, struct kreg_table *table, size_t key_len)
{
	return kreg_fail_sizes(kreg_fail_table(ret, TRY_LEASE, table), key_len, 0, 0);
}

static int loan_failed(int ret, struct kreg_table *table, size_t key_len)
{
	if (ret != -ENODATA)
		return lease_failed(ret, table, key_len);
	return kreg_fail_table(ret, TRY_LOAN, table);
}

static int run_lease(struct kreg_table *table, struct kreg_ioc_lease *io, const void *key,
		     size_t key_len)
{
	struct kreg_op op;
	int ret = kreg_op_fill(&op, KREG_OP_MEMBER, key, key_len, NULL, 0);

	if (ret)
		return ret;
	io->size = sizeof(*io);
	io->table = table->id;
	io->key = op.key;
	io->key_len = op.key_len;
	return kreg_ioctl(table->client, KREG_IOC_LEASE, io);
}

/* A loop, since the value may grow between two tries. */
static int lease_alloc(struct kreg_table *table, struct kreg_ioc_lease *io, const void *key,
		       size_t key_len, char **buf)
{
	size_t room = GUESS;
	char *more;
	int ret;

	do {
		more = realloc(*buf, room + 1);
		if (!more)
			return -ENOMEM;
		*buf = more;
		io->value = (uintptr_t)more;
		io->value_len = room;
		ret = run_lease(table, io, key, key_len);
		room = io->out_len;
	} while (ret == -EMSGSIZE);
	return ret;
}

/* What is bound to a process and what expires cannot be lent, and only one of them can it be. */
static int refused(int ret, struct kreg_table *table, const void *key, size_t key_len)
{
	uint64_t ns;

	if (ret == -EOPNOTSUPP && !kreg_table_is_bag(table) &&
	    !kreg_expiry_of(table, key, key_len, &ns) && ns)
		kreg_cause(ret, "the object expires, so it cannot be had on loan: take it");
	return lease_failed(ret, table, key_len);
}

int kreg_lease(struct kreg_table *table, const void *key, size_t key_len, uint32_t lease_ms,
	       void **value, size_t *len, struct kreg_loan *loan)
{
	struct kreg_ioc_lease io = { .lease_ms = lease_ms };
	char *buf = NULL;
	int ret = check_loan(loan);

	if (!ret)
		ret = lease_alloc(table, &io, key, key_len, &buf);
	if (ret) {
		free(buf);
		return refused(ret, table, key, key_len);
	}
	buf[io.out_len] = '\0';
	*value = buf;
	if (len)
		*len = io.out_len;
	if (loan) {
		loan->version = io.out_version;
		loan->loans = io.out_loans;
	}
	return 0;
}

int kreg_lease_return(struct kreg_table *table, const void *key, size_t key_len,
		      const struct kreg_loan *loan)
{
	struct kreg_ioc_lease io = { .flags = KREG_LEASE_RETURN };
	int ret = check_version(loan);

	if (loan) {
		io.flags |= KREG_LEASE_VERSION;
		io.version = loan->version;
	}
	if (!ret)
		ret = run_lease(table, &io, key, key_len);
	return loan_failed(ret, table, key_len);
}

/* An operation on what is on loan, and nothing else. */
static int run_mine(struct kreg_table *table, struct kreg_op_args *op, const void *key,
		    size_t key_len, const struct kreg_loan *loan)
{
	int ret = check_version(loan);

	if (ret)
		return ret;
	op->key = key;
	op->key_len = key_len;
	op->flags = KREG_OP_MINE;
	if (loan) {
		op->flags |= KREG_OP_VERSION;
		op->version = loan->version;
	}
	return kreg_op_run(table, op);
}

int kreg_lease_done(struct kreg_table *table, const void *key, size_t key_len,
		    const struct kreg_loan *loan)
{
	struct kreg_op_args op = KREG_OP_ARGS_INIT;
	int ret;

	op.code = KREG_OP_DELETE;
	ret = run_mine(table, &op, key, key_len, loan);
	if (!ret && !op.out_count)
		ret = -ENODATA;
	return loan_failed(ret, table, key_len);
}

int kreg_lease_update(struct kreg_table *table, const void *key, size_t key_len,
		      const void *value, size_t value_len, struct kreg_loan *loan)
{
	struct kreg_op_args op = KREG_OP_ARGS_INIT;
	int ret;

	op.code = KREG_OP_PUT;
	op.value = (void *)value;
	op.value_len = value_len;
	ret = run_mine(table, &op, key, key_len, loan);
	if (!ret && loan)
		loan->version = op.out_version;
	return kreg_fail_sizes(loan_failed(ret, table, key_len), key_len, value_len, 0);
}

int64_t kreg_loans(struct kreg_table *table, const void *key, size_t key_len)
{
	struct kreg_ioc_op io = { .size = sizeof(io), .table = table->id };
	int ret = kreg_op_fill(&io.op, KREG_OP_MEMBER, key, key_len, NULL, 0);

	if (!ret)
		ret = kreg_ioctl(table->client, KREG_IOC_OP, &io);
	if (!ret)
		return io.out_loans;
	return kreg_fail_sizes(kreg_fail_table(ret, TRY_READ, table), key_len, 0, 0);
}
