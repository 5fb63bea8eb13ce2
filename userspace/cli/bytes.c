/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys and values: from arguments and files, to people and to pipes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

/* One byte more than a value may have, so that a longer file is noticed. */
#define MOST	((1u << 20) + 1)

struct bytes bytes_arg(const char *arg)
{
	struct bytes b = { .data = strdup(arg), .len = strlen(arg) };

	if (!b.data) {
		fprintf(stderr, "kreg: no memory\n");
		exit(EXIT_ERROR);
	}
	if (hex && parse_hex(arg, (unsigned char *)b.data, b.len, &b.len))
		usage("'%s' is not an even number of hexadecimal digits", arg);
	return b;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	bytes->data = NULL;
	bytes->len = 0;
}

static int read_all(int fd, struct bytes *bytes)
{
	ssize_t n;

	bytes->len = 0;
	bytes->data = malloc(MOST);
	if (!bytes->data)
		return -ENOMEM;
	while (bytes->len < MOST) {
		n = read(fd, bytes->data + bytes->len, MOST - bytes->len);
		if (n == 0)
			return 0;
		if (n > 0)
			bytes->len += n;
		else if (errno != EINTR)
			return -errno;
	}
	return -EFBIG;
}

int bytes_read(const char *path, struct bytes *bytes)
{
	int fd = STDIN_FILENO, ret;

	if (strcmp(path, "-")) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
	}
	ret = read_all(fd, bytes);
	if (fd != STDIN_FILENO)
		close(fd);
	if (ret)
		bytes_free(bytes);
	return ret;
}

int bytes_value(const char *path, struct bytes *bytes)
{
	int ret = bytes_read(path, bytes);

	if (ret == -EFBIG)
		return fail_text(EXIT_ERROR, "%s: a value has at most 1 MiB; split it", path);
	if (ret)
		return fail_text(EXIT_ERROR, "%s: %s", path, strerror(-ret));
	return 0;
}

/* Length of the UTF-8 character at @s, or 0 if these bytes are no such character. */
static size_t utf8_char(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
	uint32_t c;
	size_t i;

	if (!n || n > len)
		return 0;
	c = n == 1 ? *s : *s & (0xff >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

bool bytes_utf8(const void *data, size_t len)
{
	const unsigned char *s = data;
	size_t n;

	for (; len; s += n, len -= n) {
		n = utf8_char(s, len);
		if (!n)
			return false;
	}
	return true;
}

/* C1 controls (U+0080 to U+009F) move a terminal's cursor just as C0 do. */
static bool printable(const unsigned char *s, size_t n)
{
	if (n == 1)
		return *s >= 0x20 && *s != 0x7f && *s != '\\';
	return n > 0 && !(n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

static void print_escape(unsigned char c, FILE *out)
{
	static const char from[] = "\n\t\r\\", to[] = "ntr\\";
	const char *p = c ? strchr(from, c) : NULL;

	if (p)
		fprintf(out, "\\%c", to[p - from]);
	else
		fprintf(out, "\\x%02x", c);
}

static void print_hex(const unsigned char *s, size_t len, FILE *out)
{
	while (len--)
		fprintf(out, "%02x", *s++);
}

void bytes_print(const void *data, size_t len, FILE *out)
{
	const unsigned char *s = data;
	size_t n;

	if (hex) {
		print_hex(s, len, out);
		return;
	}
	while (len) {
		n = utf8_char(s, len);
		if (printable(s, n)) {
			fwrite(s, 1, n, out);
		} else {
			n = 1;
			print_escape(*s, out);
		}
		s += n;
		len -= n;
	}
}

int bytes_write(const void *data, size_t len, FILE *out)
{
	return fwrite(data, 1, len, out) == len ? 0 : -EIO;
}
