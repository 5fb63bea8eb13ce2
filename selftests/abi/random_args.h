/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments at random of whole commands: what their members have to do with each other. */
#ifndef KREG_ABI_RANDOM_ARGS_H
#define KREG_ABI_RANDOM_ARGS_H

#include "abi/random.h"

static inline void remember(struct random *r, __u64 *pool, __u64 what)
{
	if (what)
		pool[random_below(r, RANDOM_POOL)] = what;
}

/* What a call has told is what others are about. */
static inline void learn(struct random *r, unsigned int nr, const union any *a)
{
	switch (nr) {
	case KREG_IOC_QUERY:
		r->processes[random_below(r, RANDOM_POOL)] = a->query.out_self;
		break;
	case KREG_IOC_WHOIS:
		r->processes[random_below(r, RANDOM_POOL)] = a->whois.out_process;
		break;
	case KREG_IOC_OPEN:
		remember(r, r->tables, a->open.out_table);
		remember(r, r->ids, a->open.out_id);
		break;
	case KREG_IOC_OP:
		remember(r, r->versions, a->op.op.out_version);
		break;
	case KREG_IOC_WATCH:
		remember(r, r->ids, a->watch.out_id);
		break;
	case KREG_IOC_REGISTER:
		remember(r, r->ids, a->reg.out_id);
		break;
	case KREG_IOC_SUBSCRIBE:
		remember(r, r->ids, a->subscribe.out_id);
		remember(r, r->subscriptions, a->subscribe.out_id);
		break;
	case KREG_IOC_LEASE:
		remember(r, r->versions, a->lease.out_version);
		break;
	case KREG_IOC_PIN:
		remember(r, r->ids, a->pin.out_id);
		break;
	}
}

static inline void fill_open(struct random *r, struct kreg_ioc_open *open)
{
	if (random_below(r, 3)) {
		open->flags = KREG_OPEN_CREATE | (random_below(r, 3) ? 0 : open->flags);
		open->type = 1 + random_below(r, 4);
		open->access = random_below(r, 2) ? KREG_ACCESS_PUBLIC : 1 + random_below(r, 4);
		open->orphan = random_below(r, 3);
		open->orphan_ms = 0;
	}
	if (!(open->flags & KREG_OPEN_HEIR)) {
		open->data = 0;
		open->data_len = 0;
		memset(&open->heir, 0, sizeof(open->heir));
	}
	if (!(open->flags & KREG_OPEN_BESIDE))
		open->beside = 0;
	if (!(open->flags & KREG_OPEN_WAIT))
		open->deadline_ns = 0;
	if (random_below(r, 4)) {
		open->schema = 0;
		open->schema_version = 0;
		open->udata = 0;
	}
	if (random_below(r, 4) == 0) {
		open->name = 0;
		open->name_len = 0;
	}
}

static inline void fill_setopt(struct random *r, struct kreg_ioc_setopt *s)
{
	s->option = 1 + random_below(r, KREG_OPT_SEAL);
	if (s->option == KREG_OPT_SEAL && random_below(r, 10))
		s->option = KREG_OPT_ACCESS;
	if (s->option != KREG_OPT_HEIR) {
		memset(&s->process, 0, sizeof(s->process));
		s->data = 0;
		s->data_len = 0;
	}
	switch (s->option) {
	case KREG_OPT_ACCESS:
		s->value = random_below(r, 3) ? KREG_ACCESS_PUBLIC : random_below(r, 6);
		break;
	case KREG_OPT_MODE:
		s->value = 0666;
		break;
	case KREG_OPT_ROLE:
	case KREG_OPT_WRITER:
		s->value = r->tables[random_below(r, RANDOM_POOL)];
		break;
	case KREG_OPT_STREAM:
		s->value = KREG_MIN_STREAM << random_below(r, 3);
		break;
	case KREG_OPT_RECEIVER:
	case KREG_OPT_ACCEPT:
		s->table = 0;
		break;
	}
}

static inline void fill_give(struct random *r, struct kreg_ioc_give *give)
{
	if (random_below(r, 2)) {
		give->flags = KREG_GIVE_PARK;
		memset(&give->to, 0, sizeof(give->to));
		give->data = 0;
		give->data_len = 0;
	}
}

