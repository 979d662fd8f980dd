"""./bench: measures the cases, keeps the numbers as JSON, and makes docs/benchmarks.md of them.

cases/        a module for each case, by the protocol in cases/__init__.py
context.py    what a case measures with: bounded, checked runs of the vmm and of other programs
stamped.py    runs that are timed from outside, by the lines that they write; qemu.py is the guest under QEMU
copies.py     copies of the tree with a patch, of those in without/, built to be measured beside it
stats.py      repeats, side by side and within a time; medians and spread
results.py    the JSON, in which each case has its part
page.py       the page between its markers; machine.py, markdown.py and plot.py are what it is made of
programs/     what has to be native to be fair; each says on top what it does. Of use by itself:
              build/bin/bringup_cost --vcpus 255, what one bring-up took in time, exits, instructions and memory
test_*.py     the tests of all this, which ./test runs; testing.py is what they share
"""

import argparse
import datetime
import signal
import subprocess
import sys
import time
from pathlib import Path

import cases
import machine
import page
import results
from context import Context
from errors import BenchError

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/benchmarks.md"


def say(line):
    print(line, file=sys.stderr, flush=True)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./bench", description="Measures the lab. Without CASE: all cases.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="what to measure; --list names them")
    parser.add_argument("--list", action="store_true", help="the cases, and about how long they take")
    parser.add_argument("--quick", action="store_true", help="two minutes: fewer repeats, smaller sizes; never goes to the page")
    parser.add_argument("--json", metavar="FILE", help="where the numbers go, into what is there: build-bench/bench.json")
    parser.add_argument("--from", metavar="FILE", dest="source", help="measures nothing: makes the page from this JSON")
    parser.add_argument("--no-docs", action="store_true", help="leaves docs/benchmarks.md alone")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--build", metavar="DIR", default=ROOT / "build-bench", help=argparse.SUPPRESS)
    return parser, parser.parse_args(arguments)


def revision():
    """The commit, with a + when files differ from it."""
    git = ["git", "-c", "safe.directory=*", "-C", ROOT]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=False)
    return (head.stdout.strip() or "unknown") + ("+" if changed.stdout.strip() else "")


def measure(case, context, host, save):
    """The part of one case. What goes wrong in it is told, and kept in place of a number. `save` takes the case's name
    and its part, whenever there is more of it."""
    say(f"== {case.NAME}: {case.TITLE}")
    part = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "quick": context.quick,
        "revision": revision(),
        "machine": host,
    }
    began = time.monotonic()

    def keep(**found):
        part.pop("error", None)
        part.update(found, seconds=round(time.monotonic() - began, 1))
        save(case.NAME, part)

    context.keep = lambda result: keep(result=result, error="it was ended")
    try:
        keep(result=case.measure(context))
    except BenchError as error:
        keep(error=str(error))
        say(f"   ERROR: {error}")
    return part


def tell_targets(case, part):
    if "result" in part:
        for text, met, value in case.targets(part["result"]):
            word = {True: "met", False: "NOT MET", None: "not measured"}[met]
            say(f"   {word}: {text}: {value}")


def default_json(options):
    """Hasty numbers are never mixed with the others."""
    return Path(options.build) / ("bench-quick.json" if options.quick else "bench.json")


def seconds(case, options):
    """About how long a case takes."""
    return case.QUICK_SECONDS if options.quick else case.SECONDS


def measure_all(options, chosen, path):
    """Measures, and keeps what is measured as it goes. Returns the document and whether all went well."""
    minutes = sum(seconds(case, options) for case in chosen) / 60
    say(f"{len(chosen)} case{'s' * (len(chosen) > 1)}: about {minutes:.1f} minutes on two idle cores")
    context = Context(ROOT, options.build, options.quick, lambda line: say(f"   {line}"))
    host = machine.describe(context.vmm)
    document = results.load(path)

    def save(name, part):
        nonlocal document
        document = results.merge(document, {name: part})
        results.save(path, document)

    fine = True
    try:
        for case in chosen:
            part = measure(case, context, host, save)
            tell_targets(case, part)
            fine = fine and "error" not in part
    finally:  # interrupted, too
        say(f"the numbers are in {path}")
    return document, fine


def usage_mistake(options, known, path):
    """What is wrong with the command line, in words; None when nothing is. `path`: of the numbers."""
    unknown = [name for name in options.cases if name not in known]
    if unknown:
        return f"there is no case {', '.join(unknown)}; there are {', '.join(known)}"
    if options.source and (options.cases or options.quick or options.json or options.no_docs):
        return "--from measures nothing, and takes nothing beside it"
    if options.source and not path.is_file():
        return f"there is no file {path}"
    try:
        results.load(path)
    except (OSError, ValueError) as error:
        return str(error)
    return None


def main(arguments):
    parser, options = parse(arguments)
    known = cases.all_cases()
    if options.list:
        for case in known.values():
            print(f"{case.NAME:<16} {seconds(case, options):>4} s  {case.TITLE}")
        return 0
    path = Path(options.source or options.json or default_json(options))
    if wrong := usage_mistake(options, known, path):
        parser.error(wrong)
    if options.check:  # the command line alone: ./bench asks before it builds
        return 0
    if options.source:
        document, fine = results.load(path), True
    else:
        chosen = [case for name, case in known.items() if not options.cases or name in options.cases]
        document, fine = measure_all(options, chosen, path)
    if not options.no_docs and not options.quick:
        page.update(PAGE, document, known)
        say(f"the page is {PAGE.relative_to(ROOT)}")
    return 0 if fine else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
