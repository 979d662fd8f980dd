"""How long the simulator takes, and how much memory, up to a million CPUs."""

import markdown
import stats
from errors import OutOfTime

NAME = "simulator"
TITLE = "The simulator, up to a million CPUs"
ORDER = 80
SECONDS = 260

STRATEGIES = ("serial", "split", "parallel", "tree")
SIZES = (1000, 10_000, 100_000, 1_000_000)
QUICK_SIZES = (1000, 10_000)
PATIENCE = 120  # s: what takes longer is left out
SHORT = 20_000  # CPUs: up to here a run is short enough to be repeated
MOST_SECONDS = 10
TARGET_SIZE = 100_000
MOST_GROWTH = 2.0  # of the time for each CPU, from the second size to the last
CAUTION = 1.5  # a size that would take too long at this many times what the one before took is not tried
KIB_PER_CPU = 12  # what a simulated CPU may take; more than that is not tried where there is no room


def room_for(vcpus):
    """Whether the host has the memory."""
    with open("/proc/meminfo", encoding="utf-8") as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    return vcpus * KIB_PER_CPU < available


def measure_one(context, vcpus, strategy, repeats):
    """A row; without numbers when it took too long."""
    text = f'[machine]\nvcpus = {vcpus}\n[bringup]\nstrategy = "{strategy}"\ntimeout_ms = 600000\n'
    row = {"vcpus": vcpus, "strategy": strategy}
    try:
        runs = [context.run_vmm(text, backend="sim", timeout=PATIENCE) for _ in range(repeats)]
    except OutOfTime:
        return {**row, "why": f"took more than {PATIENCE} s"}
    return {
        **row,
        "seconds": stats.summary(run.process.seconds for run in runs),
        "peak_mib": stats.summary(run.process.peak_kib / 1024 for run in runs),
        "virtual_ms": runs[0].result["bringup_us"] / 1e3,
    }


def why_not(rows, vcpus, strategy):
    """Why a size is not tried, by what is known of the smaller ones; None: it is."""
    if not room_for(vcpus):
        return "this host has not the memory"
    known = per_cpu_us({"rows": rows}, strategy)
    expected = known[max(known)] * vcpus / 1e6 if known else 0
    if expected * CAUTION > PATIENCE:
        return f"not tried: more than {expected:.0f} s, by what {max(known):,} took"
    return None


def measure(context):
    rows = []
    for vcpus in QUICK_SIZES if context.quick else SIZES:
        for strategy in STRATEGIES:
            if why := why_not(rows, vcpus, strategy):
                rows.append({"vcpus": vcpus, "strategy": strategy, "why": why})
                context.say(f"{vcpus:,} CPUs, {strategy}: {why}")
                continue
            row = measure_one(context, vcpus, strategy, 3 if vcpus <= SHORT else 1)
            rows.append(row)
            if "seconds" in row:
                context.say(
                    f"{vcpus:,} CPUs, {strategy}: {row['seconds']['median']:.2f} s,"
                    f" {row['peak_mib']['median']:.0f} MiB"
                )
    return {"rows": rows}


def per_cpu_us(result, strategy):
    """Microseconds of the simulator for each CPU, by size."""
    return {
        row["vcpus"]: row["seconds"]["median"] * 1e6 / row["vcpus"]
        for row in result["rows"]
        if row["strategy"] == strategy and "seconds" in row
    }


def targets(result):
    found = []
    took = per_cpu_us(result, "parallel")
    if TARGET_SIZE in took:
        seconds = took[TARGET_SIZE] * TARGET_SIZE / 1e6
        found.append(
            (f"{TARGET_SIZE:,} CPUs in parallel in less than {MOST_SECONDS} s", seconds < MOST_SECONDS, f"{seconds:.2f} s")
        )
    for strategy in STRATEGIES:
        took = per_cpu_us(result, strategy)
        first, last = SIZES[1], max(took, default=0)
        if first in took and last > first:
            growth = took[last] / took[first]
            found.append(
                (
                    f"linear in N, {strategy}: the time for each CPU grows at most {MOST_GROWTH:g} times from {first:,}"
                    f" to {last:,} CPUs",
                    growth <= MOST_GROWTH,
                    f"{took[first]:.1f} to {took[last]:.1f} us, {growth:.2f} times",
                )
            )
    return found


def report(result):
    sizes = list(dict.fromkeys(row["vcpus"] for row in result["rows"]))
    found = {(row["strategy"], row["vcpus"]): row for row in result["rows"]}
    rows = []
    for strategy in STRATEGIES:
        cells = []
        for size in sizes:
            row = found.get((strategy, size), {})
            if "seconds" not in row:
                cells.append(row.get("why", "-"))
                continue
            cells.append(
                f"{markdown.spread(row['seconds'])} s, {markdown.number(row['peak_mib']['median'])} MiB,"
                f" {markdown.number(row['seconds']['median'] * 1e6 / size)} us"
            )
        rows.append([strategy, *cells])
    return (
        "A whole `vmm run --backend sim`, from the start of the process to its end, with the verdict and the JSON"
        " written: time, peak of the memory resident, time for each CPU. Up to"
        f" {SHORT:,} CPUs the median of three (lowest to highest), above that one run.\n\n"
        + markdown.table(["strategy", *(f"{size:,} CPUs" for size in sizes)], rows)
    )


def plots(result, folder):
    import plot

    def series(key):
        for strategy in STRATEGIES:
            rows = [row for row in result["rows"] if row["strategy"] == strategy and "seconds" in row]
            if rows:
                yield {"label": strategy, "x": [row["vcpus"] for row in rows], "y": [row[key] for row in rows]}

    drawn = []
    for name, what, key, unit in (
        ("simulator-time", "The simulator: time", "seconds", "s"),
        ("simulator-memory", "The simulator: memory", "peak_mib", "MiB"),
    ):
        plot.lines(folder / f"{name}.svg", what, ("CPUs", unit), list(series(key)))
        drawn.append((f"{name}.svg", f"{what}, against the number of CPUs"))
    return drawn
