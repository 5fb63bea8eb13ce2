# SPDX-License-Identifier: GPL-2.0
"""Results of the benchmarks: from lines of the programs to medians."""

import json
import statistics


class Results:
    """Medians by (system, op, objects, clock), in the order of measurement."""

    def __init__(self):
        self.rows = {}
        self.smallest = {}      # of the rounds, in each guest
        self.notes = []

    def read(self, path, clock):
        """Take in the output of one guest whose clock this was."""
        values, nulls, units = {}, {}, {}
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                word = line.split()
                if word[:1] == ["note"]:
                    self.notes.append(" ".join(word[1:]))
                if word[:1] != ["result"] or len(word) != 7:
                    continue
                key = (word[1], word[2], int(word[3]), clock)
                units[key] = word[4]
                values.setdefault(key, []).append(float(word[5]))
                if float(word[6]):
                    nulls.setdefault(key, []).append(float(word[6]))
        every = [null for list_ in nulls.values() for null in list_]
        usual = statistics.median(every) if every else None
        for key, list_ in values.items():
            self.smallest.setdefault(key, []).append(min(list_))
            own = clock == "wall" and key in nulls
            self.add(key, statistics.median(list_), units[key],
                     statistics.median(nulls[key]) if own else usual)

    def add(self, key, value, unit, null):
        time = unit in ("ns", "instructions")
        self.rows[key] = {
            "system": key[0], "op": key[1], "objects": key[2], "clock": key[3],
            "value": round(value, 2), "unit": unit,
            "ratio_to_null": round(value / null, 3) if time and null else None,
        }

    def value(self, system, op, objects, clock="counted"):
        row = self.rows.get((system, op, objects, clock))
        return row["value"] if row else None

    def ratio(self, system, op, objects, clock="counted"):
        row = self.rows.get((system, op, objects, clock))
        return row["ratio_to_null"] if row else None

    def save(self, path):
        with open(path, "w", encoding="utf-8") as out:
            rows = [json.dumps(row) for row in self.rows.values()]
            out.write("[\n" + ",\n".join(rows) + "\n]\n")

    def load(self, path):
        with open(path, encoding="utf-8") as lines:
            for row in json.load(lines):
                key = tuple(row[k] for k in ("system", "op", "objects", "clock"))
                self.rows[key] = row
        return self
