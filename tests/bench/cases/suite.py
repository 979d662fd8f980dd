"""Experiments a second: `vmm suite` over many short scenarios, with machines used again and with new ones."""

import json
import os
import tempfile
from pathlib import Path

import markdown
import stats
from errors import BenchError

NAME = "suite"
TITLE = "Experiments a second"
ORDER = 60
SECONDS = 180
QUICK_SECONDS = 9

VCPUS = 4
TIMEOUT_MS = 20  # of an AP's turn, where one is stalled
POINTS = ("alive", "started", "synced", "online", "idle", "active")
KINDS = {"none": "no fault", "stall": f"one stall, timeout {TIMEOUT_MS} ms"}
WAYS = {"again": (), "fresh": ("--fresh",)}  # what the suite is told
RUNS = {"again": 1000, "fresh": 150}  # a fresh one starts as slowly the last time as the first
QUICK_RUNS = {"again": 40, "fresh": 20}
QUICK_REPEATS, REPEATS = 2, 3  # suites of each
TARGET = 200  # runs a second without faults
PATIENCE = 600  # s


def scenario(kind, number):
    """Without a fault all are alike; with one it is each AP's, at each point, in turn."""
    text = f"[machine]\nvcpus = {VCPUS}\n"
    if kind == "none":
        return text
    cpu = 1 + number % (VCPUS - 1)
    point = POINTS[number // (VCPUS - 1) % len(POINTS)]
    return (
        f"{text}[bringup]\ntimeout_ms = {TIMEOUT_MS}\n"
        f'[[fault]]\ncpu = {cpu}\nat = "{point}"\naction = "stall"\n'
        f'[expect]\nfailed = {{ {cpu} = "timeout@{point}" }}\n'
    )


def write_scenarios(folder, kind, runs):
    folder.mkdir()
    for number in range(runs):
        Path(folder, f"{number:04}.toml").write_text(scenario(kind, number))


def look_at(kind, runs, document):
    """What a suite says of its runs. Raises BenchError where one without a fault is not as it should be."""
    summary = document["summary"]
    if summary["runs"] != runs or len(document["runs"]) != runs:
        raise BenchError(f"{summary['runs']} of {runs} scenarios were run ({KINDS[kind]})")
    other = [run for run in document["runs"] if run["verdict"] != "pass"]
    if other and kind == "none":
        raise BenchError(f"{len(other)} of {runs} runs without a fault: {other[0]['differences'][:1]}")
    starts = [run.get("start", "new") for run in document["runs"]]
    return {"other": len(other), "starts": {start: starts.count(start) for start in sorted(set(starts))}}


def measure_once(context, folder, kind, way, runs):
    """A suite over the scenarios of a folder."""
    with tempfile.TemporaryDirectory(prefix="reveille-bench-") as place:
        path = Path(place, "suite.json")
        command = [context.vmm, "suite", folder, "-j", os.cpu_count(), "--json", path, *WAYS[way]]
        process = context.run(command, PATIENCE)
        if not path.is_file():
            raise BenchError(f"vmm suite left no results, status {process.status}: {process.err.strip()}")
        told = look_at(kind, runs, json.loads(path.read_text()))
    told["rate"] = (runs - told["other"]) / process.seconds
    told["cpu_ms"] = (process.user_seconds + process.system_seconds) * 1e3 / runs
    context.say(f"{KINDS[kind]}, {way}, {runs} scenarios: {markdown.number(told['rate'])} runs a second")
    return told


def measure_kind(context, kind):
    """A row for each way."""
    runs = QUICK_RUNS if context.quick else RUNS
    with tempfile.TemporaryDirectory(prefix="reveille-bench-") as place:
        ways = {}
        for way in WAYS:
            folder = Path(place, way)
            write_scenarios(folder, kind, runs[way])
            ways[way] = lambda folder=folder, way=way: measure_once(context, folder, kind, way, runs[way])
        taken = stats.interleave(QUICK_REPEATS if context.quick else REPEATS, ways)
    return [
        {
            "kind": kind,
            "way": way,
            "runs": runs[way],
            "rate": stats.summary(each["rate"] for each in suites),
            "cpu_ms": stats.summary(each["cpu_ms"] for each in suites),
            "other": [each["other"] for each in suites],
            "starts": suites[0]["starts"],
        }
        for way, suites in taken.items()
    ]


def measure(context):
    result = {"vcpus": VCPUS, "jobs": os.cpu_count(), "rows": []}
    for kind in KINDS:
        result["rows"] += measure_kind(context, kind)
        context.keep(result)
    return result


def targets(result):
    return [
        (
            f"`vmm suite`, {result['vcpus']} vCPUs, without faults: at least {TARGET} runs a second",
            row["rate"]["median"] >= TARGET,
            f"{markdown.spread(row['rate'])} a second",
        )
        for row in result["rows"]
        if (row["kind"], row["way"]) == ("none", "again")
    ]


def report(result):
    head = ["scenarios", "suites", "runs a second", "processor time of a run, ms", "machines", "not as expected"]
    rows = []
    for row in result["rows"]:
        machines = ", ".join(f"{count} {start}" for start, count in row["starts"].items())
        way = "`--fresh`" if row["way"] == "fresh" else "used again"
        rows.append(
            [
                f"{KINDS[row['kind']]}, {way}",
                f"{len(row['rate']['values'])} of {row['runs']:,}",
                markdown.spread(row["rate"]),
                markdown.spread(row["cpu_ms"]),
                machines,
                ", ".join(map(str, row["other"])),
            ]
        )
    return (
        f"`vmm suite` over many scenarios with {result['vcpus']} vCPUs, {result['jobs']} at a time, from the"
        " start of the process to its end with all results written. With machines used again a worker puts its machine"
        " back for each run (`zero`: to time zero); with `--fresh` each run has a process and a machine of its own"
        " (`new`). Processor time is that of all processes, the guest's included. Runs a second are those that came out"
        " as expected; the last column is how many of each time did not: with a stall an AP that is not"
        f" stalled can be late too where {TIMEOUT_MS} ms are not enough for it. Without faults one such run would end this"
        " case with an error. Median (lowest to highest) of so many suites.\n\n"
        f"{markdown.table(head, rows)}"
    )
