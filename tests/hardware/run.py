#!/usr/bin/env python3
"""Runs the scenarios on a hardware-style KVM: AMD's SVM as QEMU emulates it, with Debian's kernel and kvm-amd.

Nothing is installed: the kernel and busybox are downloaded once with apt-get, into a folder below the build
folder, and booted with the vmm that was built there. Scenarios with more vCPUs than --vcpus are named and left
out. docs/hardware-kvm.md says what was found there, and how the results are to be read.

Exit status: 0 all as expected (scenarios that this KVM cannot run are not a failure), 1 something differs,
2 the command line is wrong, 3 this host cannot run it, 4 the machine does not boot.
"""

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path

import batches
import image
import machine

ROOT = image.ROOT
EXPECTED = Path(__file__).resolve().with_name("expected.toml")
DIFFERS, HOST_CANNOT, BROKEN, INTERRUPTED = 1, 3, 4, 130
BOOT_S = 120
SCENARIO_S = 60  # as init.sh has it


def scenarios():
    return sorted(p.relative_to(ROOT / "configs").with_suffix("").as_posix() for p in (ROOT / "configs").rglob("*.toml"))


def expectations(path=EXPECTED):
    """What is expected of the scenarios that are not expected to pass, by their names."""
    return {e["scenario"]: e for e in tomllib.loads(path.read_text(encoding="utf-8")).get("expected", [])}


def vcpus_of(vmm, name, arguments):
    """How many vCPUs a scenario has, as the vmm reads it."""
    done = subprocess.run(
        [vmm, "check", f"configs/{name}.toml", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise image.CannotRun(f"`vmm check` refuses {name}:\n{done.stderr.strip()}")
    return tomllib.loads(done.stdout)["machine"]["vcpus"]


def command_line():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="the build folder (default: build)")
    parser.add_argument("--only", action="append", metavar="NAME", help="this scenario alone; may be repeated")
    parser.add_argument("--batch", type=int, default=12, metavar="N", help="scenarios in one boot (default: 12)")
    parser.add_argument("--vcpus", type=int, default=16, metavar="N", help="leave out larger ones (default: 16)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as vmm suite has it")
    parser.add_argument("--list", action="store_true", help="name the scenarios, and end")
    arguments = parser.parse_args()
    if arguments.batch < 1 or arguments.vcpus < 1:
        parser.error("--batch and --vcpus are 1 or more")
    known = scenarios()
    for name in arguments.only or []:
        if name not in known:
            parser.error(f"there is no scenario {name}; --list names them")
    arguments.names = sorted(set(arguments.only or known))
    arguments.arguments = [word for setting in arguments.set for word in ("--set", setting)]
    return arguments


def chosen(arguments):
    """The names of those that fit, and of those that are too large with their size."""
    vmm = (arguments.build / "bin/vmm").resolve()
    if not vmm.exists():
        raise image.CannotRun(f"{vmm} is not there: build it first, with `./run configs/one.toml`")
    sizes = {name: vcpus_of(vmm, name, arguments.arguments) for name in arguments.names}
    fits = [name for name, vcpus in sizes.items() if vcpus <= arguments.vcpus]
    return fits, {name: vcpus for name, vcpus in sizes.items() if vcpus > arguments.vcpus}


def tell_of(name, result):
    print(f"{result.verdict:<12} {name}{': ' if result.reason else ''}{result.reason}", flush=True)


def run(arguments, names):
    """The results by name."""
    if missing := image.missing_packages():
        raise image.CannotRun(f"missing packages: {' '.join(missing)}")
    cache = arguments.build / "hardware-kvm"
    image.fetch(cache)
    base = image.base_image(cache, arguments.build)

    def boot(batch):
        print(f"-- booting for {len(batch)}", flush=True)
        bound = BOOT_S + SCENARIO_S * len(batch)
        initrd = base + image.batch_image(batch, arguments.arguments)
        return machine.boot(cache / "vmlinuz", initrd, cache / "console.log", bound)

    return batches.run_all(names, arguments.batch, boot, tell_of)


def sum_up(results, large, expected):
    """Prints the table, with what differs; returns whether nothing does."""
    print("\nresults")
    for verdict, meaning in batches.NAMES.items():
        named = sorted(name for name, result in results.items() if result.verdict == verdict)
        if named:
            print(f"{len(named):>4} {verdict} ({meaning}): {', '.join(named)}")
    for name in sorted(name for name, result in results.items() if result.verdict == "late"):
        print(f"late: {name}: {results[name].reason}")
    for reason in sorted({result.reason for result in results.values() if result.verdict == "unsupported"}):
        print(f"unsupported: {reason}")
    if large:
        print(f"{len(large):>4} left out, too large: {', '.join(f'{n} ({v})' for n, v in large.items())}")
    for name in sorted(results.keys() & expected.keys()):
        print(f"known: {name}: {' or '.join(expected[name]['verdicts'])}: {expected[name]['reason']}")
    differ = list(batches.differences(results, expected))
    print("".join(f"differs: {line}\n" for line in differ), end="")
    print(f"{len(results)} scenarios run, {len(differ)} not as expected")
    return not differ


def main():
    arguments = command_line()
    expected = expectations()
    try:
        names, large = chosen(arguments)
        if arguments.list:
            print("\n".join(names + [f"{name} (left out: {vcpus} vCPUs)" for name, vcpus in large.items()]))
            return 0
        return 0 if sum_up(run(arguments, names), large, expected) else DIFFERS
    except image.CannotRun as error:
        print(error, file=sys.stderr)
        return HOST_CANNOT
    except RuntimeError as error:
        log = arguments.build / "hardware-kvm/console.log"
        print(f"{error}; the console said, in {log}:", file=sys.stderr)
        print("\n".join(log.read_text(errors="replace").splitlines()[-10:]), file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
