#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sum up gcov's JSON (one document a line, on stdin) over the files of kmod/.

    coverage.py GOAL MISSED

Prints lines and branches by file, writes the lines nobody reached to the file
MISSED; the status is 1 if less than GOAL percent of all lines were reached.
"""
import collections
import json
import os
import sys


def read(stream):
    """Counts by file and line: a line of a header is in many documents."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    taken = collections.defaultdict(dict)
    for document in filter(str.strip, stream):
        for source in json.loads(document)["files"]:
            name = source["file"]
            if "/kmod/" not in os.path.abspath(name):
                continue
            name = os.path.basename(name)
            for line in source["lines"]:
                number = line["line_number"]
                lines[name][number] += line["count"]
                if not line["branches"]:
                    continue
                old = taken[name].get(number, [])
                new = [branch["count"] for branch in line["branches"]]
                size = max(len(old), len(new))
                old += [0] * (size - len(old))
                new += [0] * (size - len(new))
                taken[name][number] = [a + b for a, b in zip(old, new)]
    return lines, taken


def share(part, whole):
    return f"{part:6} of {whole:5} {100 * part / whole if whole else 100:6.1f} %"


def ranges(numbers):
    """1,2,3,7 as 1-3 7"""
    spans = []
    for n in sorted(numbers):
        if spans and n == spans[-1][1] + 1:
            spans[-1][1] = n
        else:
            spans.append([n, n])
    return " ".join(f"{a}-{b}" if a != b else str(a) for a, b in spans)


def main():
    goal, missed = float(sys.argv[1]), sys.argv[2]
    lines, taken = read(sys.stdin)
    total = [0, 0, 0, 0]
    print(f"{'file':16} {'lines':>22}   {'branches':>22}")
    with open(missed, "w", encoding="utf-8") as out:
        for name in sorted(lines):
            hit = sum(1 for count in lines[name].values() if count)
            branches = [c for counts in taken[name].values() for c in counts]
            row = (hit, len(lines[name]), sum(map(bool, branches)), len(branches))
            total = [a + b for a, b in zip(total, row)]
            print(f"{name:16} {share(*row[:2])}   {share(*row[2:])}")
            rest = [n for n, count in lines[name].items() if not count]
            if rest:
                print(f"{name}: {ranges(rest)}", file=out)
    print(f"{'all':16} {share(*total[:2])}   {share(*total[2:])}")
    if not total[1]:
        sys.exit("nothing was measured")
    sys.exit(100 * total[0] / total[1] < goal)


main()
