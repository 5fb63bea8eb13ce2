/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kreg super asks of kreg supervise: a server under the key "control" of its table. A request
 * is words, each with a NUL byte behind it; the reply is an exit code, as one byte, and a sentence.
 */
#ifdef KREG_HAVE_CYAML

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "super.h"
#include "supervise.h"

#define WORDS	256

struct control {
	struct kreg_supervisor *sup;
	struct kreg_server *server;
	struct kreg_client *client;
	const char *path;
	struct plan *plan;		/* as the file was read last */
};

static int reload_plan(struct control *control, struct plan *plan)
{
	int ret;

	if (strcmp(plan->name, control->plan->name))
		return fail_text(EXIT_USAGE, "%s: the name was '%s' and cannot become '%s'",
				 control->path, control->plan->name, plan->name);
	ret = tables_make(control->client, plan);
	if (ret)
		return ret;
	ret = kreg_supervisor_change(control->sup, plan->strategy, plan->max_restarts,
				     plan->max_ms, plan->children, plan->child_count);
	return ret ? fail(ret) : EXIT_OK;
}

int control_reload(struct control *control)
{
	struct plan plan;
	int ret = plan_read(control->path, &plan);

	if (!ret) {
		ret = reload_plan(control, &plan);
		plan_free(ret ? &plan : control->plan);
		if (!ret)
			*control->plan = plan;
	}
	log_line(ret ? LOG_ERR : LOG_NOTICE, ret ? "%s is left as it was read before" :
		 "%s was read anew", control->path);
	return ret;
}

static int answer(struct kreg_request *request, int code, const char *text)
{
	char reply[1024];
	int len = snprintf(reply + 1, sizeof(reply) - 1, "%s", text);

	reply[0] = code;
	return kreg_reply(request, reply, 1 + (len < 1022 ? len : 1022));
}

static int start_child(struct control *control, const char *id)
{
	struct kreg_child child = { .size = sizeof(child), .id = id };

	return kreg_supervisor_start_child(control->sup, &child, NULL);
}

static const struct kreg_child *find_template(const struct plan *plan, const char *id)
{
	size_t i;

	for (i = 0; i < plan->template_count; i++)
		if (!strcmp(plan->templates[i].id, id))
			return &plan->templates[i];
	return NULL;
}

/* A child with this id, with more arguments than the template has. */
static int start_from(struct control *control, char **words, size_t count, const char **why)
{
	const struct kreg_child *template = find_template(control->plan, words[0]);
	struct kreg_child child;
	const char **argv;
	size_t n = 0;
	int ret;

	if (!template) {
		*why = "the file has no template of this name";
		return -ENOENT;
	}
	while (template->argv[n])
		n++;
	argv = calloc(n + count, sizeof(*argv));
	if (!argv) {
		*why = "the supervisor has no memory left";
		return -ENOMEM;
	}
	memcpy(argv, template->argv, n * sizeof(*argv));
	memcpy(argv + n, words + 2, (count - 2) * sizeof(*argv));
	child = *template;
	child.id = words[1];
	child.argv = (char *const *)argv;
	ret = kreg_supervisor_start_child(control->sup, &child, NULL);
	free(argv);
	return ret;
}

/* @why: the sentence about an error that is not the library's. */
static int do_words(struct control *control, char **words, size_t count, const char **why)
{
	if (count == 2 && !strcmp(words[0], "start"))
		return start_child(control, words[1]);
	if (count > 2 && !strcmp(words[0], "start"))
		return start_from(control, words + 1, count - 1, why);
	if (count == 2 && !strcmp(words[0], "stop"))
		return kreg_supervisor_stop_child(control->sup, words[1]);
	if (count == 2 && !strcmp(words[0], "restart"))
		return kreg_supervisor_restart_child(control->sup, words[1], NULL);
	if (count == 1 && !strcmp(words[0], "shutdown")) {
		kreg_supervisor_end(control->sup);
		return 0;
	}
	*why = "the supervisor does not know this request: is it older than this command?";
	return -EOPNOTSUPP;
}

static size_t split_words(char *text, size_t len, char **words)
{
	size_t count = 0, i;

	for (i = 0; i < len && count < WORDS; i += strlen(text + i) + 1)
		words[count++] = text + i;
	return count;
}

static void serve_request(struct kreg_request *request, void *arg)
{
	struct control *control = arg;
	char *words[WORDS], *text;
	size_t len, count;
	const void *data = kreg_request_data(request, &len);
	const char *why = NULL;
	int ret;

	text = malloc(len + 1);
	if (!text) {
		kreg_reply_error(request, ENOMEM);
		return;
	}
	memcpy(text, data, len);
	text[len] = '\0';
	count = split_words(text, len, words);
	if (count == 1 && !strcmp(words[0], "reload")) {
		ret = control_reload(control);
		answer(request, ret,
		       ret ? "all is left as it was: the supervisor's log says what is wrong" : "");
	} else {
		ret = do_words(control, words, count, &why);
		answer(request, ret ? exit_code_of(ret) : EXIT_OK,
		       why ? why : ret ? kreg_errmsg() : "");
	}
	free(text);
}

int control_open(struct kreg_client *client, struct kreg_supervisor *sup, const char *path,
		 struct plan *plan, struct control **out)
{
	struct control *control = calloc(1, sizeof(*control));
	int ret;

	if (!control)
		return -ENOMEM;
	*control = (struct control){ .sup = sup, .client = client, .path = path, .plan = plan };
	ret = kreg_server_new(client, serve_request, control, NULL, &control->server);
	if (!ret)
		ret = kreg_server_register(control->server, kreg_supervisor_table(sup),
					   SUPER_CONTROL, strlen(SUPER_CONTROL));
	if (ret)
		control_close(control);
	else
		*out = control;
	return ret;
}

int control_fd(const struct control *control)
{
	return kreg_server_fd(control->server);
}

bool control_serve(struct control *control)
{
	return kreg_server_dispatch(control->server, 0) != -ESHUTDOWN;
}

void control_close(struct control *control)
{
	kreg_server_free(control->server);
	free(control);
}

#endif /* KREG_HAVE_CYAML */
