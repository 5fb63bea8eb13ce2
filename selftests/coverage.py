#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sum up gcov's JSON (one document a line, on stdin) over the files of kmod/.

    coverage.py GOAL REASONS MISSED

Prints lines and branches by file, then the lines that were not reached, by function, each
with the reason from the file REASONS ("FILE FUNCTION reason", or "FILE * reason"); these
go to the file MISSED too. The status is 1 if less than GOAL percent of all lines were
reached.
"""
import collections
import json
import os
import sys


def read(stream):
    """Sum up counts by file and line; lines of headers are in many documents."""
    functions = collections.defaultdict(dict)
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    taken = collections.defaultdict(dict)
    for document in filter(str.strip, stream):
        for source in json.loads(document)["files"]:
            name = source["file"]
            if "/kmod/" not in os.path.abspath(name):
                continue
            name = os.path.basename(name)
            for function in source["functions"]:
                functions[name][function["name"]] = (function["start_line"],
                                                     function["end_line"])
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
    return lines, taken, functions


def read_reasons(path):
    reasons = {}
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            if line.strip() and not line.startswith("#"):
                name, function, reason = line.split(None, 2)
                reasons[name, function] = reason.strip()
    return reasons


def by_function(missed, functions):
    """Missed lines of one file, as lists by function."""
    found = collections.defaultdict(list)
    for n in missed:
        owners = [f for f, (start, end) in functions.items() if start <= n <= end]
        found[owners[0] if owners else "-"].append(n)
    return found


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


def missed_lines(lines, functions, reasons):
    """A line of text for each function that was not reached as a whole."""
    for name in sorted(lines):
        rest = sorted(n for n, count in lines[name].items() if not count)
        for function, numbers in by_function(rest, functions[name]).items():
            reason = (reasons.get((name, function)) or reasons.get((name, "*")) or
                      "NO REASON GIVEN")
            yield f"{name:14} {function:24} {ranges(numbers):12} {reason}"


def table(lines, taken):
    """Prints a line a file; returns the percentage of all lines."""
    total = [0, 0, 0, 0]
    print(f"{'file':16} {'lines':>22}   {'branches':>22}")
    for name in sorted(lines):
        hit = sum(1 for count in lines[name].values() if count)
        branches = [c for counts in taken[name].values() for c in counts]
        row = (hit, len(lines[name]), sum(map(bool, branches)), len(branches))
        total = [a + b for a, b in zip(total, row)]
        print(f"{name:16} {share(*row[:2])}   {share(*row[2:])}")
    print(f"{'all':16} {share(*total[:2])}   {share(*total[2:])}")
    return 100 * total[0] / total[1] if total[1] else 0


def main():
    goal, reasons, path = float(sys.argv[1]), sys.argv[2], sys.argv[3]
    lines, taken, functions = read(sys.stdin)
    reached = table(lines, taken)
    text = "\n".join(missed_lines(lines, functions, read_reasons(reasons)))
    print(f"\nnot reached:\n{text}")
    with open(path, "w", encoding="utf-8") as out:
        print(text, file=out)
    sys.exit(reached < goal)


main()
