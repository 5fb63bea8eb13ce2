/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vaults: each player has a table with a schema, whose version it raises, until it seals the table;
 * then nobody writes to it any more, and at some time it is another. A vault outlives its player.
 */
#ifndef KREG_STRESS_VAULT_H
#define KREG_STRESS_VAULT_H

#include "kit/lease.h"
#include "kit/register.h"
#include "stress/account.h"
#include "stress/mail.h"

#define SCHEMA		0x7661756c74ULL

static inline void vault_name(char *name, size_t room, __u32 slot)
{
	snprintf(name, room, "vault%u", slot);
}

__attribute__((format(printf, 3, 4)))
static inline void complain_of_vault(struct actor *a, __u32 slot, const char *format, ...)
{
	char what[200];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	complain("%u.%u, vault %u: %s", a->me.slot, a->me.life, slot, what);
}

/* The errno of a call of its owner that has to succeed. */
static inline int succeeded(struct actor *a, const char *what, int err)
{
	if (err && !out_of_memory(a->slot, err))
		complain_of_vault(a, a->me.slot, "%s: %s", what, strerror(-err));
	return err;
}

static inline struct vault *own_vault(struct actor *a)
{
	return &world->vaults[a->me.slot];
}

static inline struct kreg_ioc_open vault_cmd(const char *name, __u32 flags, __u32 version)
{
	struct kreg_ioc_open cmd = test_open_cmd(name, flags);

	if (flags & KREG_OPEN_CREATE) {
		cmd.access = KREG_ACCESS_PUBLIC;
		cmd.orphan = KREG_ORPHAN_PARK;
	}
	cmd.schema = SCHEMA;
	cmd.schema_version = version;
	return cmd;
}

/* What was noted of it by who owned it before. */
static inline void check_vault(struct actor *a, const struct vault *v, const struct kreg_info *info)
{
	bool sealed = info->flags & KREG_INFO_SEALED;

	if (info->schema_version < v->schema_lo || info->schema_version > v->schema_hi)
		complain_of_vault(a, a->me.slot, "version %u of the schema, not %u to %u",
				  info->schema_version, v->schema_lo, v->schema_hi);
	if (sealed ? v->state == WRITABLE : v->state == SEALED)
		complain_of_vault(a, a->me.slot, "is%s sealed", sealed ? "" : " not");
	if (v->state == SEALED && (info->version != v->version || info->objects != v->objects))
		complain_of_vault(a, a->me.slot, "was written to: version %llu, not %llu",
				  (unsigned long long)info->version,
				  (unsigned long long)v->version);
}

/* So it is now, and only its owner changes that. */
static inline void note_vault(struct vault *v, const struct kreg_info *info)
{
	v->id = info->id;
	v->schema_lo = info->schema_version;
	v->schema_hi = info->schema_version;
	v->version = info->version;
	v->objects = info->objects;
	store(&v->state, info->flags & KREG_INFO_SEALED ? SEALED : WRITABLE);
	store(&v->epoch, v->epoch + 1);
}

/* That of the life before, or a new one. */
static inline void have_vault(struct actor *a)
{
	struct vault *v = own_vault(a);
	struct kreg_ioc_open cmd;
	struct kreg_info info;
	char name[16];
	int err;

	store(&v->epoch, v->epoch | 1);
	vault_name(name, sizeof(name), a->me.slot);
	cmd = vault_cmd(name, KREG_OPEN_CLAIM, 0);
	err = _test_open_cmd(client(a), &cmd);
	if (err == -ENOENT) {
		cmd = vault_cmd(name, KREG_OPEN_CREATE | KREG_OPEN_EXCL, 1);
		err = _test_open_cmd(client(a), &cmd);
	}
	/* It is ours already, but there was no memory to say so. */
	if (err && err != -EALREADY && succeeded(a, "open", err))
		return;
	if (succeeded(a, "INFO", _test_info(client(a), cmd.out_table, &info)))
		return;
	if (v->id == info.id)
		check_vault(a, v, &info);
	note_vault(v, &info);
	a->has_vault = true;
}

