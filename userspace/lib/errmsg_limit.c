/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sentences about limits, and about what is not allowed, for errmsg.c. */
#include "internal.h"

/* These depend on the limit that was reached, not on what was tried. */
static const char * const of_limits[] = {
	[KREG_LIMIT_TABLES] =
	  "this user has as many tables as one may have (%(max_user_tables)): destroy some ('kreg ls', 'kreg rm')",
	[KREG_LIMIT_PARKED] =
	  "too many tables of this user are parked, or are to be (%(max_user_parked)): destroy some ('kreg ls --parked')",
	[KREG_LIMIT_BYTES] =
	  "the tables of user %u have reached their limit of memory (%(max_user_bytes)): remove objects or destroy tables",
	[KREG_LIMIT_MAILBOX] =
	  "the mailbox of process %p is full (%(max_events)): it must read its events",
	[KREG_LIMIT_MAILBOX_BYTES] =
	  "the mailbox of process %p has no room for so many bytes (%(max_event_bytes)): it must read its events",
	[KREG_LIMIT_PROMISED] =
	  "this user has all the room that it may have in the mailbox of process %p, a quarter (%(max_events), %(max_event_bytes)): that process must read its events",
	[KREG_LIMIT_STRANGERS] =
	  "other users have all the room that they may have in the mailbox of process %p, three quarters (%(max_events), %(max_event_bytes)): that process must read its events",
	[KREG_LIMIT_QUEUED] =
	  "too many asynchronous writes of this client wait, or too many bytes (the most are 4096 and 4 MiB): synchronise first",
	[KREG_LIMIT_USER_QUEUED] =
	  "too many asynchronous writes of all clients of this user wait (%(max_user_queued)): synchronise first, or try again later",
	[KREG_LIMIT_USER_QUEUED_BYTES] =
	  "too many bytes of asynchronous writes of all clients of this user wait (%(max_user_queued_bytes)): synchronise first, or try again later",
	[KREG_LIMIT_WAITERS] =
	  "too many processes wait for %t already (the most is 64); try again later",
	[KREG_LIMIT_TABLE] =
	  "%t is full: remove objects",
	[KREG_LIMIT_FOLLOWERS] =
	  "as many tables follow this role as may (the most is 64): use another one",
	[KREG_LIMIT_BOUND] =
	  "this user has bound as many objects to processes as one may (%(max_user_bound)): remove some",
	[KREG_LIMIT_SUBSCRIPTIONS] =
	  "this client has as many subscriptions as it may (%(max_subscriptions)): cancel some",
	[KREG_LIMIT_TABLE_SUBSCRIPTIONS] =
	  "as many clients have subscribed to %t as may (%(max_table_subscriptions)): try again later",
	[KREG_LIMIT_WATCHES] =
	  "this user monitors and waits for as much as one may (%(max_user_watches)): cancel some, or read the events of the dead",
	[KREG_LIMIT_PINS] =
	  "%t has as many pins as it may (the most is 16): end some, or try again later",
	[KREG_LIMIT_PIN_MS] = "the administrator allows no pins (%(max_pin_ms))",
	[KREG_LIMIT_AWAITED] =
	  "as many keys of %t are waited for as may be (%(max_table_awaited)): try again later",
};

#define KEY_WAITERS \
	"too many processes wait for this key of %t already (the most is 1024); try again later"

/* And these also on that. */
static const struct {
	unsigned int limit;
	enum attempt attempt;
	const char *text;
} of_attempts[] = {
	{ KREG_LIMIT_TABLE, TRY_CREATE, "there is no room for another table: destroy some" },
	{ KREG_LIMIT_WAITERS, TRY_LINE, KEY_WAITERS },
	{ KREG_LIMIT_WAITERS, TRY_HELD, KEY_WAITERS },
};

/* The kernel says EPERM, and why. */
static const char * const of_denials[] = {
	[KREG_DENIED_PARK - KREG_DENIED_PARK] =
	  "this user may not have %t parked, or not for so long (%(max_park_ms)); that needs CAP_SYS_RESOURCE",
	[KREG_DENIED_ACCEPT - KREG_DENIED_PARK] =
	  "process %p is of another user and must accept tables first, by kreg_client_set_accept()",
	[KREG_DENIED_NAMESPACE - KREG_DENIED_PARK] =
	  "process %p is in other user or pid namespaces than %t, and cannot have it",
	[KREG_DENIED_USER - KREG_DENIED_PARK] =
	  "%t is of %w, who may have made it to be trusted; choose another name, or allow tables of any user",
	[KREG_DENIED_ROLE - KREG_DENIED_PARK] = "this process does not own the role",
};

const char *kreg_limit_sentence(unsigned int limit, enum attempt attempt)
{
	size_t i;

	for (i = 0; i < sizeof(of_attempts) / sizeof(of_attempts[0]); i++)
		if (of_attempts[i].limit == limit && of_attempts[i].attempt == attempt)
			return of_attempts[i].text;
	if (limit < sizeof(of_limits) / sizeof(of_limits[0]))
		return of_limits[limit];
	limit -= KREG_DENIED_PARK;
	return limit < sizeof(of_denials) / sizeof(of_denials[0]) ? of_denials[limit] : NULL;
}
