"""Tests the tests: applies one-line mutations to copies of core and expects a named test to go red.

  mutate.py [--sample N --seed S] [--only ID]   run them; fails when one survives
  mutate.py --check                             only: does the data fit the code, is the table current
  mutate.py --table                             only: write docs/mutations.md

A test is compiled as the build tree compiles it. A test that hangs, crashes or fails is red; a
mutation that does not compile has not been caught, unless by "compiler". What was found once is
remembered in the build tree until core, the test or the mutation changes.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mutation_data as data

HERE = Path(__file__).resolve().parent
COMPILE_S = 300
GREEN_S = 240
LIBRARIES = ["-lgtest_main", "-lgmock", "-lgtest", "-pthread"]


class Workshop:
    """Copies of what the tests are made of, and what has been found out with them before."""

    def __init__(self, root, build, remember):
        self.root, self.build = root, build
        self.memory = build / "mutations-seen.json"
        self.remember = remember
        self.seen = json.loads(self.memory.read_text()) if remember and self.memory.exists() else {}
        commands = build / "compile_commands.json"
        self.commands = {
            Path(entry["file"]): shlex.split(entry["command"])
            for entry in (json.loads(commands.read_text()) if commands.exists() else [])
        }
        digest = hashlib.sha256()
        for top in ("core", "tests/model", "tests/unit"):
            for path in sorted((root / top).rglob("*.[chS]*")):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
        self.digest = digest.hexdigest()

    def command(self, copy, test, sanitize, program):
        """How to build a test from the copy, in one go."""
        if test == data.COMPILER:
            headers = sorted(p.relative_to(copy) for p in (copy / "core").rglob("*.hpp"))
            unit = copy / "every_header.cpp"
            unit.write_text("".join(f'#include "{h}"\n' for h in headers) + "int main() {}\n")
            return ["g++", "-std=c++20", f"-I{copy}", str(unit), "-o", str(program)]
        source = data.test_source(self.root, test)
        words = self.commands.get(source, ["g++", "-std=c++20", "-O1", f"-I{self.root}", str(source)])
        command, skip = [], 0
        for word in words:
            if skip or word in ("-c", "-MD", "-MMD", "-g", "-Winvalid-pch"):
                skip = max(skip - 1, 0)
            elif word in ("-o", "-MF", "-MT"):
                skip = 1
            elif str(self.build) in word:
                command.append(word)
            else:
                command.append(word.replace(str(self.root), str(copy)))
        if sanitize:
            command.append(f"-fsanitize={sanitize}")
        return [*command, "-o", str(program), *LIBRARIES]

    def outcome(self, mutation, test, args, sanitize, limit):
        """('green' | 'red' | 'does not compile', output, seconds) of a test with a mutation, or with none."""
        what = [self.digest, repr(mutation), test, *args, sanitize]
        key = hashlib.sha256("\0".join(what).encode()).hexdigest()
        if key in self.seen:
            return tuple(self.seen[key])
        with tempfile.TemporaryDirectory(prefix="reveille-mutation-") as folder:
            copy = Path(folder)
            for top in ("core", "tests"):
                shutil.copytree(self.root / top, copy / top)
            if mutation:
                path = copy / mutation.file
                path.write_text(mutation.apply(path.read_text(encoding="utf-8")), encoding="utf-8")
            found = self.try_out(copy, test, args, sanitize, limit)
        self.seen[key] = found
        return found

    def try_out(self, copy, test, args, sanitize, limit):
        program = copy / "test-program"
        built = run(self.command(copy, test, sanitize, program), COMPILE_S)
        if built is None or built[0] != 0:
            return ("does not compile", built[1] if built else "the compiler hangs", 0.0)
        if test == data.COMPILER:
            return ("green", "", 0.0)
        began = time.monotonic()
        done = run([*aslr_off(sanitize), str(program), *args], limit)
        took = time.monotonic() - began
        if done is None:
            return ("red", f"hangs: not done after {limit:.0f} s", took)
        return ("green" if done[0] == 0 else "red", done[1], took)

    def save(self):
        if self.remember:
            self.memory.write_text(json.dumps(self.seen))


def aslr_off(sanitize):
    """gcc 12's ThreadSanitizer cannot start where the kernel randomises more than it knows."""
    if sanitize != "thread" or subprocess.run(["setarch", "-R", "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        return []
    return ["setarch", "-R"]


def run(command, limit):
    """(status, output), or None when the time was up. Whatever it started ends with it."""
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        ) as process:
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        output.seek(0)
        text = output.read()[-20000:].decode(errors="replace")
    return None if status is None else (status, text)


def green_first(shop, pool, mutations):
    """Runs every test without a mutation: {test: seconds}, and what was wrong."""
    tests = sorted({(m.caught_by, m.args, m.sanitize) for m in mutations})
    found = pool.map(lambda t: shop.outcome(None, *t, GREEN_S), tests)
    seconds, wrong = {}, []
    for test, (colour, output, took) in zip(tests, found):
        seconds[test] = took
        if colour != "green":
            wrong.append(f"{test[0]} {' '.join(test[1])} is {colour} without any mutation:\n{output}")
    return seconds, wrong


def try_all(shop, mutations, jobs, patience):
    """Tries the mutations, a line each; the counts of passed and failed."""
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        seconds, wrong = green_first(shop, pool, mutations)
        if wrong:
            print("\n".join(wrong))
            return 0, len(wrong)

        def one(m):
            test = (m.caught_by, m.args, m.sanitize)
            return shop.outcome(m, *test, limit=patience + 5 * seconds[test])

        for m, (colour, output, took) in zip(mutations, pool.map(one, mutations)):
            caught = colour == ("does not compile" if m.caught_by == data.COMPILER else "red")
            passed, failed = passed + caught, failed + (not caught)
            print(f"{'caught' if caught else 'SURVIVED'}  {m.id}, by {m.caught_by} ({took:.1f} s)", flush=True)
            if not caught:
                print(f"  {m.file}: {m.find}  ->  {m.replace}\n  the test: {colour}\n{output}")
    return passed, failed


def problems(root, mutations, exempt):
    """What --check finds."""
    if not mutations:
        return
    found = list(data.check(root, mutations, exempt))
    yield from found
    page = root / "docs/mutations.md"
    if not found and (not page.exists() or page.read_text() != data.table(root, mutations)):
        yield "docs/mutations.md is not current: run tests/mutations/mutate.py --table"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=HERE.parents[1])
    parser.add_argument("--data", type=Path, help="default: tests/mutations/mutations.toml")
    parser.add_argument("--build", type=Path, help="the configured build tree; default: build")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--sample", type=int, metavar="N")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--only", metavar="ID", action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=20, metavar="S",
                        help="a test hangs after this, and five times what it takes without a mutation")
    parser.add_argument("--no-cache", action="store_true", help="remember nothing, try everything")
    parser.add_argument("--tally", type=Path, metavar="FILE", help="write passed, failed and skipped there")
    return parser.parse_args()


def chosen(options, mutations):
    if options.only:
        return [m for m in mutations if m.id in options.only]
    if options.sample is None or options.sample >= len(mutations):
        return mutations
    return random.Random(options.seed).sample(mutations, options.sample)


def main():
    options = arguments()
    root = options.root.resolve()
    try:
        mutations, exempt = data.load(options.data or root / "tests/mutations/mutations.toml")
        if options.table:
            (root / "docs/mutations.md").write_text(data.table(root, mutations))
            return 0
        if wrong := list(problems(root, mutations, exempt)):
            print("\n".join(wrong))
            return 1
    except data.DataError as wrong:
        print(wrong)
        return 1
    if options.check:
        return 0
    shop = Workshop(root, (options.build or root / "build").resolve(), not options.no_cache)
    try:
        passed, failed = try_all(shop, chosen(options, mutations), options.jobs, options.limit)
    finally:
        shop.save()
    print(f"{passed} caught, {failed} not, of {len(mutations)} in all")
    if options.tally:
        options.tally.write_text(f"{passed} {failed} {int(not mutations)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
