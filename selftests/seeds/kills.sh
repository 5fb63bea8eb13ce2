#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kills.sh - seeds_kills for longer: a thousand rounds, a hundred for each example.
#
#   kills.sh     KREG_TEST_KILLS: rounds for each; KREG_TEST_SEED
cd "$(dirname "$0")" || exit 4
KREG_TEST_KILLS=${KREG_TEST_KILLS:-100}
KREG_TEST_SEED=${KREG_TEST_SEED:-$(date +%s)}
export KREG_TEST_KILLS KREG_TEST_SEED
echo "# KREG_TEST_KILLS=$KREG_TEST_KILLS KREG_TEST_SEED=$KREG_TEST_SEED"
exec ./seeds_kills
