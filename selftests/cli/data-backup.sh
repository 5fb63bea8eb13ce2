#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# userspace/examples/data-backup: its story. The programs themselves have seeds_data_backup. Prints
# TAP; needs the module, and root.

system=backup
other_table=ets
# shellcheck source-path=SCRIPTDIR source=example.sh
. "$(dirname "$0")/example.sh"

story 3
finish
