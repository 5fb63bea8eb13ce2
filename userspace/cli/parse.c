/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers, times and words of the command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

int parse_number(const char *text, uint64_t max, uint64_t *number)
{
	unsigned long long n;
	char *end;

	/* strtoull(3) takes blanks and signs too. */
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || n > max)
		return -EINVAL;
	*number = n;
	return 0;
}

int parse_signed(const char *text, int64_t *number)
{
	uint64_t n, most = *text == '-' ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	int ret = parse_number(text + (*text == '-'), most, &n);

	if (!ret)
		*number = *text == '-' ? -n : n;
	return ret;
}

int parse_mode(const char *text, unsigned int *mode)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '7')
		return -EINVAL;
	n = strtoul(text, &end, 8);
	if (*end || n & ~0666ul)
		return -EINVAL;
	*mode = n;
	return 0;
}

/* A number with a unit; without one it means seconds. */
int parse_time_ms(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 },
	};
	unsigned long long n;
	char *end;
	size_t i;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return -EINVAL;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		/* More than a century is a mistake, and would overflow nanoseconds. */
		if (n > 36500ull * 86400000 / units[i].ms)
			return -EINVAL;
		*ms = n * units[i].ms;
		return 0;
	}
	return -EINVAL;
}

int parse_access(const char *text, unsigned int *access)
{
	unsigned int a;

	for (a = KREG_ACCESS_PRIVATE; a <= KREG_ACCESS_REGISTRY; a++) {
		if (!strcmp(text, text_access(a))) {
			*access = a;
			return 0;
		}
	}
	return -EINVAL;
}

int parse_orphan(const char *text, unsigned int *orphan)
{
	static const char *const rules[] = {
		[KREG_ORPHAN_DESTROY] = "destroy",
		[KREG_ORPHAN_PARK] = "park",
		[KREG_ORPHAN_PARK_ON_CRASH] = "park-on-crash",
	};
	unsigned int i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!strcmp(text, rules[i])) {
			*orphan = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int parse_type(const char *text, unsigned int *type)
{
	unsigned int t;

	for (t = KREG_TYPE_SET; t <= KREG_TYPE_DUPLICATE_BAG; t++) {
		if (!strcmp(text, text_type(t))) {
			*type = t;
			return 0;
		}
	}
	return -EINVAL;
}

/* ID/VERSION, of which the id may be hexadecimal, as in 0x5e55/2. */
int parse_schema(const char *text, struct schema *schema)
{
	bool is_hex = !strncmp(text, "0x", 2);
	const char *digits = is_hex ? text + 2 : text;
	unsigned long long id;
	uint64_t version;
	char *end;

	/* strtoull(3) takes blanks, signs and another 0x too. */
	if (digit(*digits) < 0 || (is_hex && digits[1] == 'x'))
		return -EINVAL;
	errno = 0;
	id = strtoull(digits, &end, is_hex ? 16 : 10);
	if (errno || *end != '/' || parse_number(end + 1, UINT32_MAX, &version) || !id || !version)
		return -EINVAL;
	schema->id = id;
	schema->version = version;
	return 0;
}

int parse_limit(char *text, uint64_t *deaths, uint64_t *ms)
{
	char *slash = strchr(text, '/');
	int ret;

	if (!slash)
		return -EINVAL;
	*slash = '\0';
	ret = parse_number(text, KREG_MAX_DEATHS, deaths) || parse_time_ms(slash + 1, ms) ||
	      !*deaths || !*ms;
	*slash = '/';
	return ret ? -EINVAL : 0;
}

int parse_format(const char *text, bool *is_json)
{
	*is_json = !strcmp(text, "json");
	return *is_json || !strcmp(text, "text") ? 0 : -EINVAL;
}

int parse_hex(const char *text, unsigned char *bytes, size_t room, size_t *len)
{
	size_t n = strlen(text), i;

	if (n % 2 || n / 2 > room)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (digit(text[i]) < 0)
			return -EINVAL;
	for (i = 0; i < n / 2; i++)
		bytes[i] = digit(text[2 * i]) << 4 | digit(text[2 * i + 1]);
	*len = n / 2;
	return 0;
}
