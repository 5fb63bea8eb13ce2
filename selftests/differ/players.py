# SPDX-License-Identifier: GPL-2.0
"""What plays sequences: Debian's Erlang here, and libkreg in a guest."""

import gzip
import os
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("KREG_CACHE", os.path.join(TOP, ".cache"))


# What is said of a player that timeout(1) has ended.
TOO_LATE = ("! 124", "! 143")


class Failed(Exception):
    pass


def write(folder, sequences):
    paths = []
    for i, lines in enumerate(sequences):
        paths.append(os.path.join(folder, f"{i:05}"))
        with open(paths[-1], "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
    return paths


def run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          **options)
    if done.returncode:
        said = (done.stderr + done.stdout[-2000:]).decode(errors="replace")
        raise Failed(f"{command[0]}: status {done.returncode}\n{said}")
    return done.stdout


class Ets:
    """Erlang as its packages have it, from the cache, without anything installed."""

    def play(self, sequences):
        root = os.path.join(CACHE, "peers/usr/lib/erlang")
        binaries = next(os.path.join(root, name, "bin") for name in os.listdir(root)
                        if name.startswith("erts-"))
        environment = dict(os.environ, ROOTDIR=root, BINDIR=binaries, EMU="beam", PROGNAME="erl")
        with tempfile.TemporaryDirectory() as folder:
            paths = write(folder, sequences)
            run([os.path.join(binaries, "erlexec"), "-noinput", "-boot", "no_dot_erlang",
                 "-run", "escript", "start", "-extra", os.path.join(HERE, "ets.escript"), *paths],
                env=environment)
            results = []
            for path in paths:
                with open(path + ".ets", encoding="ascii") as file:
                    results.append(file.read().splitlines())
            return results


class Kreg:
    """A guest for all sequences. The module's parameter lend: as it says, or by turns."""

    SCRIPT = """
        for file in /differ/*; do
            echo "= ${{file##*/}}"
            echo {lend} >/sys/module/kreg/parameters/lend
            timeout {limit} /root/ets_player $file || echo "! $?"
        done 2>&1 | gzip -1"""

    def __init__(self, kernel, player):
        self.kernel, self.player, self.lend = kernel, player, None

    def play(self, sequences):
        # An emulated processor does hundreds of lines a second, if it is not the last in line.
        limit = 60 + max(len(lines) for lines in sequences) // 5
        total = 120 + 60 * len(sequences) + sum(len(lines) for lines in sequences) // 5
        script = self.SCRIPT.format(lend="$((lend = !lend))" if self.lend is None else self.lend,
                                    limit=limit)
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "differ"))
            write(os.path.join(folder, "differ"), sequences)
            packed = run([os.path.join(TOP, "selftests/vm/run"), "-k", self.kernel, "-t", str(total),
                          "-m", "1G", "-f", self.player, "-o", folder, script])
        results = []
        for line in gzip.decompress(packed).decode("ascii").splitlines():
            if line.startswith("= "):
                results.append([])
            elif line in TOO_LATE:
                done = len(results[-1])
                raise Failed(f"a sequence was not done after {limit} s, at line {done + 1}: "
                             f"{sequences[len(results) - 1][done:done + 1]}")
            else:
                results[-1].append(line)
        if len(results) != len(sequences):
            raise Failed(f"the guest has played {len(results)} of {len(sequences)} sequences")
        return results
