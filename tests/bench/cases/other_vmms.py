"""The same guest under QEMU: how long from the start of the process until the last CPU is active, and to its end."""

import json
import tempfile
from pathlib import Path

import context as runs
import markdown
import qemu
import stamped
import stats
from errors import BenchError

NAME = "other-vmms"
TITLE = "The same guest under QEMU"
ORDER = 30
SECONDS = 135
QUICK_SECONDS = 15

SIZES = (8, 64, 255)
QUICK_SIZES = (8,)
# QEMU's machine and accelerator, by what the way is called.
WAYS = {
    "vmm": None,
    "microvm, kvm": ("microvm", "kvm"),
    "microvm, tcg": ("microvm", "tcg"),
    "q35, kvm": ("q35", "kvm"),
    "q35, tcg": ("q35", "tcg"),
}
# How many times sooner the vmm is to be there, and with how many CPUs.
WANTED = (("microvm, kvm", 5, (8, 64)), ("q35, kvm", 30, (8, 64)))
TIMES = ("active_ms", "exit_ms", "bringup_ms", "before_ms")
REPEATS = {8: 7, 64: 7, 255: 4}  # what takes longest, q35 on kvm, takes 4, 4 and 8 s
PATIENCE = 120  # s
DECIDED = "every CPU is decided"  # says the vmm's log
SAYS_DECIDED = "reveille: decided"  # says the guest where there is no vmm


def vmm_once(context, vcpus):
    """One run of the vmm, with its log told to say when the last CPU is up."""
    with tempfile.TemporaryDirectory(prefix="reveille-bench-") as folder:
        scenario, document = Path(folder, "scenario.toml"), Path(folder, "result.json")
        scenario.write_text(f"[machine]\nvcpus = {vcpus}\n")
        command = [context.vmm, "run", scenario, "--json", document, "--log-level", "debug"]
        done = stamped.run(context, command, PATIENCE)
        result = json.loads(document.read_text()) if document.is_file() else None
    runs.check_run(done, result)
    return {
        "active_ms": done.when(DECIDED) * 1e3,
        "exit_ms": done.seconds * 1e3,
        "bringup_ms": result["bringup_us"] / 1e3,
    }


def qemu_once(context, way, vcpus):
    done = qemu.run_guest(context, *WAYS[way], vcpus, PATIENCE)
    return {
        "active_ms": done.when(SAYS_DECIDED) * 1e3,
        "exit_ms": done.seconds * 1e3,
        "bringup_ms": qemu.field(done, "online=", "bringup_us") / 1e3,
    }


def once(context, way, vcpus):
    return vmm_once(context, vcpus) if WAYS[way] is None else qemu_once(context, way, vcpus)


def measure(context):
    if reason := qemu.missing("kvm"):
        raise BenchError(reason)
    rows = []
    for vcpus in QUICK_SIZES if context.quick else SIZES:
        context.say(f"{vcpus} CPUs, {len(WAYS)} ways")
        taken = stats.interleave(
            context.repeats if context.quick else REPEATS[vcpus],
            {way: lambda way=way, vcpus=vcpus: once(context, way, vcpus) for way in WAYS},
        )
        for way, all_runs in taken.items():
            for run in all_runs:
                run["before_ms"] = run["active_ms"] - run["bringup_ms"]
            summaries = {key: stats.summary(run[key] for run in all_runs) for key in TIMES}
            rows.append({"way": way, "vcpus": vcpus, **summaries})
        context.keep({"qemu": qemu.version(), "rows": rows})
    return {"qemu": qemu.version(), "rows": rows}


def find(result, way, vcpus):
    """The row of one way and size, or None."""
    return next((row for row in result["rows"] if (row["way"], row["vcpus"]) == (way, vcpus)), None)


def ratio(result, way, vcpus, key="active_ms"):
    """How often the vmm's time goes into another's, medians; None where that was not measured."""
    ours, theirs = find(result, "vmm", vcpus), find(result, way, vcpus)
    return theirs[key]["median"] / ours[key]["median"] if ours and theirs else None


def targets(result):
    rows = []
    for way, wanted, sizes in WANTED:
        for vcpus in sizes:
            got = ratio(result, way, vcpus)
            rows.append((
                f"{vcpus} CPUs: the last is active {wanted} times sooner than under QEMU ({way})",
                None if got is None else got >= wanted,
                "-" if got is None else f"{markdown.number(got)} times",
            ))  # fmt: skip
    return rows


def times_behind(result, way, vcpus, key):
    row = find(result, way, vcpus)
    if row is None:
        return "-"
    times = "" if way == "vmm" else f", {markdown.number(ratio(result, way, vcpus, key))}x"
    return f"{markdown.spread(row[key])}{times}"


def alone(result, way, vcpus, key):
    row = find(result, way, vcpus)
    return markdown.spread(row[key]) if row else "-"


def table(result, key, cell=times_behind):
    sizes = sorted({row["vcpus"] for row in result["rows"]})
    return markdown.table(
        ["", *(f"{size} CPUs" for size in sizes)],
        [[way, *(cell(result, way, size, key) for size in sizes)] for way in WAYS],
    )


def runs_of(result):
    """How many runs are behind each size's cells."""
    sizes = {row["vcpus"]: len(row["active_ms"]["values"]) for row in result["rows"]}
    return ", ".join(f"{runs} runs with {size} CPUs" for size, runs in sorted(sizes.items()))


def report(result):
    return (
        f"The same `guest.elf`, in parallel and halting, under this vmm and under QEMU {result['qemu']} (`-cpu qemu64"
        " -nodefaults -display none`, a serial port, `isa-debug-exit`). Milliseconds, median (lowest to highest) of"
        f" {runs_of(result)}, and how many times the vmm's. All are measured from outside, from the start of the process; under QEMU the"
        " guest says on the serial port that the last CPU is active, under the vmm its log does.\n\n"
        "To the last CPU active:\n\n"
        f"{table(result, 'active_ms')}\n"
        "To the end of the process. Under the vmm that is with the rings read, every invariant judged and the result"
        " written; under QEMU with a line on the serial port for each CPU, which is most of it on KVM:\n\n"
        f"{table(result, 'exit_ms')}\n"
        "Of the first table the bring-up itself, by the guest's own clock, from the first kick to the last CPU active."
        " It is the same code on the same KVM, whoever has started it:\n\n"
        f"{table(result, 'bringup_ms', alone)}\n"
        "And what comes before: the process, the machine, and the guest up to its first kick:\n\n"
        f"{table(result, 'before_ms')}\n"
    )
