/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pins: tables as they were at one moment. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct kreg_pin {
	struct kreg_table *table;
	uint64_t id;
	uint64_t process;	/* whose it is: a number of fork.c */
	uint64_t version;
	uint32_t ms;
};

int kreg_pin_set(struct kreg_table *table, uint32_t ms, struct kreg_pin **pin)
{
	struct kreg_ioc_pin io = { .size = sizeof(io), .table = table->id, .ms = ms };
	struct kreg_pin *p = calloc(1, sizeof(*p));
	int ret = p ? kreg_ioctl(table->client, KREG_IOC_PIN, &io) : -ENOMEM;

	if (ret) {
		free(p);
		return kreg_fail_table(ret, TRY_READ, table);
	}
	p->table = kreg_table_get(table);
	p->id = io.out_id;
	p->process = kreg_process_number();
	p->version = io.out_version;
	p->ms = io.out_ms;
	*pin = p;
	return 0;
}

void kreg_pin_end(struct kreg_pin *pin)
{
	struct kreg_ioc_cancel io = { .size = sizeof(io) };

	if (!pin)
		return;
	io.id = pin->id;
	/* That it has ended by itself is all the same. */
	if (pin->process == kreg_process_number())
		kreg_ioctl(pin->table->client, KREG_IOC_CANCEL, &io);
	kreg_table_close(pin->table);
	free(pin);
}

uint64_t kreg_pin_version(const struct kreg_pin *pin)
{
	return pin->version;
}

uint32_t kreg_pin_ms(const struct kreg_pin *pin)
{
	return pin->ms;
}

int kreg_pin_id(const struct kreg_pin *pin, const struct kreg_table *table, uint64_t *id)
{
	*id = 0;
	if (!pin)
		return 0;
	if (pin->table->id != table->id || pin->table->client != table->client)
		return kreg_cause(-EINVAL, "the pin is of another table, or of another client");
	*id = pin->id;
	return pin->process == kreg_process_number() ? 0 : -ESTALE;
}

int kreg_pin_get(const struct kreg_pin *pin, const void *key, size_t key_len,
		 struct kreg_object **object)
{
	struct kreg_scan_options o = {
		.size = sizeof(o),
		.batch = 1,
		.low = key,
		.low_len = key_len,
		.range = KREG_RANGE_EXACT,
		.pin = pin,
	};
	const struct kreg_object *found;
	struct kreg_scan *scan;
	int ret = kreg_scan_open(pin->table, &o, &scan);

	if (ret)
		return ret;
	ret = kreg_scan_next(scan, &found);
	if (ret > 0) {
		*object = malloc(found->size);
		if (*object)
			memcpy(*object, found, found->size);
		ret = *object ? 0 : kreg_fail_table(-ENOMEM, TRY_PINNED, pin->table);
	} else if (!ret) {
		ret = kreg_fail_table(-ENODATA, TRY_PINNED, pin->table);
	}
	kreg_scan_close(scan);
	return ret;
}
