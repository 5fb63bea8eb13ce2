/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KREG_DEVICE_H
#define KREG_DEVICE_H

/* Sleeps. */
int kreg_device_init(void);
void kreg_device_exit(void);

#endif /* KREG_DEVICE_H */
