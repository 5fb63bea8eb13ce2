# SPDX-License-Identifier: GPL-2.0
"""The shortest part of a sequence of which the results still differ."""

from compare import first_difference

# So many candidates go into one guest.
AT_ONCE = 64


def groups_by(lines, word):
    """Indexes of the lines with the same word at that place."""
    groups = {}
    for i, line in enumerate(lines):
        groups.setdefault((line.split() + ["", ""])[word], []).append(i)
    return list(groups.values())


def chunks(lines, size):
    return [range(at, min(at + size, len(lines))) for at in range(0, len(lines), size)]


def without(lines, groups):
    gone = {i for group in groups for i in group}
    return [line for i, line in enumerate(lines) if i not in gone]


class Shrinker:
    def __init__(self, ets, kreg, say):
        self.ets, self.kreg, self.say = ets, kreg, say

    def failing(self, candidates):
        """For each candidate its part up to the first difference, or None."""
        found = []
        for at in range(0, len(candidates), AT_ONCE):
            part = candidates[at:at + AT_ONCE]
            for lines, ets, kreg in zip(part, self.ets.play(part), self.kreg.play(part)):
                i = first_difference(lines, ets, kreg)
                found.append(None if i is None else lines[:i + 1])
        return found

    def leave_out(self, lines, groups):
        """Groups of lines that can go one by one, and of these as many at once as can."""
        results = self.failing([without(lines, [group]) for group in groups])
        free = sorted((group for group, result in zip(groups, results) if result), key=len,
                      reverse=True)
        results += self.failing([without(lines, free[:n]) for n in range(2, len(free) + 1)])
        best = min((result for result in results if result), key=len, default=lines)
        if len(best) < len(lines):
            self.say(f"shrunk to {len(best)} lines")
        return best

    def shrink(self, lines):
        """By operation and by table first, then by ever smaller pieces."""
        for word in (1, 2):
            lines = self.leave_out(lines, groups_by(lines, word))
        size = max(len(lines) // 24, 1)
        while len(lines) > 1:
            fewer = self.leave_out(lines, chunks(lines, size))
            if size == 1 and len(fewer) == len(lines):
                break
            size = max(min(size // 4, len(fewer) // 24), 1)
            lines = fewer
        return lines
