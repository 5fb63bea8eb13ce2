/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of kreg in the event loop of systemd: tell who of some processes has died, until all
 * have.
 *
 *	cc loop-sd-event.c -lkreg $(pkg-config --cflags --libs libsystemd) && ./a.out 4711 4712
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <kreg.h>
#include <systemd/sd-event.h>

struct watcher {
	sd_event *loop;
	struct kreg_client *client;
	int alive;
};

static void on_down(const struct kreg_event *event, void *arg)
{
	struct watcher *w = arg;

	printf("%d has died\n", kreg_event_process(event).pid);
	kreg_ref_cancel(kreg_event_ref(event));
	if (!--w->alive)
		sd_event_exit(w->loop, 0);
}

/* One descriptor for all that a client monitors, waits for and is sent. */
static int on_readable(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct watcher *w = arg;
	int ret = kreg_client_dispatch(w->client, 0);

	(void)source;
	(void)fd;
	(void)events;
	return ret < 0 ? sd_event_exit(w->loop, ret) : 0;
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

static int run(struct watcher *w, int argc, char **argv)
{
	int err = sd_event_add_io(w->loop, NULL, kreg_client_fd(w->client), EPOLLIN, on_readable,
				  w);

	if (err >= 0)
		err = monitor(w, argc, argv);
	return err || !w->alive ? err : sd_event_loop(w->loop);
}

int main(int argc, char **argv)
{
	struct watcher w = { .loop = NULL };
	int err;

	err = kreg_client_open(NULL, &w.client);
	if (!err) {
		err = sd_event_default(&w.loop);
		if (err >= 0)
			err = run(&w, argc, argv);
		sd_event_unref(w.loop);
		kreg_client_close(w.client);
	}
	if (err)
		fprintf(stderr, "loop-sd-event: %s\n", kreg_errmsg());
	return err ? 1 : 0;
}
