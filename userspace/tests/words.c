/* SPDX-License-Identifier: GPL-2.0-only */
/* What needs no module: parsing, escaping, JSON, sentences about errors. Prints TAP. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

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
	struct kreg_client *client;
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
	check(kreg_client_open("/no/such/device", &client) == -ENOENT, "no device");
	check(!strcmp(kreg_errmsg(),
		      "there is no /no/such/device: load the module with 'modprobe kreg', "
		      "or pass the device into the container"),
	      "a sentence without a client");
	check(kreg_client_open("/dev/null", &client) == -ENOTTY, "not the device");
	check(!strcmp(kreg_errmsg(),
		      "/dev/null is not the device of kreg, "
		      "or the module is older than the library"),
	      "a sentence about another device");
}

int main(void)
{
	printf("TAP version 13\n");
	times();
	numbers();
	bytes();
	texts();
	printf("1..%d\n", n);
	return failed ? 1 : 0;
}
