/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounts: each has an amount in the first two, four, six or eight of some tables, and a group of
 * batches moves some of it. All shares have the number of the last move, and their sum stays as it
 * is, whoever dies meanwhile. Batches are committed in their order, so who looks at the tables in
 * the opposite order never finds a number that is lower than the one before.
 */
#ifndef KREG_STRESS_ACCOUNT_H
#define KREG_STRESS_ACCOUNT_H

#include "stress/lane.h"

#define FORTUNE		1000	/* what is in each account */

struct share {
	__u64 move;
	__s64 amount;
	__u64 version;		/* of the object; not in the table */
};

#define SHARE_BYTES	offsetof(struct share, version)

static inline __u32 shares_of(__u32 account)
{
	return 2 + 2 * (account % (PURSES / 2));
}

static inline void account_key(char *key, __u32 account)
{
	key[0] = 'a';
	key[1] = '0' + account;
	key[2] = 0;
}

static inline int get_share(int fd, __u32 account, __u32 purse, struct share *share)
{
	struct kreg_op op;
	char key[4];
	int err;

	account_key(key, account);
	op = test_ops(KREG_OP_GET, key);
	op.value = test_ptr(share);
	op.value_len = SHARE_BYTES;
	err = _test_op(fd, world->purses[purse], 0, &op);
	share->version = op.out_version;
	if (!err && op.out_len != SHARE_BYTES)
		complain("account %u has a share of %u bytes", account, op.out_len);
	return err;
}

/* The last table first. */
static inline int get_shares(int fd, __u32 account, struct share *shares)
{
	__u32 i = shares_of(account);
	int err = 0;

	while (i-- && !err)
		err = get_share(fd, account, i, &shares[i]);
	return err;
}

/* @lo: a move that was done before they were got. True: they are of one moment. */
static inline bool judge_shares(__u32 account, const struct share *shares, __u64 lo)
{
	__u32 i, n = shares_of(account);
	__s64 sum = shares[0].amount;

	for (i = 1; i < n; i++) {
		if (shares[i].move > shares[i - 1].move)
			complain("account %u: move %llu in table %u, but %llu before it", account,
				 (unsigned long long)shares[i].move, i,
				 (unsigned long long)shares[i - 1].move);
		sum += shares[i].amount;
	}
	if (shares[n - 1].move < lo)
		complain("account %u: move %llu was done, but %llu is found", account,
			 (unsigned long long)lo, (unsigned long long)shares[n - 1].move);
	if (shares[0].move != shares[n - 1].move)
		return false;
	if (sum != FORTUNE)
		complain("account %u has %lld after move %llu", account, (long long)sum,
			 (unsigned long long)shares[0].move);
	return true;
}

/* Done: it is the last one, unless another is already. */
static inline void note_move(__u32 account, __u64 move)
{
	__u64 last = load(&world->moves[account]);

	while (last < move && !__atomic_compare_exchange_n(&world->moves[account], &last, move,
							   false, __ATOMIC_ACQ_REL,
							   __ATOMIC_ACQUIRE))
		;
}

static inline int run_group(struct data *d, struct kreg_ioc_group *cmd, int may)
{
	int err = test_ioctl(d->fd, KREG_IOC_GROUP, cmd);

	if (err && err != -may && !out_of_memory(d->slot, err))
		complain("lane %u: GROUP: %s", d->number, strerror(-err));
	return err;
}

/* Of a share, what is put, or what is added to it. */
static inline struct kreg_op share_op(const char *key, const struct share *was,
				      const struct share *share, struct kreg_field *fields)
{
	struct kreg_op op = test_op_value(KREG_OP_PUT, key, strlen(key), share, SHARE_BYTES);

	if (fields) {
		fields[0] = test_add(offsetof(struct share, move), share->move - was->move);
		fields[1] = test_add(offsetof(struct share, amount), share->amount - was->amount);
		fields[0].flags = KREG_FIELD_WRAP;
		fields[1].flags = KREG_FIELD_WRAP;
		op = test_op_value(KREG_OP_EDIT, key, strlen(key), fields, 2 * sizeof(*fields));
	}
	op.flags = KREG_OP_VERSION;
	op.arg = was->version;
	return op;
}

static inline void judge_fields(__u32 account, const struct share *share,
				const struct kreg_field *fields)
{
	if (fields[0].out != share->move || (__s64)fields[1].out != share->amount)
		complain("account %u: move %llu has come to %lld, not %lld", account,
			 (unsigned long long)fields[0].out, (long long)fields[1].out,
			 (long long)share->amount);
}

