/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of kreg in a libuv loop: tell who of some processes has died, until all have.
 *
 *	cc loop-uv.c -lkreg $(pkg-config --cflags --libs libuv) && ./a.out 4711 4712
 */
#include <stdio.h>
#include <stdlib.h>

#include <kreg.h>
#include <uv.h>

struct watcher {
	uv_poll_t poll;
	struct kreg_client *client;
	int alive;
	int err;
};

static void on_down(const struct kreg_event *event, void *arg)
{
	struct watcher *w = arg;

	printf("%d has died\n", kreg_event_process(event).pid);
	kreg_ref_cancel(kreg_event_ref(event));
	if (!--w->alive)
		uv_poll_stop(&w->poll);
}

/* One descriptor for all that a client monitors, waits for and is sent. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct watcher *w = poll->data;
	int ret = status < 0 ? status : kreg_client_dispatch(w->client, 0);

	(void)events;
	if (ret >= 0)
		return;
	w->err = ret;
	uv_poll_stop(poll);
}

static int monitor(struct watcher *w, int argc, char **argv)
{
	struct kreg_ref *ref;
	int i, err;

	for (i = 1; i < argc; i++) {
		err = kreg_monitor_pid(w->client, atoi(argv[i]), on_down, w, &ref);
		if (err)
			return err;
		w->alive++;
	}
	return 0;
}

/* A loop without active handles ends by itself. */
static int run(struct watcher *w, int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	int err = uv_poll_init(loop, &w->poll, kreg_client_fd(w->client));

	if (err)
		return err;
	w->poll.data = w;
	err = monitor(w, argc, argv);
	if (!err && w->alive)
		err = uv_poll_start(&w->poll, UV_READABLE, on_readable);
	if (!err)
		uv_run(loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&w->poll, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	return err ? err : w->err;
}

int main(int argc, char **argv)
{
	struct watcher w = { .alive = 0 };
	int err;

	err = kreg_client_open(NULL, &w.client);
	if (!err) {
		err = run(&w, argc, argv);
		kreg_client_close(w.client);
	}
	if (err)
		fprintf(stderr, "loop-uv: %s\n", kreg_errmsg());
	return err ? 1 : 0;
}
