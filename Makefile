# SPDX-License-Identifier: GPL-2.0
#
# For people; the kernel's build system reads Kbuild instead.
#
# KDIR=DIR    build for the kernel whose headers or build tree is there
# BUILD=DIR   build there (library, command, module)
# KERNEL=NAME build for Debian's newest 6.1, 6.12 or rt, fetched when missing,
#             or for the test kernels debug or kcsan, built when missing
#
# Without either: the running kernel if its headers are installed, else 6.12.

PREFIX ?= $(or $(prefix),/usr/local)
DESTDIR ?=
RUNNING := /lib/modules/$(shell uname -r)/build
KDIR ?= $(or $(KERNEL),$(if $(wildcard $(RUNNING)/Makefile),$(RUNNING),6.12))
export KREG_CACHE ?= $(CURDIR)/.cache
BUILD := $(CURDIR)/build

# With BUILD=folder nothing is written into the tree. Else a relative path, since that has no
# blank, wherever the tree is.
ELSEWHERE := $(if $(filter command line,$(origin BUILD)),$(abspath $(BUILD)))
USER_BUILD := $(or $(ELSEWHERE),../build)/userspace
MODULE := $(if $(ELSEWHERE),$(ELSEWHERE)/)kreg.ko

# $(call need,file): end with one sentence if that part of the tree is absent.
need = @test -f $(1) || { echo "there is no $(1) yet: nothing to do for '$@'" >&2; exit 1; }

.PHONY: all module user tests demo check check-debug check-all coverage vm style bench \
	bench-quick bench-check bench-baseline bench-plots install install-user \
	install-tests install-group uninstall clean distclean help setup-user \
	setup-module setup-build setup-vm

all: module user

help:
	@sed -n 's/^#: //p' Makefile

#: make               module, library, command, examples
#: make module        kreg.ko (KERNEL=6.1|6.12|rt|debug|kcsan or KDIR=folder: for that kernel)
module: setup-module
	@ko=$$(scripts/build-module $(ELSEWHERE:%=-b '%') $(KDIR) $(KBUILD_ARGS)) && \
		ln -sfn "$${ko#$(or $(ELSEWHERE),$(CURDIR))/}" '$(MODULE)' && echo "$$ko"

#: make user          library, command, examples
user: setup-user
	$(call need,userspace/Makefile)
	+@$(MAKE) --no-print-directory -C userspace BUILD='$(USER_BUILD)'

#: make tests         test programs
tests: setup-build
	$(call need,selftests/Makefile)
	@scripts/fetch source
	@mkdir -p '$(BUILD)/selftests'
	+@$(MAKE) --no-print-directory -C selftests OUTPUT='$(BUILD)/selftests'

