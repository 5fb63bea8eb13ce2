/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KREG_DEVICE_H
#define KREG_DEVICE_H

extern unsigned int kreg_device_minor;	/* a parameter of the module */

/* Sleeps. */
int kreg_device_init(void);
void kreg_device_exit(void);

#endif /* KREG_DEVICE_H */