/* The next version, of the one that is there; or of one that is not. */
static inline void raise_version(struct actor *a)
{
	struct vault *v = own_vault(a);
	__u32 from = v->schema_lo + (roll(a, 4) ? 0 : 7);
	int expected = v->state == SEALED ? -EROFS : from != v->schema_lo ? -ECANCELED : 0;
	int err;

	if (!expected)
		store(&v->schema_hi, from + 1);
	err = _test_setopt(client(a), v->id, KREG_OPT_SCHEMA, SCHEMA,
			   KREG_SCHEMA_VERSIONS(from + 1, from));
	if (err != expected && !out_of_memory(a->slot, err))
		complain_of_vault(a, a->me.slot, "SCHEMA: %s, not %s", strerror(-err),
				  strerror(-expected));
	if (!expected && err)
		store(&v->schema_hi, v->schema_lo);
	else if (!expected)
		store(&v->schema_lo, v->schema_hi);
}

static inline void seal_vault(struct actor *a)
{
	struct vault *v = own_vault(a);
	struct kreg_info info;

	if (v->state == WRITABLE)
		store(&v->state, SEALING);
	if (succeeded(a, "SEAL", _test_setopt(client(a), v->id, KREG_OPT_SEAL, 1, 0)) ||
	    succeeded(a, "INFO", _test_info(client(a), v->id, &info)) || v->state == SEALED)
		return;
	if (!(info.flags & KREG_INFO_SEALED))
		complain_of_vault(a, a->me.slot, "is not sealed");
	v->version = info.version;
	v->objects = info.objects;
	store(&v->state, SEALED);
	tally(SEALS);
}

static inline void destroy_vault(struct actor *a)
{
	struct vault *v = own_vault(a);

	store(&v->epoch, v->epoch | 1);
	a->has_vault = false;
	succeeded(a, "DESTROY", _test_destroy(client(a), v->id));
}

/* All that writes, to no effect on a table that is not sealed but for PUT and CLEAR. */
static inline int write_vault(struct actor *a, __u64 id, __u32 way)
{
	struct kreg_op op = test_op_puts("key", "value");
	struct kreg_ioc_batch batch = test_batch_cmd(id, KREG_BATCH_ATOMIC, &op, 1);
	struct kreg_ioc_change change = test_change_cmd(id, NULL, 0);
	struct kreg_ioc_group group = test_group_cmd(&batch, 1);
	struct kreg_field add = test_add(0, 1);
	struct kreg_ioc_register reg;
	char room[16];

	switch (way) {
	case 0:
		op.key = test_ptr(&a->random);
		op.key_len = 1;
		return _test_op(client(a), id, 0, &op);
	case 1:
		return _test_delete(client(a), id, "absent");
	case 2:
		return _test_clear(client(a), id);
	case 3:
		return _test_batch_cmd(client(a), &batch);
	case 4:
		return test_ioctl(client(a), KREG_IOC_GROUP, &group);
	case 5:
		change.range.low = test_ptr("z");
		change.range.low_len = 1;
		return _test_change(client(a), &change);
	case 6:
		return _test_edit(client(a), id, "absent", &add, 1);
	case 7:
		op = test_op_value(KREG_OP_TAKE, "absent", 6, room, sizeof(room));
		return _test_op(client(a), id, 0, &op);
	case 8:
		return _test_lease(client(a), id, "absent");
	case 9:
		op.code = KREG_OP_PUBLISH;
		return _test_op(client(a), id, 0, &op);
	}
	reg = register_cmd(id, "name", "x", 0);
	return run_register(client(a), &reg);
}

#define WAYS	11		/* REGISTER, the last of them, only if nothing may come of it */

/* With a client of its own, since it is told by the next SYNC. */
static inline int queue_for_vault(__u64 id)
{
	int fd = test_client(), err;

	if (fd < 0)
		return fd;
	err = _test_put_async(fd, id, "queued", "value") ?: _test_sync(fd);
	close(fd);
	return err;
}

