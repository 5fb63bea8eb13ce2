# SPDX-License-Identifier: GPL-2.0
"""When a result of ETS and one of kreg are the same."""

import re

# What an error of kreg is called by ETS. A word of an operation alone comes first.
ERRORS = {
    ("insert_new", "EEXIST"): "false",
    ("insert_new_list", "EEXIST"): "false",
    ("rename", "EEXIST"): "error badarg",
    ("lookup", "ENODATA"): "[]",
    ("take", "ENODATA"): "[]",
    ("member", "ENODATA"): "false",
    ("update_element", "ENODATA"): "false",
    ("swap", "ECANCELED"): "0",
    ("heir", "EPERM"): "error badarg",
    ("access", "EPERM"): "error badarg",
    ("whereis", "ENOENT"): "undefined",
    ("access", "EOPNOTSUPP"): "error badarg",
    ("new", "EOPNOTSUPP"): "error badarg",
    ("", "ENOENT"): "error id",
    ("", "ESTALE"): "error id",
    ("", "EACCES"): "error access",
    ("", "EPERM"): "error not_owner",
    ("", "EALREADY"): "error owner",
    ("", "EEXIST"): "error already_exists",
    ("", "ENODATA"): "error badkey",
    ("", "EOPNOTSUPP"): "error table_type",
    ("", "ERANGE"): "error badarg",
    ("", "EINVAL"): "error badarg",
    ("", "EOVERFLOW"): "error overflow",
    ("", "ENAMETOOLONG"): "error long_key",
    ("", "EFBIG"): "error long_value",
}

# The differences that are meant. Compared: operation, what ETS says, what kreg says, as
# regular expressions. Where there are none, ets.escript does as kreg does, or no sequence has
# the case; what is said of it there names the row.
DIFFERENCES = [
    ("key", r".*", r"error empty_key", r"error EINVAL",
     "a key of kreg has 1 to 1024 bytes, and ETS takes terms of any size"),
    ("value", None, None, None, "the same of a value, which has up to 1 MiB"),
    ("what is told first", r".*", r"error (?:empty_key|long_key|long_value)",
     r"error (?:ENOENT|ESTALE)",
     "of a key or value that may not be and a table that is gone, kreg may tell either"),
    ("unknown access", r"access", r"error .*", r"error EOPNOTSUPP",
     "an unknown access rule is told of whatever the table"),
    ("empty list", r"insert_list|insert_new_list", r"error .*", r"true",
     "an empty batch of kreg does nothing and asks for no table"),
    ("empty prefix", None, None, None, "a filter of kreg takes no empty prefix"),
    ("present in a bag", None, None, None,
     "kreg_put_present() adds to what a key of a bag has; ETS has no update_element for bags"),
    ("replace in a bag", None, None, None,
     "nothing is replaced in a bag of kreg; ETS has select_replace for duplicate_bag, and if "
     "nothing matches for bag"),
    ("64 bits", None, None, None, "a counter of kreg has 64 bits and says when they do not do"),
    ("no order", r"last|prev|select|chunk", r".*", r"error EOPNOTSUPP",
     "a table of type set has no order to go backwards in; ETS goes forwards then"),
    ("next of what is absent", r"next|prev", r"error badarg", r"-",
     "a walk of kreg goes on from where a key was or would be, whether it is there or not"),
    ("dead heir", r"info", r"(\S+ \S+ \S+) dead (.*)", r"(\S+ \S+ \S+) - (.*)",
     "kreg says none of an heir that is dead; ETS says who it was"),
    ("pin", None, None, None,
     "a pin keeps a table readable as it was; ETS has safe_fixtable, and a list taken then"),
    ("reversed", None, None, None,
     "OTP 23 to 25.2 insert the list of a bag from its end on, which was mended later"),
    ("take of a fixed bag", None, None, None,
     "OTP 25 counts objects that were deleted before once more, and its size is too small then"),
    ("queue", None, None, None,
     "kreg has writes that are only queued; they are done in their order, as those of ETS are, "
     "and the line waits for them"),
    ("exchange", None, None, None,
     "ETS does not exchange names; where nobody looks meanwhile, three renames are the same"),
    ("name of what has none", None, None, None,
     "kreg gives a table without a name its first one; ETS does not make it a named table"),
]


def in_words_of_ets(op, result):
    kind, _, error = result.partition(" ")
    if kind == "error":
        return ERRORS.get((op, error)) or ERRORS.get(("", error)) or result
    if result.startswith("{"):
        return "{" + " ".join(sorted(result[1:-1].split())) + "}"
    return result


def difference(op, ets, kreg):
    """The row of the table that it is, or None."""
    for name, ops, by_ets, by_kreg, _ in DIFFERENCES:
        if not ops or not re.fullmatch(ops, op):
            continue
        one, other = re.fullmatch(by_ets, ets), re.fullmatch(by_kreg, kreg)
        if one and other and one.groups() == other.groups():
            return name
    return None


def same(line, ets, kreg, met=None):
    op = line.split()[1]
    if in_words_of_ets(op, ets) == in_words_of_ets(op, kreg):
        return True
    name = difference(op, ets, kreg)
    if name and met is not None:
        met[name] = met.get(name, 0) + 1
    return name is not None


def first_difference(lines, ets, kreg, met=None):
    """Index of the first line of which the results differ, or None."""
    for i, line in enumerate(lines):
        if i >= len(ets) or i >= len(kreg) or not same(line, ets[i], kreg[i], met):
            return i
    return None
