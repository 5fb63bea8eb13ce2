/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Look a key up in a table that another process owns, and print the value.
 *
 *	lookup TABLE KEY
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kreg.h>

static int look_up(struct kreg_client *client, const char *name, const char *key)
{
	struct kreg_table *table = NULL;
	void *value;
	size_t len;
	int err;

	err = kreg_table_open(client, name, NULL, &table);
	if (!err)
		err = kreg_get_alloc(table, key, strlen(key), &value, &len);
	if (err) {
		fprintf(stderr, "lookup: %s\n", kreg_errmsg());
	} else {
		fwrite(value, 1, len, stdout);
		putchar('\n');
		free(value);
	}
	kreg_table_close(table);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct kreg_client *client;
	int err, ret;

	if (argc != 3) {
		fprintf(stderr, "Usage: lookup TABLE KEY\n");
		return 2;
	}
	err = kreg_client_open(NULL, &client);
	if (err) {
		fprintf(stderr, "lookup: %s\n", kreg_errmsg());
		return 1;
	}
	ret = look_up(client, argv[1], argv[2]);
	kreg_client_close(client);
	return ret;
}
