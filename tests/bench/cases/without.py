"""What each thing that was done to make it fast brings: the product beside copies of it that are without one of them.

tests/bench/without/mechanisms.toml names them, with a patch for each that takes it out.
"""

import json
import math
import os
import tempfile
import tomllib
from pathlib import Path

import copies
import markdown
import stats
from cases import sync_point
from errors import BenchError, OutOfTime

NAME = "without"
TITLE = "What each change brings"
ORDER = 95
SECONDS = 345
QUICK_SECONDS = 10

FOLDER = Path(__file__).resolve().parents[1] / "without"
PRODUCT = "product"
# By kind of run and figure: what it is called.
FIGURES = {
    ("parallel", "bringup_ms"): "bring-up of {} CPUs, ms",
    ("parallel", "create_ms"): "creation of {} vCPUs, ms",
    ("parallel", "total_ms"): "process start to end with {} CPUs, ms",
    ("serial", "bringup_ms"): "bring-up of {} CPUs one by one, ms",
    ("suite", "rate"): "runs a second, {} vCPUs",
    ("suite", "cpu_ms"): "processor time of a run, {} vCPUs, ms",
    ("changing-suite", "rate"): "runs a second, {} vCPUs",
    ("changing-suite-alone", "rate"): "runs a second one at a time, {} vCPUs",
    ("sync-point", "hand_over_ns"): "a sync point between {} threads, ns",
    ("sync-point", "recorded_ns"): "a sync point between {} threads, events recorded, ns",
}
MORE_IS_BETTER = ("rate",)
# s, for the repeats of each that is measured, by kind of run and size.
SHARES = {
    ("parallel", 2): 2, ("parallel", 8): 3, ("parallel", 64): 7, ("parallel", 255): 7, ("parallel", 1000): 20,
    ("serial", 8): 3, ("serial", 64): 6, ("serial", 255): 12, ("serial", 1000): 10,
    ("suite", 4): 10, ("changing-suite", 4): 10, ("changing-suite-alone", 4): 10, ("sync-point", 2): 6,
}  # fmt: skip
REPEATS = 15
PATIENCE = 60  # s: for a run of the product
COPY_PATIENCE = 40  # s: for one of a copy; a copy that took longer is not run again
FEWEST = 3  # rounds that tell something
CHANCE = 0.05
TIMEOUT_MS = 60_000  # of an AP's turn: nothing is to be given up
SUITE_RUNS = 60
SYNC_REPEATS = 5
SYNC_POINTS = {"hand_over_ns": "core/hand-over", "recorded_ns": "core, events recorded/hand-over"}


# --- the kinds of runs: each takes the context to run in, how many vCPUs, options and seconds, and returns figures


def bring_up(strategy):
    """One bring-up, waiting by halting."""

    def run(context, vcpus, _, patience):
        scenario = (
            f"[machine]\nvcpus = {vcpus}\n"
            f'[bringup]\nstrategy = "{strategy}"\nwait = "halt"\ntimeout_ms = {TIMEOUT_MS}\n'
        )
        done = context.run_vmm(scenario, timeout=patience)
        return {
            "bringup_ms": done.result["bringup_us"] / 1e3,
            "create_ms": done.result["create_us"] / 1e3,
            "total_ms": done.process.seconds * 1e3,
        }

    return run


def suite(memories, jobs):
    """A suite of short scenarios, whose machines have memory by `memories`, a function of the scenario's number."""

    def run(context, vcpus, options, patience):
        with tempfile.TemporaryDirectory(prefix="reveille-bench-") as place:
            folder, path = Path(place, "scenarios"), Path(place, "suite.json")
            folder.mkdir()
            for number in range(SUITE_RUNS):
                text = f"[machine]\nvcpus = {vcpus}\nmemory_mib = {memories(number)}\n"
                Path(folder, f"{number:04}.toml").write_text(text)
            command = [context.vmm, "suite", folder, "-j", jobs, "--json", path, *options]
            process = context.run(command, patience)
            if not path.is_file():
                raise BenchError(f"vmm suite left no results, status {process.status}: {process.err.strip()}")
            check_suite(json.loads(path.read_text())["runs"])
        return {
            "rate": SUITE_RUNS / process.seconds,
            "cpu_ms": (process.user_seconds + process.system_seconds) * 1e3 / SUITE_RUNS,
        }

    return run