/* On condition that nobody moves anything meanwhile. */
static inline int put_shares(struct data *d, __u32 account, const struct share *was,
			     const struct share *shares)
{
	struct kreg_field fields[PURSES][2];
	struct kreg_ioc_batch batches[PURSES];
	__u32 i, n = shares_of(account);
	bool edits = pick(d, 2);
	struct kreg_op ops[PURSES];
	struct kreg_ioc_group cmd;
	char key[4];
	int err;

	account_key(key, account);
	for (i = 0; i < n; i++) {
		ops[i] = share_op(key, &was[i], &shares[i], edits ? fields[i] : NULL);
		batches[i] = test_batch_cmd(world->purses[i], KREG_BATCH_ATOMIC, &ops[i], 1);
	}
	cmd = test_group_cmd(batches, n);
	err = run_group(d, &cmd, ECANCELED);
	if (!err && cmd.out_failed != n)
		complain("a group is done, but %u has failed", cmd.out_failed);
	if (err == -ECANCELED && cmd.out_failed >= n)
		complain("a group is not done, but none has failed");
	for (i = 0; i < n && edits && !err; i++)
		judge_fields(account, &shares[i], fields[i]);
	return err;
}

static inline void move_amount(struct data *d)
{
	__u32 account = pick(d, ACCOUNTS), n = shares_of(account), i;
	__u64 lo = load(&world->moves[account]);
	__s64 by = pick(d, 100);
	struct share shares[PURSES], was[PURSES];
	int err = get_shares(d->fd, account, shares);

	if (err && !out_of_memory(d->slot, err))
		complain("account %u: %s", account, strerror(-err));
	if (err || !judge_shares(account, shares, lo))
		return;
	memcpy(was, shares, sizeof(was));
	for (i = 0; i < n; i++)
		shares[i].move++;
	shares[pick(d, n)].amount -= by;
	shares[pick(d, n)].amount += by;
	err = put_shares(d, account, was, shares);
	if (!err)
		note_move(account, shares[0].move);
	if (!err || err == -ECANCELED)
		tally(err ? RACED : MOVED);
}

/* Since the last batch cannot be done, none is: there is never such a key. */
static inline void fail_to_move(struct data *d)
{
	struct kreg_op ops[2] = { test_op_puts("never", "x"), test_op_puts("a0", "x") };
	struct kreg_ioc_batch batches[2] = {
		test_batch_cmd(world->purses[0], 0, &ops[0], 1),
		test_batch_cmd(world->purses[1], 0, &ops[1], 1),
	};
	struct kreg_ioc_group cmd = test_group_cmd(batches, 2);
	int err;

	ops[1].flags = KREG_OP_NEW;
	err = run_group(d, &cmd, EEXIST);
	if (!err)
		complain("a group is done, though a key of it is there");
	else if (err == -EEXIST && cmd.out_failed != 1)
		complain("of a group %u has failed", cmd.out_failed);
	if (_test_member(d->fd, world->purses[0], "never") != -ENODATA)
		complain("half a group is done");
	tally(HALF);
}

/* Tables that were not made beside each other may have different writers. */
static inline void move_far(struct data *d)
{
	struct kreg_op ops[2] = { test_ops(KREG_OP_DELETE, "-"), test_ops(KREG_OP_DELETE, "-") };
	struct kreg_ioc_batch batches[2] = {
		test_batch_cmd(world->purses[0], 0, &ops[0], 1),
		test_batch_cmd(world->ids[pick(d, KEPT)], 0, &ops[1], 1),
	};
	struct kreg_ioc_group cmd = test_group_cmd(batches, 2);
	int err = run_group(d, &cmd, EXDEV);

	if (err == -EXDEV && test_param("writers") == 1)
		complain("there is one writer, but EXDEV");
	if (err == -EXDEV)
		tally(EXDEVS);
}

static inline void use_accounts(struct data *d)
{
	__u32 what = pick(d, 20);

	if (!what)
		move_far(d);
	else if (what < 4)
		fail_to_move(d);
	else
		move_amount(d);
}

static inline int fill_purses(int fd)
{
	struct share share = { .amount = FORTUNE };
	__u32 account, i;
	char key[4];
	int err = 0;

	for (account = 0; account < ACCOUNTS; account++)
		for (i = 0; i < shares_of(account) && !err; i++) {
			account_key(key, account);
			share.amount = i ? 0 : FORTUNE;
			err = _test_put(fd, world->purses[i], key, strlen(key), &share,
					SHARE_BYTES);
		}
	return err;
}

/* Nobody moves anything. */
static inline void check_accounts(int fd)
{
	struct share shares[PURSES];
	__u32 account;
	int err;

	for (account = 0; account < ACCOUNTS; account++) {
		err = get_shares(fd, account, shares);
		if (err)
			complain("account %u: %s", account, strerror(-err));
		else if (!judge_shares(account, shares, world->moves[account]))
			complain("account %u: a group was done by half", account);
	}
	if (test_objects(fd, world->purses[0]) != ACCOUNTS)
		complain("there are not %u accounts", ACCOUNTS);
}

#endif /* KREG_STRESS_ACCOUNT_H */
