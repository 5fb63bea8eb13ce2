# SPDX-License-Identifier: GPL-2.0
"""Random sequences of operations; README.md describes their lines."""

import random

ACTORS = ["p0", "p1", "p2", "p3"]
SLOTS = [f"t{i}" for i in range(6)]
NAMES = ["n0", "n1", "n2"]
TYPES = ["set", "ordered_set", "bag", "duplicate_bag"]
MAX = 2 ** 63 - 1

# How often each operation comes, among all.
WEIGHTS = {
    "insert": 150, "insert_list": 40, "insert_new": 40, "insert_new_list": 20,
    "lookup": 90, "lookup_element": 30, "member": 30, "take": 25,
    "delete": 35, "delete_object": 40, "clear": 2,
    "update_element": 25, "swap": 25, "add": 30, "add_from": 25, "add_twice": 15, "add_up_to": 15,
    "first": 15, "last": 15, "next": 30, "prev": 30, "walk": 15, "tab2list": 15, "drain": 2,
    "pin": 10, "pinned": 15, "unpin": 5,
    "queue": 20,
    "select": 40, "chunk": 20, "more": 30, "select_count": 20, "select_delete": 10, "select_replace": 8,
    "new": 40, "drop": 4, "rename": 10, "exchange": 20, "whereis": 10, "give": 12, "heir": 15, "access": 10,
    "info": 20, "size": 25, "mail": 15, "kill": 3, "exit": 2,
}


