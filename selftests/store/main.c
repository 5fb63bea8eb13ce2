// SPDX-License-Identifier: GPL-2.0
/*
 * The model test as a program:
 *
 *	model [PERMILLE [SEED]]
 *	model plant WHAT	see plant.c
 */
#include "model.h"

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "plant"))
		return plant_run(argv[2]) ? 0 : 2;
	if (argc > 2)
		shim_seed(strtoull(argv[2], NULL, 0));
	model_run(argc > 1 ? atoi(argv[1]) : 1000);
	return 0;
}
