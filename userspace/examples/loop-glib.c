/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of kreg in a GLib main loop: tell who of some processes has died, until all have.
 *
 *	cc loop-glib.c -lkreg $(pkg-config --cflags --libs glib-2.0) && ./a.out 4711 4712
 */
#include <stdio.h>
#include <stdlib.h>

#include <glib-unix.h>
#include <kreg.h>

struct watcher {
	GMainLoop *loop;
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
		g_main_loop_quit(w->loop);
}

/* One descriptor for all that a client monitors, waits for and is sent. */
static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct watcher *w = data;
	int ret = kreg_client_dispatch(w->client, 0);

	(void)fd;
	(void)condition;
	if (ret >= 0)
		return G_SOURCE_CONTINUE;
	w->err = ret;
	g_main_loop_quit(w->loop);
	return G_SOURCE_REMOVE;
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

int main(int argc, char **argv)
{
	struct watcher w = { .loop = g_main_loop_new(NULL, FALSE) };

	w.err = kreg_client_open(NULL, &w.client);
	if (!w.err) {
		w.err = monitor(&w, argc, argv);
		g_unix_fd_add(kreg_client_fd(w.client), G_IO_IN, on_readable, &w);
		if (!w.err && w.alive)
			g_main_loop_run(w.loop);
		kreg_client_close(w.client);
	}
	g_main_loop_unref(w.loop);
	if (w.err)
		fprintf(stderr, "loop-glib: %s\n", kreg_errmsg());
	return w.err ? 1 : 0;
}