def word(data):
    return "x" + data.hex()


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.keys = self.make_keys(self.random.choice([4, 12, 40]))
        self.values = ["x", "x61"] + [word(bytes(self.random.choice(b"abc\0\xff")
                                  for _ in range(self.random.randrange(4)))) for _ in range(6)]
        self.actor = ACTORS[0]
        self.serial = 0
        self.chunks = []        # by whom, and which

    def make_keys(self, count):
        """They begin alike, and have bytes of both ends."""
        keys = set()
        while len(keys) < count:
            keys.add(bytes(self.random.choice(b"ab\0\xff")
                           for _ in range(self.random.randint(1, 4))))
        return [word(key) for key in sorted(keys)]

    def sequence(self, length):
        lines = [f"{self.random.choice(ACTORS)} new {slot} {TYPES[i % 4]} public - -"
                 for i, slot in enumerate(SLOTS)]
        ops = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=length - len(lines))
        return lines + [self.line(op) for op in ops]

    def line(self, op):
        if op in ("kill", "exit"):
            return f"- {op} {self.random.choice(ACTORS)}"
        if self.random.random() < 0.1:
            self.actor = self.random.choice(ACTORS)
        words = getattr(self, op, self.on_table)(op)
        return " ".join([self.actor, op, *words])

    def chance(self, probability):
        return self.random.random() < probability

    def table(self):
        return self.random.choice(NAMES if self.chance(0.12) else SLOTS)

    def key(self):
        # Keys that may not be are rare.
        if self.chance(0.003):
            return self.random.choice(["x", "z1024", "z1025"])
        return self.random.choice(self.keys)

    def value(self):
        if self.chance(0.2):
            return f"i{self.number()}"
        if self.chance(0.0005):
            return "z1048577"
        return self.random.choice(self.values)

    def number(self):
        if self.chance(0.03):
            return self.random.choice([MAX, -MAX - 1])
        return self.random.randint(-3, 3)

    def data(self):
        """Of an event: no two are the same."""
        self.serial += 1
        return word(str(self.serial).encode())

    def on_table(self, op):
        return [self.table()]

    def on_key(self, op):
        return [self.table(), self.key()]

    lookup = lookup_element = member = take = delete = on_key
    next = prev = on_key

    def on_object(self, op):
        return [self.table(), self.key(), self.value()]

    insert = insert_new = delete_object = update_element = on_object

    def insert_list(self, op):
        words = [self.table()]
        for _ in range(self.random.randrange(5)):
            words += [self.key(), self.value()]
        return words

    def insert_new_list(self, op):
        keys = self.random.choices(self.keys, k=self.random.randrange(4))
        return [self.table(), *(w for key in keys for w in (key, self.value()))]

    def queue(self, op):
        return [self.table(), *(self.step() for _ in range(self.random.randint(1, 6)))]

    def step(self):
        kind = self.random.choice(["put"] * 12 + ["del"] * 4 + ["clear"])
        words = {"put": [self.key(), self.value()], "del": [self.key()], "clear": []}
        return ":".join([kind, *words[kind]])

    def swap(self, op):
        return [self.table(), self.key(), self.value(), self.value()]

    def add(self, op):
        return [self.table(), self.key(), str(self.number())]

    def add_from(self, op):
        return [self.table(), self.key(), str(self.number()), str(self.number())]

    add_twice = add_from

    def add_up_to(self, op):
        return [self.table(), self.key(), *(str(self.number()) for _ in range(3))]

    def walk(self, op):
        action = self.random.choice(["", "", "self", "del", "put"])
        words = [self.table(), action] if action else [self.table()]
        words += [self.random.choice(self.keys)] if action in ("del", "put") else []
        return words + ([self.value()] if action == "put" else [])

    def a_pin(self):
        return self.random.choice(["i0", "i1"])

    def pin(self, op):
        return [self.table(), self.a_pin()]

    def pinned(self, op):
        return [self.a_pin()]

    unpin = pinned

    def select(self, op):
        backwards = ["rev"] if self.chance(0.3) else []
        return [self.table(), *backwards, *self.range(), *self.filter()]

    # Mostly of a table with an order, where it goes on.
    def chunk(self, op):
        table = self.random.choice(["t1", "t5"]) if self.chance(0.6) else self.table()
        self.chunks.append((self.actor, self.random.choice(["c0", "c1"])))
        words = self.select(op) if self.chance(0.5) else [table]
        return [table, self.chunks[-1][1], str(self.random.randint(1, 3)), *words[1:]]

    # Mostly of one that has begun not long ago.
    def more(self, op):
        if self.chunks and self.chance(0.9):
            self.actor, chunk = self.random.choice(self.chunks[-2:])
        else:
            chunk = self.random.choice(["c0", "c1"])
        return [chunk]

    def select_count(self, op):
        return [self.table(), *self.range(), *self.filter()]

    # Seldom everything.
    def select_delete(self, op):
        return [self.table(), *self.range(), *self.question()]

    def select_replace(self, op):
        return [self.table(), self.value(), *self.range(), *self.question()]

    def range(self):
        kind = self.random.randrange(5)
        if kind == 0:
            return ["pre:" + self.random.choice(self.keys)]
        if kind == 1:
            return ["key:" + self.key()]
        words = []
        if self.chance(0.4):
            words.append(self.random.choice(["lo:", "lox:"]) + self.range_key())
        if self.chance(0.4):
            words.append(self.random.choice(["hi:", "hix:"]) + self.range_key())
        return words

    def filter(self):
        return self.tree(3) if self.chance(0.6) else []

    def tree(self, depth):
        kind = self.random.choice(["and", "or", "not", "", ""]) if depth else ""
        if kind == "":
            return self.question()
        if kind == "not":
            return [kind, *self.tree(depth - 1)]
        return [kind, *self.tree(depth - 1), *self.tree(depth - 1)]

    def question(self):
        kind = self.random.choice(["veq", "vne", "vpre", "vlen", "keq", "kne", "kpre", "klen"])
        if kind in ("vlen", "klen"):
            return [f"{kind}:{self.random.randint(0, 9)}"]
        if kind == "vpre":
            return [f"{kind}:{self.random.choice([v for v in self.values if v != 'x'])}"]
        if kind[0] == "k":
            return [f"{kind}:{self.random.choice(self.keys)}"]
        return [f"{kind}:{self.random.choice([*self.values, f'i{self.number()}'])}"]

    def range_key(self):
        return "z1025" if self.chance(0.003) else self.random.choice(self.keys)

    def new(self, op):
        kind = self.random.choice(TYPES) if self.chance(0.98) else "tree"
        access = self.random.choice(["public"] * 6 + ["protected"] * 2 + ["private"])
        name = self.random.choice(NAMES) if self.chance(0.55) else "-"
        heir = self.random.choice(ACTORS) if self.chance(0.3) else "-"
        return [self.random.choice(SLOTS), kind, access, name, heir]

    # A table without a name gets none: see compare.py.
    def rename(self, op):
        return [self.random.choice(NAMES), self.random.choice(NAMES)]

    def exchange(self, op):
        return self.random.sample(NAMES, 2) if self.chance(0.9) else [NAMES[0]] * 2

    def whereis(self, op):
        return [self.random.choice(NAMES)]

    def give(self, op):
        return [self.table(), self.random.choice(ACTORS), self.data()]

    def heir(self, op):
        if self.chance(0.2):
            return [self.table(), "-"]
        return [self.table(), self.random.choice(ACTORS), self.data()]

    def access(self, op):
        access = self.random.choice(["public", "public", "protected", "private"])
        return [self.table(), access if self.chance(0.95) else "open"]

    def mail(self, op):
        return []


def sequences(seed, total, length):
    """Together so many lines; each can be had again from its own seed."""
    number = 0
    while total > 0:
        yield Generator(f"{seed}/{number}").sequence(max(min(total, length), 10))
        total -= length
        number += 1
