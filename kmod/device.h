/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KREG_FILE_H
#define KREG_FILE_H

int kreg_file_init(void);
void kreg_file_exit(void);

#endif /* KREG_FILE_H */
