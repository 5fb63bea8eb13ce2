/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Count how often this program has run: the table outlives it, however it ends.
 *
 *	cc visits.c -lkreg && ./a.out; ./a.out
 */
#include <stdio.h>

#include <kreg.h>

static int failed(struct kreg_client *client)
{
	fprintf(stderr, "visits: %s\n", kreg_errmsg());
	kreg_client_close(client);
	return 1;
}

int main(void)
{
	struct kreg_client *client = NULL;
	struct kreg_table *table;
	unsigned long n = 0;
	int err;

	if (kreg_client_open(NULL, &client))
		return failed(client);
	/* Create the table or claim it; if another process owns it, wait up to a second. */
	if (kreg_table_own(client, "visits", 1000, NULL, &table))
		return failed(client);
	if (kreg_table_opened(table) & KREG_OPENED_CLAIMED)
		kreg_get(table, "n", 1, &n, sizeof(n), NULL);
	n++;
	err = kreg_put(table, "n", 1, &n, sizeof(n));
	kreg_table_close(table);
	if (err)
		return failed(client);
	printf("visit %lu\n", n);
	kreg_client_close(client);
	return 0;
}
