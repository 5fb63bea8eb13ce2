/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents: what those who ask and those who answer say to each other. */
#ifndef KREG_LIB_AGENT_H
#define KREG_LIB_AGENT_H

#include "serve.h"

enum agent_what { AGENT_GET = 1, AGENT_PUT = 2, AGENT_DEL = 3 };

/* @flags: only if the value has @version, 0: only if there is none. */
#define AGENT_IF_VERSION	1u

/* Key and value follow. */
struct agent_ask {
	struct service_head head;	/* with an agent_what */
	uint32_t flags;
	uint32_t key_len;
	uint64_t version;
};

/* With GET, the value follows. */
struct agent_answer {
	uint64_t version;	/* of the value that is there now; 0: there is none */
	uint64_t count;		/* DEL: how many there were */
};

#endif /* KREG_LIB_AGENT_H */
