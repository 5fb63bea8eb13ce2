/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg call, kreg cast: send a request to the server that has a key. */
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

#define DEFAULT_MS	5000

static const struct option call_options[] = {
	{ "timeout", required_argument, NULL, 't' },
	COMMON_LONG_OPTIONS
};

static const struct option cast_options[] = {
	COMMON_LONG_OPTIONS
};

/* NAME KEY DATA, and what there is behind the name. */
struct request {
	struct kreg_table *table;
	struct kreg_peer *peer;
	struct bytes data;
};

static int open_request(struct request *r, int argc, char **argv)
{
	struct bytes key;
	int ret;

	need_args(argc, 3, 3);
	if (!*argv[optind + 1])
		usage("the key is empty");
	r->data = bytes_arg(argv[optind + 2]);
	key = bytes_arg(argv[optind + 1]);
	ret = open_table(argv[optind], &r->table);
	if (!ret) {
		ret = kreg_peer_open(r->table, key.data, key.len, &r->peer);
		if (ret) {
			ret = fail(ret);
			close_table(r->table);
		}
	}
	bytes_free(&key);
	return ret;
}

static void close_request(struct request *r)
{
	kreg_peer_close(r->peer);
	close_table(r->table);
	bytes_free(&r->data);
}

/* As kreg get shows a value. */
static int show_reply(const char *reply, size_t len)
{
	if (json) {
		json_begin(stdout);
		json_bytes("reply", reply, len);
		json_end();
	} else if (hex || isatty(STDOUT_FILENO)) {
		bytes_print(reply, len, stdout);
		putchar('\n');
	} else {
		bytes_write(reply, len, stdout);
	}
	return finish_output();
}

static int call_run(int argc, char **argv)
{
	static char reply[KREG_MAX_MESSAGE];
	uint64_t ms = DEFAULT_MS;
	struct request r;
	size_t len;
	int ret;

	while (next_option(argc, argv, "t:", call_options) != -1)
		if (parse_time_ms(optarg, &ms))
			usage("'%s' is no time: 500ms, 30s, 10m, 2h, 1d", optarg);
	ret = open_request(&r, argc, argv);
	if (ret)
		return ret;
	ret = kreg_call(r.peer, r.data.data, r.data.len, reply, sizeof(reply), &len, ms);
	ret = ret ? fail(ret) : show_reply(reply, len);
	close_request(&r);
	return ret;
}

const struct command cmd_call = {
	.name = "call",
	.args = "[--timeout TIME] NAME KEY DATA",
	.summary = "send a request to a server, and print its reply",
	.help = "Send DATA to the server that has KEY in the table, and print what it replies.\n\n"
		"  -t, --timeout TIME  wait at most so long: 500ms, 30s, 10m; 5s if not given",
	.run = call_run,
};

static int cast_run(int argc, char **argv)
{
	struct request r;
	int ret;

	while (next_option(argc, argv, "", cast_options) != -1)
		;
	ret = open_request(&r, argc, argv);
	if (ret)
		return ret;
	ret = kreg_cast(r.peer, r.data.data, r.data.len);
	if (ret)
		ret = fail(ret);
	close_request(&r);
	return ret;
}

const struct command cmd_cast = {
	.name = "cast",
	.args = "NAME KEY DATA",
	.summary = "send a request to a server, and do not wait",
	.help = "Send DATA to the server that has KEY in the table. There is no reply, and it is\n"
		"not known whether the server handles it.",
	.run = cast_run,
};