#: make demo          see it work, in a virtual machine
#: make demo DEMO=... the story of an example: counters, leader, jobs, hitless, kv, todo,
#:                    table-manager, data-backup
DEMOS := $(notdir $(patsubst %/,%,$(dir $(wildcard userspace/examples/*/*-story))))
STORY := $(if $(DEMO),$(or $(filter $(DEMO),$(DEMOS)),$(error there is no demo '$(DEMO)': \
	there are $(DEMOS))))
demo: guest
	@[ -t 1 ] || cat='| cat'; selftests/vm/run -k $(or $(KERNEL),6.12) \
		-o '$(BUILD)/guest' "set -o pipefail; \
		PATH=/kselftest/kreg:\$$PATH $(or $(STORY:%=%-story),kreg-demo) $$cat"
	@$(if $(DEMO),,echo; echo 'Others, make demo DEMO=NAME: $(DEMOS)')

#: make vm            a shell in a virtual machine with kreg loaded (KERNEL=...)
vm: guest
	@selftests/vm/run -i -k $(or $(KERNEL),6.12) -o '$(BUILD)/guest'

#: make check         all tests (KERNELS='6.1 6.12 rt debug' TESTS='...' LEND=0|1)
check:
	@selftests/run

#: make check-debug   the same on the debug kernel alone: KASAN, lockdep, kmemleak ...
check-debug:
	@KERNELS=debug selftests/run

#: make check-all     and on all others, before a release: KCSAN, slub_debug, KFENCE
check-all:
	@KERNELS=all selftests/run

#: make stress        everything at random (SECONDS=120 KERNEL=... LEND=0|1|flip WRITERS=...
#:                    PROCESSES=... SEED=... RELOADS=200)
.PHONY: stress
SECONDS ?= 120
RELOADS ?= 200
stress: guest
	@selftests/vm/run -k $(or $(KERNEL),6.12) -o '$(BUILD)/guest' -t 0 \
		"cd /kselftest/kreg && KREG_TEST_SCALE=$${KREG_TEST_SCALE:-1} ./stress.sh \
			-s $(SECONDS) -r $(RELOADS) $(WRITERS:%=-w %) $(LEND:%=--lend %) \
			$(PROCESSES:%=--processes %) $(SEED:%=--seed %)"

#: make deaths        a million processes die, and no look-up returns one of them (DEATHS=1000000
#:                    KERNEL=... LEND=0|1): some twenty minutes
.PHONY: deaths
DEATHS ?= 1000000
deaths: guest
	@selftests/vm/run -k $(or $(KERNEL),6.12) -p lend=$(or $(LEND),1) -o '$(BUILD)/guest' \
		-t 0 "cd /kselftest/kreg && KREG_TEST_DEATHS=$(DEATHS) ./deaths_many"

#: make kills         workers of a queue are killed, and no job is lost or done twice (KILLS=100000
#:                    KERNEL=... LEND=0|1 SEED=...): half an hour
.PHONY: kills
KILLS ?= 100000
kills: guest
	@selftests/vm/run -k $(or $(KERNEL),6.12) -p lend=$(or $(LEND),1) -o '$(BUILD)/guest' \
		-t 0 "cd /kselftest/kreg && KREG_TEST_KILLS=$(KILLS) \
			$(SEED:%=KREG_TEST_SEED=%) ./lib_queue_kills"

#: make sizes         ten million objects and a hundred thousand tables (OBJECTS=10000000
#:                    TABLES=100000 KERNEL=...): what they cost, and their owner is killed
.PHONY: sizes
OBJECTS ?= 10000000
TABLES ?= 100000
sizes: guest
	@selftests/vm/run -k $(or $(KERNEL),6.12) -o '$(BUILD)/guest' -m 6G -t 0 "cd /kselftest/kreg && \
		KREG_TEST_OBJECTS=$(OBJECTS) KREG_TEST_TABLES=$(TABLES) ./sizes"

#: make differ        random operations on Erlang's ETS and on kreg (OPS=200000 SEED=...
#:                    KERNEL=... SEQUENCE=file): all results agree
.PHONY: differ
differ:
	@KREG_TEST_OPS='$(OPS)' KREG_TEST_SEED='$(SEED)' $(KERNEL:%=KERNEL='%') \
		selftests/differ/differ $(SEQUENCE:%='%')

#: make bench         kreg beside its peers: instructions, and wall time (KERNEL=...)
#: make bench-quick   what kreg costs, in instructions, in two minutes (KERNEL=...)
#: make bench-check   compare that with selftests/bench/counted.baseline: 2 % fail
#: make bench-baseline  write that file anew, from five boots
#: make bench-plots   draw what make bench has measured into selftests/bench/plots
bench:
	@selftests/bench/run all

bench-quick bench-check bench-baseline bench-plots:
	@selftests/bench/run $(@:bench-%=%)

#: make bench-native  the storage engine beside other structures, without a kernel
#:                    (OBJECTS='1000 100000' JSON=1)
.PHONY: bench-native
bench-native:
	@selftests/bench/native/run $(JSON:%=--json) $(OBJECTS)

#: make coverage      which lines of the module the tests reach (TESTS='...')
coverage:
	@selftests/coverage $(TESTS)

#: make style         checkpatch, sparse, compilers and the project's own rules
style:
	@scripts/style

#: make install       module, library and command into this system
install: module install-user
	@release=$$(basename $$(dirname $$(readlink '$(MODULE)'))) && \
		dir='$(DESTDIR)'/lib/modules/$$release/updates && mkdir -p "$$dir" && \
		install -m 644 '$(MODULE)' "$$dir" && \
		if [ -z "$(DESTDIR)" ]; then depmod $$release; ldconfig; fi

#: make install-group  let a group "kreg" open the device: udev rule, sysusers.d
install-group:
	+@$(MAKE) --no-print-directory -C userspace install-group BUILD='$(USER_BUILD)'

#: make uninstall     remove what these have installed
uninstall:
	+@$(MAKE) --no-print-directory -C userspace uninstall BUILD='$(USER_BUILD)'
	@for ko in '$(DESTDIR)'/lib/modules/*/updates/kreg.ko; do \
		[ -e "$$ko" ] || continue; rm -f "$$ko"; dir=$${ko%/updates/*}; \
		[ -n "$(DESTDIR)" ] || depmod $${dir##*/}; done

#: make clean         remove what was built
clean:
	@rm -rf '$(BUILD)' kreg.ko

#: make distclean     and what was downloaded
distclean: clean
	@rm -rf '$(KREG_CACHE)'/kernels '$(KREG_CACHE)'/source* '$(KREG_CACHE)'/peers \
		'$(KREG_CACHE)'/kvm-works '$(KREG_CACHE)'/.lock*

install-user: user
	+@$(MAKE) --no-print-directory -C userspace install BUILD='$(USER_BUILD)' \
		PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'

# In the form of an installed kselftest: a list, and the collection's folder.
install-tests: tests
	@mkdir -p '$(INSTALL_PATH)/kreg'
	+@$(MAKE) -s --no-print-directory -C selftests install \
		OUTPUT='$(BUILD)/selftests' INSTALL_PATH='$(INSTALL_PATH)/kreg'
	+@$(MAKE) -s --no-print-directory -C selftests emit_tests \
		OUTPUT='$(BUILD)/selftests' COLLECTION=kreg >'$(INSTALL_PATH)/kselftest-list.txt'

.PHONY: guest
guest: setup-build setup-vm
	@scripts/build-module $(or $(KERNEL),6.12) >/dev/null
	@selftests/vm/overlay '$(BUILD)/guest'

setup-user setup-module setup-build setup-vm:
	@scripts/setup $(@:setup-%=%)