/* Of processes, owners, keys and names. */
static inline void fill_watch(struct random *r, struct kreg_ioc_watch *w)
{
	if (random_below(r, 4)) {
		w->udata = 0;
		w->version = 0;
		w->deadline_ns = 0;
	}
	switch (w->kind) {
	case KREG_WATCH_PROCESS:
		w->process = r->processes[0];
		w->table = 0;
		w->key = 0;
		w->key_len = 0;
		break;
	case KREG_WATCH_OWNER:
		w->key = 0;
		w->key_len = 0;
		break;
	}
}

static inline void fill_rename(struct random *r, struct kreg_ioc_rename *rename)
{
	if (random_below(r, 2)) {
		rename->other = 0;
	} else {
		rename->name = 0;
		rename->name_len = 0;
	}
}

static inline void fill_group(struct random *r, struct kreg_ioc_group *group)
{
	__u32 i;

	group->count = 1 + random_below(r, 3);
	group->batch_size = sizeof(struct kreg_ioc_batch);
	group->batches = test_ptr(r->memory->batches);
	for (i = 0; i < group->count; i++) {
		random_batch(r, &r->memory->batches[i]);
		r->memory->batches[i].flags = KREG_BATCH_ATOMIC;
	}
}

/* What a command has besides single members. */
static inline void fill_nested(struct random *r, unsigned int nr, union any *a)
{
	switch (nr) {
	case KREG_IOC_OPEN:
		fill_open(r, &a->open);
		break;
	case KREG_IOC_SETOPT:
		fill_setopt(r, &a->setopt);
		break;
	case KREG_IOC_GIVE:
		fill_give(r, &a->give);
		break;
	case KREG_IOC_WATCH:
		fill_watch(r, &a->watch);
		break;
	case KREG_IOC_RENAME:
		fill_rename(r, &a->rename);
		break;
	case KREG_IOC_SUBSCRIBE:
		a->subscribe.flags = random_below(r, 2) ? KREG_SUBSCRIBE_ACK : a->subscribe.flags;
		a->subscribe.mask = random_below(r, 4) ? KREG_SUBSCRIBE_KINDS : a->subscribe.mask;
		break;
	case KREG_IOC_ACK:
		a->ack.id = r->subscriptions[random_below(r, RANDOM_POOL)];
		a->ack.seq = random_below(r, 4);
		break;
	case KREG_IOC_INFO:
		a->info.info_len = sizeof(struct kreg_info);
		if (random_below(r, 2)) {
			a->info.name = 0;
			a->info.name_len = 0;
		}
		break;
	case KREG_IOC_OP:
		random_op(r, &a->op.op);
		a->op.flags &= random_below(r, 2) ? KREG_OP_IOC_ALL : 0;
		break;
	case KREG_IOC_BATCH:
		random_batch(r, &a->batch);
		a->batch.flags &= random_below(r, 2) ? KREG_BATCH_ALL : 0;
		break;
	case KREG_IOC_SCAN:
		random_range(r, &a->scan.range);
		a->scan.pin = random_below(r, 3) ? 0 : a->scan.pin;
		if (!(a->scan.flags & KREG_SCAN_OF))
			memset(&a->scan.process, 0, sizeof(a->scan.process));
		break;
	case KREG_IOC_CHANGE:
		random_range(r, &a->change.range);
		a->change.flags = 0;
		a->change.code = random_below(r, 2) ? KREG_OP_DELETE : KREG_OP_EDIT;
		a->change.fields = 0;
		a->change.field_count = 0;
		if (a->change.code == KREG_OP_EDIT)
			a->change.fields = random_fields(r, &a->change.field_count);
		break;
	case KREG_IOC_LEASE:
		a->lease.value_len += 128;
		a->lease.flags &= random_below(r, 2) ? KREG_LEASE_FIRST : KREG_LEASE_ALL;
		a->lease.lease_ms = 0;
		if (a->lease.flags & KREG_LEASE_FIRST)
			random_range(r, &a->lease.range);
		else
			memset(&a->lease.range, 0, sizeof(a->lease.range));
		break;
	case KREG_IOC_GROUP:
		fill_group(r, &a->group);
		break;
	}
}

#endif /* KREG_ABI_RANDOM_ARGS_H */
