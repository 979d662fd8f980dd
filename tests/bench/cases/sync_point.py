"""What one sync point between two threads costs, beside the ways that C++ and POSIX have for them to meet."""

import json
import statistics

import markdown
import stats
from errors import BenchError

NAME = "sync-point"
TITLE = "One sync point between two threads"
ORDER = 70
SECONDS = 15
QUICK_SECONDS = 4

CORE = "core/hand-over"
RIVALS = ("std::barrier", "std::latch", "pthread_barrier_t", "mutex and condition variable")
PATIENCE = 300  # s
REPEATS = 31  # of each, in random order
QUICK_REPEATS = 5
BATCH_TIME = 0.005  # s: what Google Benchmark takes for one repeat, at least


def by_name(document):
    """From Google Benchmark's JSON: nanoseconds of one point, in every repeat, by the benchmark's name."""
    taken = {}
    for row in document["benchmarks"]:
        name = row["run_name"].removesuffix("/manual_time")
        if row.get("error_occurred"):
            raise BenchError(f"{name}: {row['error_message']}")
        if row["run_type"] == "iteration":
            if row["time_unit"] != "us":
                raise BenchError(f"{name} is in {row['time_unit']}, not in us")
            taken.setdefault(name, []).append(row["real_time"] * 1e3 / row["points"])
    return taken


def measure(context):
    repeats = QUICK_REPEATS if context.quick else REPEATS
    context.say(f"{repeats} repeats of each, in random order")
    document = context.run(
        [
            context.program("sync_point"), "--benchmark_format=json", "--benchmark_enable_random_interleaving=true",
            f"--benchmark_repetitions={repeats}", f"--benchmark_min_time={BATCH_TIME}",
        ],
        PATIENCE,
    )  # fmt: skip
    if document.status != 0:
        raise BenchError(f"sync_point ended with status {document.status}: {document.err.strip()}")
    taken = by_name(json.loads(document.out))
    missing = [name for name in (CORE, *(f"{rival}/meeting" for rival in RIVALS)) if name not in taken]
    if missing:
        raise BenchError(f"sync_point has not measured {', '.join(missing)}")
    return {"ns": {name: stats.summary(values) for name, values in taken.items()}}


def targets(result):
    core = result["ns"][CORE]["median"]
    rows = []
    for rival in RIVALS:
        theirs = result["ns"][f"{rival}/meeting"]["median"]
        rows.append((
            f"a sync point costs less than one meeting at {rival}", core < theirs,
            f"{markdown.number(core)} ns, {markdown.number(theirs)} ns",
        ))  # fmt: skip
    return rows


def quartiles(summary):
    """Half of the repeats lie between these."""
    low, _, high = statistics.quantiles(summary["values"], n=4)
    return f"{markdown.number(low)} to {markdown.number(high)}"


def report(result):
    found = {}
    for name, summary in result["ns"].items():
        way, what = name.rsplit("/", 1)
        found.setdefault(way, {})[what] = summary
    order = sorted(found, key=lambda way: found[way]["hand-over"]["median"])

    def cells(summary):
        if summary is None:
            return ("-", "-", "-")
        return markdown.number(summary["median"]), markdown.number(summary["low"]), quartiles(summary)

    table = markdown.table(
        ["", "one meeting", "least", "half lie in", "arrival and release", "least", "half lie in"],
        [[way, *cells(found[way].get("meeting")), *cells(found[way]["hand-over"])] for way in order],
    )
    return (
        "Two threads, pinned to a CPU each: nanoseconds, medians. A sync point is an arrival and a release: the"
        " control CPU sees that the AP has come, looks at what it has, and lets it go on. One meeting at a barrier"
        " does less, because neither side waits while the other looks; two meetings do as much. The targets are"
        " strict: they set a whole sync point beside one meeting.\n\n"
        f"{table}\n"
        "- *core* is the control object and the AP's side as the guest has them, a control CPU watching one AP's"
        " word as in tree. The figure is a whole cycle, up and down again, over its eight hand-overs; the kick, the"
        " claim, the TSC rendezvous (empty) and the making ready of the next attempt are in it. There are no steps.\n"
        "- *events recorded*: each event is written to a ring, as in the guest. *whole driver*: the queues, turns"
        " and arrival map of CPU 0's control side, too.\n"
        "- Core waits by looking, and so does the *spinning barrier*, a counter and a generation written by hand."
        " std::barrier and std::latch look for a short while and then wait in the kernel; *core, waiting as"
        " std::atomic* does the same. POSIX waits in the kernel. There is a fresh latch for each meeting, made"
        " before the time begins.\n"
    )