def check_suite(runs):
    passed = sum(run["verdict"] == "pass" for run in runs)
    if passed != SUITE_RUNS:
        raise BenchError(f"{passed} of {SUITE_RUNS} runs of a suite passed")


def sync_points(context, _, __, patience):
    command = [
        context.program("sync_point"), "--benchmark_format=json", "--benchmark_enable_random_interleaving=true",
        f"--benchmark_filter=^({'|'.join(SYNC_POINTS.values())})", f"--benchmark_repetitions={SYNC_REPEATS}",
        f"--benchmark_min_time={sync_point.BATCH_TIME}",
    ]  # fmt: skip
    taken = sync_point.by_name(context.run_json(command, patience))
    return {what: stats.summary(taken[name])["median"] for what, name in SYNC_POINTS.items()}


RUNS = {
    "parallel": bring_up("parallel"),
    "serial": bring_up("serial"),
    "suite": suite(lambda number: 64, os.cpu_count()),
    "changing-suite": suite(lambda number: 64 + number % 64, os.cpu_count()),
    "changing-suite-alone": suite(lambda number: 64 + number % 64, 1),
    "sync-point": sync_points,
}


# --- what is measured


def mechanisms(folder=FOLDER):
    """The table of mechanisms.toml; "patch" is there where there is one."""
    table = tomllib.loads(Path(folder, "mechanisms.toml").read_text(encoding="utf-8"))["mechanism"]
    for each in table:
        if Path(folder, f"{each['id']}.patch").is_file():
            each["patch"] = Path(folder, f"{each['id']}.patch")
    return table


def plan(table, quick):
    """{(run, vcpus): the mechanisms that it shows something of}, the quickest first."""
    found = {}
    for each in table:
        for measured in each["measured"]:
            for vcpus in measured.get("quick", []) if quick else measured["vcpus"]:
                group = found.setdefault((measured["run"], vcpus), [])
                if each not in group:
                    group.append(each)
    return dict(sorted(found.items(), key=lambda item: (item[0][1], item[0][0])))


def figures_of(each, run, vcpus):
    """What is shown of a mechanism by this kind of run at this size."""
    return [m["what"] for m in each["measured"] if m["run"] == run and vcpus in m["vcpus"]]


def measure_group(context, workplaces, run, vcpus, group):
    """One kind of run at one size: the product and the copies side by side. Returns the rows of all."""
    too_slow = set()

    def once(name, options):
        if name in too_slow:
            return None
        try:
            patience = PATIENCE if name == PRODUCT else COPY_PATIENCE
            return RUNS[run](workplaces[name], vcpus, options, patience)
        except OutOfTime:
            if name == PRODUCT:
                raise
            too_slow.add(name)
            return None
        except BenchError as error:
            raise BenchError(f"{name}: {error}") from error

    ways = {PRODUCT: lambda: once(PRODUCT, ())}
    for each in group:
        ways[each["id"]] = lambda each=each: once(each["id"], each.get("options", ()))
    taken = stats.interleave(3 if context.quick else REPEATS, ways, SHARES[run, vcpus] * len(ways))
    return [
        row_of(each, (run, what), vcpus, taken[PRODUCT], None if each["id"] in too_slow else taken[each["id"]])
        for each in group
        for what in figures_of(each, run, vcpus)
    ]


def row_of(each, figure, vcpus, product, copy):
    """`figure`: of FIGURES. `copy`: None, it took too long. The ratio is of what was taken in the same round; above 1
    the product is better."""
    run, what = figure
    with_it = [taken[what] for taken in product]
    row = {"id": each["id"], "run": run, "what": what, "vcpus": vcpus, "with": stats.summary(with_it)}
    if copy is None:
        return {**row, "more_than_s": COPY_PATIENCE}
    without_it = [taken[what] for taken in copy]
    pairs = list(zip(with_it, without_it, strict=False))  # one may have been taken once less
    return {
        **row,
        "without": stats.summary(without_it),
        "ratio": stats.summary(a / b if what in MORE_IS_BETTER else b / a for a, b in pairs),
    }


