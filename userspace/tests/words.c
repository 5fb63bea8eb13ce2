/* SPDX-License-Identifier: GPL-2.0-only */
/* What needs no module: parsing, escaping, JSON, sentences about errors. Prints TAP. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "dump.h"

static int n, failed;

static void check(bool good, const char *what)
{
	failed += !good;
	printf("%sok %d %s\n", good ? "" : "not ", ++n, what);
}

static void times(void)
{
	static const struct {
		const char *text;
		int64_t ms;	/* -1: bad */
	} cases[] = {
		{ "5", 5000 }, { "0", 0 }, { "500ms", 500 }, { "3s", 3000 }, { "2m", 120000 },
		{ "1h", 3600000 }, { "1d", 86400000 }, { "", -1 }, { "-1", -1 }, { " 1", -1 },
		{ "1x", -1 }, { "1 s", -1 }, { "99999999999999999999s", -1 },
		{ "36501d", -1 }, { "+1", -1 },
	};
	uint64_t ms;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ret = parse_time_ms(cases[i].text, &ms);
		check(cases[i].ms < 0 ? ret == -EINVAL : !ret && ms == (uint64_t)cases[i].ms,
		      cases[i].text[0] ? cases[i].text : "empty time");
	}
}

/* A time that no number of nanoseconds could tell is none: it is for ever. */
static void deadlines(void)
{
	uint64_t now = kreg_deadline(0);

	check(kreg_deadline(INT64_MAX / 1000000000) > now, "three centuries");
	check(!kreg_deadline(INT64_MAX / 1000), "more than that");
	check(!kreg_deadline(INT64_MAX - 1), "almost for ever");
	check(!kreg_deadline(INT64_MAX), "for ever");
}

static void numbers(void)
{
	unsigned int mode = 0, word = 0;
	unsigned char bytes[4];
	uint64_t number;
	size_t len;

	check(!parse_number("42", 42, &number) && number == 42, "number");
	check(parse_number("43", 42, &number), "too big a number");
	check(parse_number("0x10", 42, &number), "number with letters");
	check(parse_number("18446744073709551616", UINT64_MAX, &number), "overflow");
	check(!parse_mode("0640", &mode) && mode == 0640, "mode");
	check(parse_mode("0755", &mode), "mode with x");
	check(parse_mode("8", &mode), "no octal digit");
	check(parse_mode("-1", &mode), "negative mode");
	check(!parse_access("public", &word) && word == KREG_ACCESS_PUBLIC, "access");
	check(parse_access("Public", &word), "bad access");
	check(!parse_orphan("park", &word) && word == KREG_ORPHAN_PARK, "orphan");
	check(parse_orphan("", &word), "bad orphan");
	check(!parse_hex("00fFA0", bytes, 4, &len) && len == 3 &&
	      !memcmp(bytes, "\x00\xff\xa0", 3), "hex");
	check(!parse_hex("", bytes, 4, &len) && len == 0, "empty hex");
	check(parse_hex("0", bytes, 4, &len), "odd hex");
	check(parse_hex("0g", bytes, 4, &len), "bad hex");
	check(parse_hex("0011223344", bytes, 4, &len), "too long hex");
}

/* What a printing function prints. */
static const char *printed(void (*print)(FILE *out, const char *data, size_t len),
			   const char *data, size_t len)
{
	static char buf[256];
	FILE *f = fmemopen(buf, sizeof(buf), "w");

	if (!f)
		return "";
	print(f, data, len);
	fputc('\0', f);
	fclose(f);
	return buf;
}

static void escaped(FILE *out, const char *data, size_t len)
{
	bytes_print(data, len, out);
}

static void as_json(FILE *out, const char *data, size_t len)
{
	json_begin(out);
	json_bytes("v", data, len);
	json_end();
}

