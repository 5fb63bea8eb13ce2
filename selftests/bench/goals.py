# SPDX-License-Identifier: GPL-2.0
"""What the figures of kreg should be: 16-byte keys, 64-byte values."""

N = 100000
MILLION = 1000000


def quotient(results, above, below, clock="counted"):
    a, b = results.value(*above, clock), results.value(*below, clock)
    return a / b if a and b else None


def measured(op, objects=N, clock="counted"):
    return lambda results: results.value("kreg", op, objects, clock)


def against(op, objects, other_op, other_objects, other="kreg", clock="counted"):
    return lambda results: quotient(results, ("kreg", op, objects),
                                    (other, other_op, other_objects), clock)


def half(results, op):
    value = results.value("kreg", op, 0)
    return value / 2 if value else None


def half_of(results, op, objects=N):
    value = results.value("kreg", op, objects)
    return value / 2 if value else None


def difference(results, op, objects, than):
    a, b = results.value("kreg", op, objects), results.value("kreg", op, than)
    return a - b if a and b else None


# What, its figure, the most it may be, peers to show beside it.
GOALS = [
    ("get", measured("get"), 1104, [("bpf", "get"), ("floor", "null-ioctl")]),
    ("put, existing key", measured("put"), 1773, [("bpf", "put")]),
    ("put, new key", measured("put-new"), 1671, [("bpf", "put-new")]),
    ("counter", measured("counter"), 1900, []),
    ("patch of 64 bytes", measured("patch"), 1900, []),
    ("compare-and-swap, by version", measured("cas"), 1850, []),
    ("compare-and-swap, by value", measured("cas-value"), 1850, []),
    ("put through the thread", measured("put-thread"), 7000, [("gen_server", "call")]),
    ("put in a batch of 256", measured("put-batch-256"), 650,
     [("bpf", "put-batch-256"), ("lmdb", "put-batch-256")]),
    ("multi-get of 64", measured("multi-get-64"), 405, [("bpf", "scan")]),
    ("scan", measured("scan"), 201, [("bpf", "next")]),
    ("get, ordered", measured("get-spread-ordered"), 1500, [("lmdb", "get")]),
    ("get, ordered, keys with a common prefix", measured("get-ordered"), 1850,
     [("lmdb", "get")]),
    ("put, ordered", measured("put-ordered"), 2200, [("lmdb", "put")]),
    ("next of a scan, ordered", measured("scan-ordered"), 220, [("bpf", "next")]),
    ("next of a scan, ordered, backwards", measured("scan-back-ordered"), 350, []),
    ("bytes an object, ordered", measured("memory-ordered"), 123, [("lmdb", "memory")]),
    ("bytes an object, ordered, after churn", measured("memory-churned-ordered"), 127, []),
    ("put into a bag", measured("put-bag"), 2300, []),
    ("get of the 10 objects of a key", measured("get-10-bag"), 2300, []),
    ("pin and unpin, each", lambda results: half_of(results, "pin-and-unpin"), 1400, []),
    ("put that expires", measured("put-timed"), 1950, []),
    ("lease of the first, and done, each",
     lambda results: half_of(results, "lease-first-and-done"), 3500, []),
    ("search, an object looked at", measured("search-looked-at"), 160, []),
    ("search, an object taken", measured("search-taken"), 290, []),
    ("get of a bound object", measured("get-bound"), 1150, []),
    ("bound object of a dead process", measured("unbind"), 900, []),
    *((what, measured(what), 2600, []) for what in ("register", "unregister", "lock", "unlock")),
    ("event appended, one subscriber",
     lambda results: difference(results, "put-with-subscribers", 1, 0), 300, []),
    ("event read, many in a call", measured("event-read", 1), 250, []),
    ("get, 10 million : 1 thousand objects",
     against("get", 10 * MILLION, "get", 1000), 1.15, []),
    ("get, oldest : newest of 100,000 tables",
     against("get-oldest-table", N, "get-newest-table", N), 1.05, []),
    ("sync, 10,000 idle processes", measured("sync-idle-processes", 10000), 12000, []),
    ("bytes an object, 80 of them data", measured("memory", MILLION), 117,
     [("lmdb", "memory"), ("bpf", "memory"), ("ets", "memory")]),
    ("SIGKILL to heir : to pidfd, 1 MiB, wall",
     against("sigkill-to-heir-1MiB", 1000, "sigkill-to-pidfd-1MiB", 0, "floor", "wall"),
     1.4, []),
    ("SIGKILL to heir : to pidfd, 64 MiB, wall",
     against("sigkill-to-heir-64MiB", 1000, "sigkill-to-pidfd-64MiB", 0, "floor", "wall"),
     1.15, []),
    ("SIGKILL to heir : to pidfd, 1 MiB, counted",
     against("sigkill-to-heir-1MiB", 1000, "sigkill-to-pidfd-1MiB", 0, "floor"), 1.4, []),
    ("SIGKILL to heir : to pidfd, 64 MiB, counted",
     against("sigkill-to-heir-64MiB", 1000, "sigkill-to-pidfd-64MiB", 0, "floor"), 1.15, []),
    ("watch and cancel, each half", lambda results: half(results, "watch-and-cancel"), 1800,
     [("floor", "pidfd-and-close")]),
    ("call to a server and back", measured("call", 0), 17500,
     [("floor", "eventfd-round-trip"), ("floor", "packet-round-trip")]),
    ("restart with a table of a million objects : fork and exec alone",
     against("restart", MILLION, "fork-exec", MILLION, "floor"), 1.5, []),
    *((f"SIGKILL to the reader of a watch : to pidfd, {count:,} watches, wall",
       against("sigkill-to-watch", count, "sigkill-to-pidfd", 0, "floor", "wall"), 1.1, [])
      for count in (1, N)),
    ("inherit, 1 million : 10 objects", against("inherit", MILLION, "inherit", 10), 1.1, []),
    ("give, 1 million : 10 objects", against("give", MILLION, "give", 10), 1.1, []),
    ("park, 1 million : 10 objects", against("park", MILLION, "park", 10), 1.1, []),
    ("destroy, 1 million : 10 objects", against("destroy", MILLION, "destroy", 10), 1.1, []),
    *((f"{what}, a stranger floods : alone, wall",
       against(f"stranger-{op}-flooded", 0, f"stranger-{op}-alone", 0, clock="wall"),
       10, [])
      for op, what in (("put", "put"), ("get", "get"), ("close", "close"), ("claim", "claim"),
                       ("death", "SIGKILL to heir"))),
    ("longest turn, a stranger floods", measured("longest-turn-stranger", 0), 50000, []),
    ("longest turn, table grows", measured("longest-turn-grow", MILLION), 50000, []),
    ("longest turn, grows in batches of 1,024",
     measured("longest-turn-grow-batch-1024", MILLION), 50000, []),
    ("longest turn, table is cleared", measured("longest-turn-clear", MILLION), 50000, []),
    ("longest turn, table is destroyed", measured("longest-turn-destroy", MILLION), 50000,
     [("floor", "longest-turn-munmap")]),
    ("longest turn, table is inherited", measured("longest-turn-inherit", MILLION), 50000, []),
    ("longest turn, bound objects of a dead process", measured("longest-turn-unbind"), 50000,
     []),
    ("longest put elsewhere, they go : nothing happens",
     against("longest-turn-unbind", N, "longest-turn-idle", 0), 10, []),
    ("longest turn, keys chosen for it", measured("longest-turn-hostile-keys", 0), 50000, []),
    ("longest turn, sizes chosen for it", measured("longest-turn-hostile-sizes", 0), 50000, []),
    ("longest turn, as much as a group may do", measured("longest-turn-group", 0), 50000, []),
    ("longest turn, slots chosen for it", measured("longest-turn-hostile-chunks", 0), 50000, []),
]


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 200 else f"{value:.2f}".removesuffix(".00")


def any_size(results, system, op):
    """A peer's figure at the size of the goals, or where it was measured."""
    found = [results.value(system, op, objects) for objects in (N, MILLION, 0)]
    return next((value for value in found if value), None)


def lines(results):
    """The goals whose figures were measured, as lines of text."""
    for what, figure, most, peers in GOALS:
        value = figure(results)
        if value is None:
            continue
        beside = [f"{system} {number(figure)}" for system, op in peers
                  if (figure := any_size(results, system, op))]
        yield (f"{what:48} {number(value):>9}  at most {number(most):>7}  "
               f"{'pass' if value <= most else 'MISS'}  {', '.join(beside)}").rstrip()