def measure(context):
    table = mechanisms()
    groups = plan(table, context.quick)
    needed = {each["id"] for group in groups.values() for each in group}
    workshop = copies.Workshop(context)
    workplaces = {PRODUCT: context}
    for each in table:
        if each["id"] in needed:
            workplaces[each["id"]] = context
            if "patch" in each:
                workplaces[each["id"]] = workshop.make(each["id"], each["patch"], each["targets"])
    result = {
        "mechanisms": [{key: each[key] for key in ("id", "with", "without", "saves")} for each in table],
        "rows": [],
    }
    for (run, vcpus), group in groups.items():
        context.say(f"{run}, {vcpus} CPUs: the product, and without {', '.join(each['id'] for each in group)}")
        result["rows"] += measure_group(context, workplaces, run, vcpus, group)
        context.keep(result)
    return result


# --- what is made of it


def targets(result):
    return []


def measured_what(row):
    return FIGURES[row["run"], row["what"]].format(row["vcpus"])


def rounds_better(row):
    """In how many rounds the product was better, and how many there were."""
    ratios = row["ratio"]["values"]
    return sum(ratio > 1 for ratio in ratios), len(ratios)


def tells(row):
    """What the rounds tell of the change: "better", "worse", "nothing"; None of too few rounds."""
    if "ratio" not in row:
        return "better"
    better, rounds = rounds_better(row)
    if rounds < FEWEST:
        return None
    most = max(better, rounds - better)
    by_chance = 2 * sum(math.comb(rounds, k) for k in range(most, rounds + 1)) / 2**rounds  # the sign test
    if most < rounds and by_chance > CHANCE:
        return "nothing"
    return "better" if better == most else "worse"


def cells(row):
    if "ratio" not in row:
        return [f"more than {row['more_than_s']} s each", "-", "-"]
    better, rounds = rounds_better(row)
    return [markdown.counted(row["without"]), markdown.spread(row["ratio"]), f"{better} of {rounds} rounds"]


def remark(each, rows):
    """A line on one mechanism: what it is, and where it brings nothing here."""
    text = f"- *{each['id']}*: {each['with']}; without it {each['without']}. What it is to save: {each['saves']}."
    for kind, sentence in (
        ("nothing", "On this machine no difference can be told in"),
        ("worse", "On this machine it costs more than it saves in"),
    ):
        found = [measured_what(row).removesuffix(", ms").removesuffix(", ns") for row in rows if tells(row) == kind]
        if found:
            text += f" {sentence}: {'; '.join(found)}."
    return text + "\n"


def report(result):
    by_id = {each["id"]: [row for row in result["rows"] if row["id"] == each["id"]] for each in result["mechanisms"]}
    table = markdown.table(
        ["mechanism", "measured", "with", "without", "times better", "better in"],
        [
            [name, measured_what(row), markdown.counted(row["with"]), *cells(row)]
            for name, rows in by_id.items()
            for row in rows
        ],
    )
    remarks = "".join(remark(each, by_id[each["id"]]) for each in result["mechanisms"] if by_id[each["id"]])
    return (
        "For each change a patch (tests/bench/without/) takes it out of a copy of the tree, and the copy is built and"
        " run beside the product, by turns, with the same checks: every CPU active, no invariant broken. Times better"
        " is how many times as long it takes without the change, or as many runs a second there are with it, in the"
        " same round. Median (lowest to highest) of so many rounds. A difference is told where chance would give so"
        f" many rounds of one sign less than once in {1 / CHANCE:.0f} times, or with few rounds where all have it."
        " *nothing* is a copy that differs in a comment: what is no farther from 1 than it is not told from it.\n\n"
        f"{table}\n{remarks}"
    )


def series(result):
    """What one AP costs, with the map of arrivals and with a look at every CPU in its place."""
    rows = [row for row in result["rows"] if row["id"] == "arrival-map"]
    for run, how in (("serial", "one by one"), ("parallel", "in parallel")):
        for key, what in (("with", "arrivals by the map"), ("without", "a look at every CPU")):
            there = [row for row in rows if row["run"] == run and key in row]
            if there:
                yield {
                    "label": f"{how}, {what}",
                    "dashed": key == "without",
                    "x": [row["vcpus"] for row in there],
                    "y": [scaled(row[key], 1 / (row["vcpus"] - 1)) for row in there],
                }


def scaled(summary, by):
    return {name: summary[name] * by for name in ("median", "low", "high")}


def plots(result, folder):
    drawn = list(series(result))
    if not drawn:
        return []
    import plot

    title = "What one AP costs"
    plot.lines(folder / "without.svg", title, ("CPUs", "ms of bring-up for each AP"), drawn)
    return [("without.svg", f"{title}: milliseconds of bring-up for each AP against the number of CPUs")]
