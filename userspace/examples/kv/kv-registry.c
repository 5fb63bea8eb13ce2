/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A registry of buckets, and their supervisor. Its name is that of its table, of its key among
 * the registries, and of the supervisor: three things that cannot be confused.
 *
 *	kv-registry NAME
 *	kreg call kv.registries NAME 'create shopping'	# prints the pid
 *	kreg whereis NAME shopping			# does not ask the registry
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <kreg.h>

struct registry {
	char *name;
	struct kreg_table *buckets, *locks;
	struct kreg_supervisor *supervisor;
};

static struct kreg_server *server;

static void on_signal(int sig)
{
	(void)sig;
	kreg_server_end(server, 0);
}

/* Nobody has the name. It is called by one at a time for a name, so one bucket is started. */
static int start_bucket(const void *key, size_t len, void *arg)
{
	struct registry *r = arg;
	char program[] = "kv-bucket", bucket[65];
	char *const argv[] = { program, r->name, bucket, NULL };
	struct kreg_child child = {
		.size = sizeof(child), .id = bucket, .argv = argv, .restart = KREG_TEMPORARY,
		.notify = true,
	};
	int ret, tries = 50;

	snprintf(bucket, sizeof(bucket), "%.*s", (int)len, (const char *)key);
	/* The bucket before may have to be found dead first. */
	while ((ret = kreg_supervisor_start_child(r->supervisor, &child, NULL)) == -EEXIST &&
	       tries--)
		kreg_supervisor_dispatch(r->supervisor, 100);
	return ret;
}

/* A bucket registers itself. When a call returns everybody finds it. */
static void serve(struct kreg_request *request, void *state)
{
	struct registry *r = state;
	struct kreg_holder holder = KREG_HOLDER_INIT;
	char text[80] = "", bucket[65], pid[16];
	size_t len;
	const void *data = kreg_request_data(request, &len);
	int ret = -EINVAL;

	memcpy(text, data, len < sizeof(text) ? len : sizeof(text) - 1);
	if (sscanf(text, "create %64s", bucket) == 1)
		ret = kreg_registry_ensure(r->buckets, r->locks, bucket, strlen(bucket),
					   start_bucket, r, 10000, &holder);
	if (ret < 0)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, pid, sprintf(pid, "%d", holder.process.pid));
}

/* The table may be there: then it is another's, or was left by a registry that has died. */
static int open_registry(struct kreg_client *client, const char *name, struct kreg_table **table)
{
	const struct kreg_open_options create = {
		.size = sizeof(create), .flags = KREG_OPEN_CREATE,
		.access = KREG_ACCESS_REGISTRY, .orphan = KREG_ORPHAN_PARK,
	};

	return kreg_table_open(client, name, &create, table);
}

/* Until it is told to stop, or cannot go on. */
static int run(struct registry *r)
{
	struct pollfd fds[] = {
		{ kreg_server_fd(server), POLLIN, 0 },
		{ kreg_supervisor_fd(r->supervisor), POLLIN, 0 },
	};
	int ret = 0;

	while (ret >= 0 || ret == -EINTR) {
		poll(fds, 2, -1);
		ret = kreg_supervisor_dispatch(r->supervisor, 0);
		if (ret >= 0 || ret == -EINTR)
			ret = kreg_server_dispatch(server, 0);
	}
	return ret == -ESHUTDOWN ? 0 : ret;
}

int main(int argc, char **argv)
{
	struct registry r = { .name = argv[1] };
	struct kreg_client *client;
	struct kreg_table *registries;
	struct sigaction action = { .sa_handler = on_signal };
	char locks[128];
	int ret = -1;

	if (argc != 2) {
		fprintf(stderr, "usage: kv-registry NAME\n");
		return 2;
	}
	snprintf(locks, sizeof(locks), "%s.locks", r.name);
	/* The buckets of one that was killed go on, and so does this. */
	if (!kreg_client_open(NULL, &client) &&
	    !open_registry(client, "kv.registries", &registries) &&
	    !open_registry(client, r.name, &r.buckets) &&
	    !open_registry(client, locks, &r.locks) &&
	    !kreg_supervisor_new(client, r.name, KREG_ONE_FOR_ONE, 3, 5000, &r.supervisor) &&
	    !kreg_supervisor_start(r.supervisor) &&
	    !kreg_server_new(client, serve, &r, NULL, &server) &&
	    !kreg_server_register(server, registries, r.name, strlen(r.name))) {
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGINT, &action, NULL);
		kreg_ready();
		ret = run(&r);
	}
	if (ret)
		fprintf(stderr, "kv-registry: %s\n", kreg_errmsg());
	/* One that is stopped takes its buckets along; one that is killed does not. */
	kreg_supervisor_free(r.supervisor);
	return ret ? 1 : 0;
}
