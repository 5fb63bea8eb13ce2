// SPDX-License-Identifier: GPL-2.0
/*
 * Redis on a Unix socket, spoken to in its own protocol.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "peers.h"

#define SOCKET	"/tmp/redis"
#define MANY	64			/* keys of an MGET */
#define VALUE_REPLY (sizeof("$64\r\n") - 1 + VALUE_LEN + 2)
#define OK_REPLY (sizeof("+OK\r\n") - 1)

struct map {
	int fd;
	struct keys keys;
	char value[VALUE_LEN];
	char *out;
	char *in;
};

static pid_t start(void)
{
	pid_t pid = fork();
	int null;

	if (pid)
		return pid;
	null = open("/dev/null", O_RDWR);
	dup2(null, STDOUT_FILENO);
	bench_pin(1);
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket",
	       SOCKET, "--save", "", "--appendonly", "no", NULL);
	_exit(127);
}

static int dial(void)
{
	struct sockaddr_un to = { AF_UNIX, SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), tries;

	for (tries = 0; tries < 1000; tries++) {
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			return fd;
		usleep(10000);
	}
	bench_die("redis does not answer");
	return -1;
}

static void talk(struct map *map, size_t out, size_t in)
{
	size_t done;
	ssize_t len;

	for (done = 0; done < out; done += len) {
		len = write(map->fd, map->out + done, out - done);
		if (len <= 0)
			bench_die("write to redis");
	}
	for (done = 0; done < in; done += len) {
		len = read(map->fd, map->in + done, in - done);
		if (len <= 0)
			bench_die("read from redis");
	}
	if (*map->in == '-' || map->in[in - 1] != '\n')
		bench_die("answer of redis");
}

static char *word(char *at, const char *data, int len)
{
	at += sprintf(at, "$%d\r\n", len);
	memcpy(at, data, len);
	memcpy(at + len, "\r\n", 2);
	return at + len + 2;
}

static char *command(char *at, const char *name, int words)
{
	at += sprintf(at, "*%d\r\n", words);
	return word(at, name, strlen(name));
}

static char *set(struct map *map, char *at)
{
	at = command(at, "SET", 3);
	at = word(at, keys_next(&map->keys), KEY_LEN);
	return word(at, map->value, VALUE_LEN);
}

static void get(void *arg, long count)
{
	struct map *map = arg;
	char *at;

	while (count--) {
		at = command(map->out, "GET", 2);
		at = word(at, keys_next(&map->keys), KEY_LEN);
		talk(map, at - map->out, VALUE_REPLY);
	}
}

static void put(void *arg, long count)
{
	struct map *map = arg;

	while (count--)
		talk(map, set(map, map->out) - map->out, OK_REPLY);
}

static void multi_get(void *arg, long count)
{
	struct map *map = arg;
	char *at;
	int i;

	for (; count > 0; count -= MANY) {
		at = command(map->out, "MGET", 1 + MANY);
		for (i = 0; i < MANY; i++)
			at = word(at, keys_next(&map->keys), KEY_LEN);
		talk(map, at - map->out, sizeof("*64\r\n") - 1 + MANY * VALUE_REPLY);
	}
}

/* Commands in a pipeline. */
static void put_batch(void *arg, long count)
{
	struct map *map = arg;
	char *at;
	int i;

	for (; count > 0; count -= BATCH) {
		at = map->out;
		for (i = 0; i < BATCH && i < count; i++)
			at = set(map, at);
		talk(map, at - map->out, i * OK_REPLY);
	}
}

void peer_redis(long objects)
{
	static const struct {
		const char *op;
		long count;
		void (*run)(void *arg, long count);
	} row[] = {
		{ "get", 256, get },
		{ "put", 256, put },
		{ "multi-get-64", 4096, multi_get },
		{ "put-batch-256", 4096, put_batch },
	};
	struct map map = { .out = malloc(1 << 16), .in = malloc(1 << 16) };
	struct bench bench = { .system = "redis", .objects = objects, .arg = &map };
	pid_t pid = start();
	unsigned int i;
	long before;

	map.fd = dial();
	value_make(map.value, VALUE_LEN, 0);
	keys_make(&map.keys, 0, objects);
	before = memory_free();
	put_batch(&map, objects);
	memory_result("redis", objects, before);
	for (i = 0; i < sizeof(row) / sizeof(*row); i++) {
		bench.op = row[i].op;
		bench.count = row[i].count;
		bench.run = row[i].run;
		bench_run(&bench);
	}
	if (objects == 100000) {
		bench.op = "get";
		bench.count = 2000;
		bench.run = get;
		bench_latency(&bench);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(SOCKET);
	close(map.fd);
	keys_free(&map.keys);
	free(map.out);
	free(map.in);
}
