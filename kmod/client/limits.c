// SPDX-License-Identifier: GPL-2.0
#include <linux/kreg.h>

#include "client/limits.h"

struct kreg_limits kreg_limits = {
	.batch_ops = KREG_MAX_BATCH_OPS,
	.batch_bytes = KREG_MAX_BATCH_BYTES,
	.clients = KREG_MAX_CLIENTS,
	.events = KREG_MAX_EVENTS,
	.event_bytes = KREG_MAX_EVENT_BYTES,
	.subscriptions = KREG_MAX_SUBSCRIPTIONS,
	.table_subscriptions = KREG_MAX_TABLE_SUBSCRIPTIONS,
	.table_awaited = KREG_MAX_TABLE_AWAITED,
	.park_ms = KREG_MAX_PARK_MS,
	.pin_ms = KREG_MAX_PIN_MS,
};
