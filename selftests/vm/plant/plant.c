// SPDX-License-Identifier: GPL-2.0
/*
 * A module that misbehaves on request, to prove that selftests/vm/run sees it:
 * insmod plant.ko what=warn|oops|log
 */
#include <linux/bug.h>
#include <linux/module.h>
#include <linux/string.h>

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "what to do wrong: warn, oops, or log (print like lockdep)");

static int __init plant_init(void)
{
	if (!strcmp(what, "warn"))
		WARN(1, "planted\n");
	else if (!strcmp(what, "oops"))
		WRITE_ONCE(*(int *)8, 0);
	else if (!strcmp(what, "log"))
		pr_info("WARNING: possible circular locking dependency (planted)\n");
	else
		return -EINVAL;
	return 0;
}

static void __exit plant_exit(void)
{
}

module_init(plant_init);
module_exit(plant_exit);
MODULE_DESCRIPTION("Planted faults for the self-test of the VM runner");
MODULE_LICENSE("GPL");
