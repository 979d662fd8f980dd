"""How long the simulator takes, and how much memory, up to a million CPUs."""

import machine
import markdown
import stats
from errors import OutOfTime

NAME = "simulator"
TITLE = "The simulator, up to a million CPUs"
ORDER = 80
SECONDS = 175
QUICK_SECONDS = 5

STRATEGIES = ("serial", "split", "parallel", "tree")
SIZES = (1000, 10_000, 100_000, 1_000_000)
QUICK_SIZES = (1000, 10_000)
PATIENCE = 90  # s: what takes longer is left out
BUDGET = 225  # s: for all of them; a run that would not end within it is not tried
SHORT = 20_000  # CPUs: up to here a run is short enough to be repeated
MOST_SECONDS = 10
TARGET_SIZE = 100_000
MOST_GROWTH = 2.0  # of the time for each CPU, from the second size to the last
CAUTION = 1.5  # what a run takes may come to this many times what is expected: a larger one fits the caches less
KIB_PER_CPU = 12  # what a simulated CPU may take; more than that is not tried where there is no room


def room_for(vcpus):
    """Whether the host has the memory."""
    return vcpus * KIB_PER_CPU < machine.kib_of_memory("MemAvailable")


def measure_one(context, vcpus, strategy, repeats, patience=PATIENCE):
    """A row; without numbers when a run took longer than `patience`, in seconds."""
    text = f'[machine]\nvcpus = {vcpus}\n[bringup]\nstrategy = "{strategy}"\ntimeout_ms = 600000\n'
    row = {"vcpus": vcpus, "strategy": strategy}
    try:
        runs = [context.run_vmm(text, backend="sim", timeout=patience) for _ in range(repeats)]
    except OutOfTime:
        return {**row, "why": f"took more than {patience:.0f} s"}
    return {
        **row,
        "seconds": stats.summary(run.process.seconds for run in runs),
        "peak_mib": stats.summary(run.process.peak_kib / 1024 for run in runs),
        "virtual_ms": runs[0].result["bringup_us"] / 1e3,
    }


def why_not(rows, vcpus, strategy, patience):
    """Why a size is not tried in so many seconds, by what the smaller ones took; None: it is."""
    if not room_for(vcpus):
        return "this host has not the memory"
    known = {size: us * size / 1e6 for size, us in per_cpu_us({"rows": rows}, strategy).items()}
    expected = stats.extrapolate(known, vcpus)
    if expected * CAUTION >= patience:
        most = expected * CAUTION
        return f"not tried: {expected:.0f} to {most:.0f} s, by how it grew, and {max(patience, 0):.0f} s left"
    return None


def measure(context):
    rows, budget = [], stats.Budget(BUDGET)
    for vcpus in QUICK_SIZES if context.quick else SIZES:
        for strategy in STRATEGIES:
            patience = min(PATIENCE, budget.left())
            if why := why_not(rows, vcpus, strategy, patience):
                row = {"vcpus": vcpus, "strategy": strategy, "why": why}
            else:
                row = measure_one(context, vcpus, strategy, 3 if vcpus <= SHORT else 1, patience)
            rows.append(row)
            told = row.get("why") or f"{row['seconds']['median']:.2f} s, {row['peak_mib']['median']:.0f} MiB"
            context.say(f"{vcpus:,} CPUs, {strategy}: {told}")
            context.keep({"rows": rows})
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
        f" {SHORT:,} CPUs the median of three (lowest to highest), above that one run. A run has {PATIENCE} s, and all of"
        f" them {BUDGET} s: what may take longer is not tried.\n\n"
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