#define PRINTS(print, bytes, text) \
	check(!strcmp(printed(print, bytes, sizeof(bytes) - 1), text), #print " " #bytes)

static void bytes(void)
{
	PRINTS(escaped, "plain \"text\"", "plain \"text\"");
	PRINTS(escaped, "a\nb\tc\rd\\", "a\\nb\\tc\\rd\\\\");
	PRINTS(escaped, "\0\x1b[2J\x7f", "\\x00\\x1b[2J\\x7f");
	PRINTS(escaped, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	PRINTS(escaped, "\xc3", "\\xc3");
	PRINTS(escaped, "\xc0\x80", "\\xc0\\x80");
	PRINTS(escaped, "\xed\xa0\x80", "\\xed\\xa0\\x80");
	PRINTS(escaped, "\xc2\x9b", "\\xc2\\x9b");
	PRINTS(escaped, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	PRINTS(as_json, "a\"b\\c\n\t\x01", "{\"v\":\"a\\\"b\\\\c\\n\\t\\u0001\"}\n");
	PRINTS(as_json, "\xff\x00", "{\"v_hex\":\"ff00\"}\n");
	PRINTS(as_json, "", "{\"v\":\"\"}\n");
	hex = true;
	PRINTS(escaped, "\x00" "az", "00617a");
	PRINTS(as_json, "az", "{\"v_hex\":\"617a\"}\n");
	hex = false;
	check(bytes_utf8("\xf0\x9f\x98\x80", 4), "four bytes are one character");
	check(!bytes_utf8("\xf0\x9f\x98", 3), "three of them are none");
}

static void texts(void)
{
	char buf[128];

	text_bytes(1023, buf, sizeof(buf));
	check(!strcmp(buf, "1023 B"), "bytes");
	text_bytes(1536, buf, sizeof(buf));
	check(!strcmp(buf, "1.5 KiB"), "KiB");
	text_ms(90000, buf, sizeof(buf));
	check(!strcmp(buf, "90 s"), "seconds");
	text_ms(86400000, buf, sizeof(buf));
	check(!strcmp(buf, "1 d"), "a day");
	text_end(9, buf, sizeof(buf));
	check(!strcmp(buf, "was killed by SIGKILL"), "a signal");
	text_end(7 << 8, buf, sizeof(buf));
	check(!strcmp(buf, "exited with 7"), "an exit");
	check(run_exit_code(9) == 137 && run_exit_code(0x8b) == 139, "to exit as a signal");
	check(run_exit_code(7 << 8) == 7, "to exit as an exit");
	text_clock(0, buf, sizeof(buf));
	check(strlen(buf) == strlen("00:00:00.000") && strstr(buf, ":00.000"), "time of the day");
	text_clock(1009, buf, sizeof(buf));
	check(strstr(buf, ":01.009"), "milliseconds");
	check(kreg_ref_cancel(NULL) == 0, "no ref");
	check(!strcmp(kreg_errmsg(), "no call has failed in this thread"), "nothing has failed");
}

/* What is said when that is opened as the device. */
static void opens(const char *path, int ret, const char *text)
{
	struct kreg_client *client;
	int is = kreg_client_open(path, &client);

	check(is == ret, path);
	check(!strcmp(kreg_errmsg(), text), text);
	if (is != ret || strcmp(kreg_errmsg(), text))
		printf("# %d: %s\n", is, kreg_errmsg());
}

/* Root may enter every directory. */
static void opens_as_nobody(const char *path, int ret, const char *text)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		n = 0;
		failed = 0;
		if (!geteuid() && (setgid(65534) || setuid(65534)))
			_exit(2);
		opens(path, ret, text);
		fflush(stdout);
		_exit(failed);
	}
	waitpid(pid, &status, 0);
	n += 2;
	failed += !!status;
}

/* Several causes have the same errno. */
static void devices(void)
{
	char dir[] = "/tmp/kreg-words-XXXXXX", path[64], text[256], nothing[64];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	check(mkdtemp(dir) && sock >= 0, "a folder and a socket");
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(nothing, sizeof(nothing), "%s/n", dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	check(!bind(sock, (void *)&address, sizeof(address)), "the name of a socket");
	snprintf(text, sizeof(text), "%s is not the device of kreg", path);
	opens(path, -ENXIO, text);
	snprintf(text, sizeof(text), "%s is not the device of kreg", dir);
	opens(dir, -EISDIR, text);
	snprintf(text, sizeof(text), "there is no %s: load the module with 'modprobe kreg', "
		 "or pass the device into the container", nothing);
	opens(nothing, -ENOENT, text);
	opens("/dev/null", -ENOTTY, "/dev/null is not the device of kreg");
	opens("/proc/self/exe/x", -ENOTDIR, "there is no /proc/self/exe/x: load the module with "
	      "'modprobe kreg', or pass the device into the container");
	chmod(dir, 0);
	snprintf(text, sizeof(text), "this user may not enter the directory of %s", path);
	opens_as_nobody(path, -EACCES, text);
	chmod(dir, 0755);
	chmod(path, 0);
	snprintf(text, sizeof(text), "no permission for %s; 'ls -l %s' tells who may use it",
		 path, path);
	opens_as_nobody(path, -EACCES, text);
	unlink(path);
	rmdir(dir);
	close(sock);
}

/* One errno, and each cause has its own sentence. */
static void causes(void)
{
	static const struct {
		enum attempt attempt;
		size_t key_len;
		const char *name, *text;
	} cases[] = {
		{ TRY_READ, 0, NULL, "the key is empty" },
		{ TRY_READ, 1, NULL, "the options contradict each other" },
		{ TRY_WRITE, 0, NULL, "the key is empty" },
		{ TRY_WRITE, 1, NULL, "the options contradict each other" },
		{ TRY_BATCH, 0, NULL, "the key is empty" },
		{ TRY_BATCH, 1, NULL,
		  "the batch mixes reads and writes; run it, and fill another" },
		{ TRY_WAIT, 0, NULL, "the key is empty" },
		{ TRY_WAIT, 1, NULL,
		  "a version goes with KREG_WATCH_CHANGED alone" },
		{ TRY_LINE, 0, NULL, "the key is empty" },
		{ TRY_LEASE, 0, NULL, "the key is empty" },
		{ TRY_EDIT, 0, NULL, "the key is empty" },
		{ TRY_EDIT, 1, NULL,
		  "the flags of a field, or its members, do not go with its code or each other" },
		{ TRY_WAIT_NAME, 0, "", "the name is empty" },
		{ TRY_WAIT_NAME, 0, "n", "a name has no such condition" },
		{ TRY_MONITOR, 0, NULL, "the pid is 0" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kreg_fail_name(-EINVAL, cases[i].attempt, NULL, cases[i].name);
		if (cases[i].attempt != TRY_WAIT_NAME && cases[i].attempt != TRY_MONITOR)
			kreg_fail_sizes(-EINVAL, cases[i].key_len, 0, 0);
		check(!strcmp(kreg_errmsg(), cases[i].text), cases[i].text);
	}
	/* Of a write that was queued before, and of this one. */
	kreg_fail(-EAGAIN, TRY_SYNC, NULL);
	check(!!strstr(kreg_errmsg(), "an object was bound"), "a write that was queued");
	kreg_ioctl_limit = KREG_LIMIT_QUEUED;
	kreg_fail(-EAGAIN, TRY_WRITE, NULL);
	check(!!strstr(kreg_errmsg(), "of this client wait"), "one that was not");
	kreg_ioctl_limit = KREG_LIMIT_USER_QUEUED;
	kreg_fail(-EAGAIN, TRY_BATCH, NULL);
	check(!!strstr(kreg_errmsg(), "of all clients of this user wait (max_user_queued"),
	      "one of a batch");
	/* What a function has found is said once, and only with the errno that it has. */
	kreg_fail(kreg_cause(-EINVAL, "it is %V"), TRY_READ, NULL);
	check(!strcmp(kreg_errmsg(), "it is 1048576"), "a cause");
	kreg_cause(-EINVAL, "it is something else");
	kreg_fail(-EBUSY, TRY_SERVE, NULL);
	check(!strcmp(kreg_errmsg(), "a function of this server is being called"), "another errno");
	kreg_fail(-EINVAL, TRY_REPLY, NULL);
	check(!strcmp(kreg_errmsg(), "this number is no errno"), "the same errno later");
	/* Nobody has told whether there is a key. */
	kreg_fail(-EINVAL, TRY_READ, NULL);
	check(!!strstr(kreg_errmsg(), " or "), "one of two causes");
}

/* All that Linux has, whether kreg uses it or not. */
static void names(void)
{
	char none[32];
	int err, bad = 0;

	for (err = 1; err <= EHWPOISON; err++) {
		snprintf(none, sizeof(none), "Unknown error %d", err);
		if (!strcmp(strerror(err), none) != !strcmp(kreg_error_name(err), "E?"))
			printf("# %d is %s\n", err, kreg_error_name(err)), bad++;
	}
	check(!bad, "every errno has a name");
	check(!strcmp(kreg_error_name(EHOSTDOWN), "EHOSTDOWN"), "one that kreg does not use");
	check(!strcmp(kreg_error_name(-EBUSY), "EBUSY"), "one that it does");
	check(!strcmp(kreg_error_name(4711), "E?"), "a number that is none");
	check(!strcmp(kreg_error_name(0), "E?"), "no error");
}

/* The values that those who describe these checksums give, and no data at all. */
static void sums(void)
{
	check(kreg_crc32c(0, "123456789", 9) == 0xe3069283, "CRC-32C");
	check(kreg_crc64(0, "123456789", 9) == 0x995dc9bbdf1939fa, "CRC-64");
	check(kreg_crc32c(kreg_crc32c(0, "1234", 4), "56789", 5) == 0xe3069283, "in two parts");
	check(kreg_crc64(kreg_crc64(0, "1234", 4), "56789", 5) == 0x995dc9bbdf1939fa,
	      "the other in two parts");
	check(!kreg_crc32c(0, "", 0) && !kreg_crc64(0, "", 0), "of nothing");
}

static void do_dump(void)
{
	progress(KREG_DUMP_WRITING, 1, 3, NULL);
}

static void do_del(void)
{
	if (progress_due())
		progress_show(4, 3, "removed");
}

static void do_incr(void)
{
	if (progress_due())
		progress_show(4, 0, "changed");
}

/* What is said of how far a command is, if standard error is this descriptor. */
static const char *watched(int fd, int from, const char *name, void (*act)(void))
{
	static struct command some;
	static char text[256];
	int keep = dup(STDERR_FILENO);
	ssize_t len;

	some.name = name;
	command = &some;
	dup2(fd, STDERR_FILENO);
	act();
	progress_end();
	dup2(keep, STDERR_FILENO);
	close(keep);
	len = read(from, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void terminals(void)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), ends[2], fd;

	if (pty < 0 || grantpt(pty) || unlockpt(pty) || pipe2(ends, O_NONBLOCK))
		return check(false, "a terminal");
	progress_after_ms = 0;
	check(!*watched(ends[1], ends[0], "dump", do_dump), "nobody watches");
	progress_after_ms = 600000;
	fd = open(ptsname(pty), O_RDWR | O_NOCTTY);
	check(!*watched(fd, pty, "del", do_del), "somebody watches what does not last");
	progress_after_ms = 0;
	check(!!strstr(watched(fd, pty, "dump", do_dump),
		       "kreg dump:  33 %, 1 objects written"), "somebody watches");
	check(!!strstr(watched(fd, pty, "del", do_del),
		       "kreg del: 100 %, 4 objects removed"), "there are more than there were");
	check(!!strstr(watched(fd, pty, "incr", do_incr),
		       "kreg incr: 4 objects changed"), "nobody knows of how many");
	close(fd);
	close(pty);
}

/* No two limits, and no two reasons why something is not permitted, have the same sentence. */
static void limits(void)
{
	const char *text[KREG_DENIED_ROLE + 1] = { NULL };
	unsigned int i, j, none = 0, same = 0, vague = 0;

	for (i = KREG_LIMIT_TABLES; i <= KREG_DENIED_ROLE; i++) {
		text[i] = kreg_limit_sentence(i, TRY_OTHER);
		/* Of namespaces tells open(2), which has sentences of its own. */
		none += !text[i] && (i <= KREG_LIMIT_PIN_MS || i >= KREG_DENIED_PARK) &&
			i != KREG_LIMIT_NAMESPACES;
		for (j = 0; j < i; j++)
			same += text[i] && text[j] && !strcmp(text[i], text[j]);
		/* What fills a table may be memory or the number of objects. */
		vague += text[i] && i <= KREG_LIMIT_PIN_MS && i != KREG_LIMIT_TABLE &&
			 !strstr(text[i], "%(") && !strstr(text[i], "(the most ");
	}
	check(!none, "each limit has a sentence");
	check(!same, "of its own");
	check(!vague, "with the figure, and the parameter if there is one");
	check(strcmp(kreg_limit_sentence(KREG_LIMIT_WAITERS, TRY_LINE), text[KREG_LIMIT_WAITERS]),
	      "a line for a key is not one for a table");
}

int main(void)
{
	printf("TAP version 13\n");
	times();
	deadlines();
	numbers();
	bytes();
	texts();
	devices();
	causes();
	limits();
	names();
	sums();
	terminals();
	printf("1..%d\n", n);
	return failed ? 1 : 0;
}
