"""Linux's bring-up beside this guest's, under the same QEMU."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import markdown
import qemu
import stamped
import stats
from errors import BenchError

sys.path.append(str(Path(__file__).resolve().parents[2] / "hardware"))
import image  # noqa: E402 Debian's kernel, downloaded and not installed

NAME = "linux"
TITLE = "Linux's bring-up beside this guest's"
ORDER = 40
SECONDS = 135
QUICK_SECONDS = 45

# The first that apt knows: Debian has 6.12 for bookworm in its security archive and in backports.
KERNELS = ("linux-image-6.12-cloud-amd64", "linux-image-cloud-amd64")
MACHINE, ACCEL, CPUS = "q35", "tcg", 32
LINUX_WAYS = {"Linux, cpuhp.parallel=1": 1, "Linux, cpuhp.parallel=0": 0}
GUEST_WAYS = {f"this guest, {strategy}": strategy for strategy in ("parallel", "split", "serial")}
WANTED = 20  # times
PATIENCE = 300  # s
TURNS, RUNS_OF_GUEST = 3, 7  # runs of the guest in one turn: they are short
BEGINS, ENDS = "smp: Bringing up secondary CPUs", "smp: Brought up"
GUEST_BEGINS, GUEST_ENDS = "reveille: cpus=", "reveille: decided"


def kernel_package():
    for name in KERNELS:
        try:
            return image.kernel_package(name)
        except image.CannotRun as error:
            last = error
    raise BenchError(str(last))


def fetched(folder):
    """The path of Debian's kernel: downloaded into the folder, unless it is there."""
    package = kernel_package()
    kernel = folder / package
    if not kernel.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                root = image.unpacked(package, scratch)
                shutil.move(image.only(root.glob("boot/vmlinuz-*"), "kernel"), kernel)
        except image.CannotRun as error:
            raise BenchError(str(error)) from error
    return kernel


def linux_times(done):
    """What a boot of Linux took to bring its CPUs up: as seen from outside, and by its own clock. Milliseconds."""
    up = re.search(r"Brought up \d+ nodes?, (\d+) CPUs", done.err)
    if not up or int(up[1]) != CPUS:
        raise BenchError(f"Linux has not brought {CPUS} CPUs up: {done.err[-2000:]}")
    own = [float(re.search(rf"\[ *([\d.]+)\] {text}", done.err)[1]) for text in (BEGINS, ENDS)]
    return {"bringup_ms": (done.when(ENDS) - done.when(BEGINS)) * 1e3, "own_ms": (own[1] - own[0]) * 1e3}


def linux_once(context, kernel, parallel):
    words = ["console=ttyS0", "panic=-1", f"cpuhp.parallel={parallel}"]
    command = qemu.boot.command(kernel, MACHINE, ACCEL, str(CPUS), words)
    return [linux_times(stamped.run(context, command, PATIENCE, until=ENDS))]


def guest_once(context, strategy):
    done = qemu.run_guest(context, MACHINE, ACCEL, CPUS, PATIENCE, f"strategy={strategy}")
    return {
        "bringup_ms": (done.when(GUEST_ENDS) - done.when(GUEST_BEGINS)) * 1e3,
        "own_ms": qemu.field(done, "online=", "bringup_us") / 1e3,
    }


def measure(context):
    if reason := qemu.missing(ACCEL):
        raise BenchError(reason)
    kernel = fetched(context.build / "linux")
    context.say(f"{kernel.name}, {CPUS} CPUs")
    ways = {
        way: lambda parallel=parallel: linux_once(context, kernel, parallel) for way, parallel in LINUX_WAYS.items()
    }
    for way, strategy in GUEST_WAYS.items():
        ways[way] = lambda strategy=strategy: [guest_once(context, strategy) for _ in range(RUNS_OF_GUEST)]
    taken = stats.interleave(1 if context.quick else TURNS, ways)
    rows = []
    for way, turns in taken.items():
        runs = [run for turn in turns for run in turn]
        rows.append({"way": way, **{key: stats.summary(run[key] for run in runs) for key in runs[0]}})
    return {"kernel": kernel.name, "qemu": qemu.version(), "cpus": CPUS, "rows": rows}


def medians(result, ways):
    return {row["way"]: row["bringup_ms"]["median"] for row in result["rows"] if row["way"] in ways}


def targets(result):
    linux, guest = medians(result, LINUX_WAYS), medians(result, GUEST_WAYS)
    best = min(linux.values())
    rows = []
    for strategy in ("parallel", "split"):
        times = best / guest[f"this guest, {strategy}"]
        rows.append((
            f"{strategy} is {WANTED} times quicker than the quicker way of Linux", times >= WANTED,
            f"{markdown.number(times)} times",
        ))  # fmt: skip
    parallel, serial = guest["this guest, parallel"], guest["this guest, serial"]
    both = f"{markdown.number(parallel)} ms, {markdown.number(serial)} ms"
    of_linux = ", ".join(f"{markdown.number(linux[way])} ms" for way in LINUX_WAYS)
    rows.append(("parallel is not slower than serial", parallel <= serial, f"{both}; in Linux {of_linux}"))
    return rows


def report(result):
    rows = [
        [row["way"], markdown.spread(row["bringup_ms"]), markdown.spread(row["own_ms"]), len(row["own_ms"]["values"])]
        for row in result["rows"]
    ]
    table = markdown.table(["", "seen from outside", "by its own clock", "runs"], rows)
    return (
        f"Debian's `{result['kernel']}` and `guest.elf` under QEMU {result['qemu']}, `-M {MACHINE} -accel {ACCEL} -smp"
        f" {result['cpus']}`, by turns. Milliseconds, median (lowest to highest).\n\n"
        f"{table}\n"
        '- From outside: between the first bytes of Linux\'s lines "Bringing up secondary CPUs" and "Brought up", and'
        " of the guest's lines before the first kick and after the last CPU is active. The targets are of these.\n"
        "- Linux's own clock, in front of each line of its log, runs behind where QEMU cannot give each virtual CPU its"
        " time and timer ticks are lost; the guest's is the TSC.\n"
        "- What Linux does for a CPU is far more than what this guest does; what is to be compared is what waiting"
        " costs: its APs and its control CPU spin, here all halt.\n"
    )