/* It was so before, and is so after a call that has returned @err. */
static inline void judge_write(struct actor *a, __u32 slot, const struct vault *before, int err)
{
	struct vault *v = &world->vaults[slot];
	__u32 state = load(&v->state);

	if (out_of_memory(a->slot, err))
		return;
	if (before->state == SEALED && err != -EROFS && err != -ESTALE)
		complain_of_vault(a, slot, "is sealed, but a write: %s", strerror(-err));
	if (err && err != -EROFS && err != -ESTALE && err != -ENODATA)
		complain_of_vault(a, slot, "a write: %s", strerror(-err));
	if (load(&v->epoch) != before->epoch)
		return;
	if (err == -ESTALE || (err == -EROFS && state == WRITABLE))
		complain_of_vault(a, slot, "is there and may be written, but: %s", strerror(-err));
	if (err == -EROFS)
		tally(EROFSES);
}

static inline void look_into_vault(struct actor *a, __u32 slot, const struct vault *before)
{
	struct vault *v = &world->vaults[slot];
	struct kreg_info info;
	int err = _test_info(client(a), before->id, &info);

	if (load(&v->epoch) != before->epoch || out_of_memory(a->slot, err))
		return;
	if (err)
		complain_of_vault(a, slot, "INFO: %s", strerror(-err));
	else if (before->state == SEALED &&
		 (info.version != before->version || info.objects != before->objects ||
		  !(info.flags & KREG_INFO_SEALED)))
		complain_of_vault(a, slot, "is sealed, but was changed: version %llu, not %llu",
				  (unsigned long long)info.version,
				  (unsigned long long)before->version);
}

/* One is told of another version of the schema, and of no other error. */
static inline void open_vault(struct actor *a, __u32 slot, const struct vault *before)
{
	__u32 wanted = before->schema_lo + roll(a, 3), hi;
	struct vault *v = &world->vaults[slot];
	struct kreg_ioc_open cmd;
	char name[16];
	bool fits;
	int err;

	vault_name(name, sizeof(name), slot);
	cmd = vault_cmd(name, 0, wanted);
	err = _test_open_cmd(client(a), &cmd);
	hi = load(&v->schema_hi);
	if (load(&v->epoch) != before->epoch || out_of_memory(a->slot, err))
		return;
	fits = cmd.out_schema_version == wanted;
	if ((err && err != -EPROTOTYPE) || fits == !!err || cmd.out_schema != SCHEMA ||
	    cmd.out_schema_version < before->schema_lo || cmd.out_schema_version > hi)
		complain_of_vault(a, slot, "open with version %u: %s; it is %u of %u to %u", wanted,
				  strerror(-err), cmd.out_schema_version, before->schema_lo, hi);
	if (err)
		tally(EPROTOTYPES);
}

static inline void try_vault(struct actor *a, __u32 slot)
{
	struct vault *v = &world->vaults[slot], before;
	__u32 what = roll(a, 10);

	before.epoch = load(&v->epoch);
	before.state = load(&v->state);
	before.schema_lo = load(&v->schema_lo);
	before.version = v->version;
	before.objects = v->objects;
	before.id = v->id;
	if (before.epoch & 1 || !before.epoch || load(&v->epoch) != before.epoch)
		return;
	if (what < 3)
		open_vault(a, slot, &before);
	else if (what < 5)
		judge_write(a, slot, &before, queue_for_vault(before.id));
	else
		judge_write(a, slot, &before,
			    write_vault(a, before.id,
					roll(a, WAYS - (before.state == SEALED ? 0 : 1))));
	look_into_vault(a, slot, &before);
}

static inline void use_vaults(struct actor *a)
{
	__u32 what = roll(a, 20);

	if (!a->has_vault)
		have_vault(a);
	else if (what < 3)
		raise_version(a);
	else if (what < 5)
		seal_vault(a);
	else if (what == 5 && own_vault(a)->state == SEALED)
		destroy_vault(a);
	else
		try_vault(a, roll(a, world->players));
}

#endif /* KREG_STRESS_VAULT_H */
