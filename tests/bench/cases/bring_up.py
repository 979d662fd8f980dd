"""How long it takes to bring N CPUs up, by strategy, way of waiting and LAPIC mode."""

import markdown
import stats
from errors import OutOfTime

NAME = "bring-up"
TITLE = "Bring-up against the number of CPUs"
ORDER = 10
SECONDS = 225
QUICK_SECONDS = 22

STRATEGIES = ("serial", "split", "parallel", "tree")
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 255, 512, 1024)
QUICK_SIZES = (1, 8, 32)
# By strategy, all waiting by halting; by waiting, all in parallel; by who keeps the LAPICs, likewise.
VARIANTS = (
    *({"strategy": s, "wait": "halt", "apic": "kernel"} for s in STRATEGIES),
    *({"strategy": s, "wait": "spin", "apic": "kernel"} for s in STRATEGIES),
    *({"strategy": "parallel", "wait": "halt", "apic": a} for a in ("split", "user")),
)
PATIENCE = 60  # s: a run that waits by halting never comes near it
SPIN_PATIENCE = 3  # s: spinning APs take the cores from each other
# s, for the repeats of one size: what it leaves goes to those after it.
SHARES = {1: 3, 2: 4, 4: 5, 8: 8, 16: 12, 32: 17, 64: 20, 128: 20, 255: 36, 512: 48, 1024: 48}
BUDGET = sum(SHARES.values())  # s: a run that would not end within it is not tried
TIMEOUT_MS = 60_000  # of an AP's turn: nothing is to be given up


def label(variant):
    return f"{variant['strategy']}, {variant['wait']}, {variant['apic']}"


def scenario(variant, vcpus):
    return (
        f'[machine]\nvcpus = {vcpus}\napic = "{variant["apic"]}"\n'
        f'[bringup]\nstrategy = "{variant["strategy"]}"\nwait = "{variant["wait"]}"\ntimeout_ms = {TIMEOUT_MS}\n'
    )


def expected_seconds(rows, variant, vcpus):
    """What one run will take, by what the smaller sizes took."""
    known = {}
    for row in rows:
        if label(row) == label(variant):
            if "total_ms" in row:
                known[row["vcpus"]] = row["total_ms"]["median"] / 1e3
            elif "more_than_s" in row:
                known[row["vcpus"]] = row["more_than_s"]
    return stats.extrapolate(known, vcpus)


def choose(rows, variants, vcpus, left):
    """Which variants can be run once in the seconds that are left, the shortest first, and rows that say why the
    others are not."""
    chosen, others = [], []
    for seconds, variant in sorted(((expected_seconds(rows, v, vcpus), v) for v in variants), key=lambda pair: pair[0]):
        row = {**variant, "vcpus": vcpus}
        if variant["wait"] == "spin" and seconds > SPIN_PATIENCE:
            others.append({**row, "why": f"not tried: more than {SPIN_PATIENCE} s"})
        elif seconds > left:
            others.append({**row, "why": f"not tried: about {seconds:.0f} s"})
        else:
            chosen.append(variant)
            left -= seconds
    return chosen, others


def measure_size(context, vcpus, variants, seconds):
    """One size: the variants side by side, more than once only where the seconds suffice. Returns their rows."""
    too_slow = []

    def once(variant):
        if variant in too_slow:
            return None
        spins = variant["wait"] == "spin"
        try:
            run = context.run_vmm(scenario(variant, vcpus), timeout=SPIN_PATIENCE if spins else PATIENCE)
        except OutOfTime:
            if not spins:
                raise
            too_slow.append(variant)
            return None
        return run.result["bringup_us"], run.process.seconds * 1e3

    ways = {label(variant): lambda variant=variant: once(variant) for variant in variants}
    taken = stats.interleave(context.repeats, ways, seconds)
    rows = []
    for variant in variants:
        row = {**variant, "vcpus": vcpus}
        if variant in too_slow:
            rows.append({**row, "why": f"more than {SPIN_PATIENCE} s", "more_than_s": SPIN_PATIENCE})
            continue
        bringup, total = zip(*taken[label(variant)], strict=True)
        row["total_ms"] = stats.summary(total)
        if vcpus > 1:  # alone, CPU 0 has nobody to bring up
            row["bringup_ms"] = stats.summary(us / 1e3 for us in bringup)
        rows.append(row)
    return rows


def measure(context):
    rows, share, budget = [], 0, stats.Budget(BUDGET)
    for vcpus in QUICK_SIZES if context.quick else SIZES:
        share += SHARES[vcpus]
        chosen, others = choose(rows, VARIANTS, vcpus, budget.left())
        context.say(f"{vcpus} CPUs, {len(chosen)} ways")
        rows += measure_size(context, vcpus, chosen, share - (BUDGET - budget.left()))
        rows += others
        context.keep({"rows": rows})
    return {"rows": rows}


def targets(result):
    return []


def table(result, key):
    found = {(label(row), row["vcpus"]): row for row in result["rows"]}
    sizes = sorted({row["vcpus"] for row in result["rows"] if key in row})
    rows = []
    for variant in VARIANTS:
        of_size = (found.get((label(variant), size), {}) for size in sizes)
        rows.append([label(variant), *(row.get("why") or markdown.counted(row.get(key)) for row in of_size)])
    return markdown.table(["strategy, wait, LAPICs", *map(str, sizes)], rows)


def report(result):
    return (
        "Bring-up is from time zero, when the control side begins, to the moment when the last CPU is active, as"
        " the guest's TSC has it. Milliseconds: median (lowest to highest) of so many runs, the fewer the longer"
        " they take.\n\n"
        f"{table(result, 'bringup_ms')}\n"
        "Total is from the start of the process to its end, with the verdict printed, measured from outside."
        " Milliseconds.\n\n"
        f"{table(result, 'total_ms')}\n"
        f"APs that spin take the cores from each other: a run of theirs has {SPIN_PATIENCE} s, and one that took longer"
        " leaves its cell without a number. What would take longer, by how it grew from size to size, is not tried, nor"
        f" is a run that would not end within the {BUDGET} s that all of them have.\n"
    )


def series(result, key, chosen):
    for variant in chosen:
        rows = [row for row in result["rows"] if label(row) == label(variant) and key in row]
        if rows:
            yield {
                "label": label(variant),
                "x": [row["vcpus"] for row in rows],
                "y": [row[key] for row in rows],
                "dashed": variant["wait"] == "spin",
            }


def plots(result, folder):
    import plot

    drawn = []
    for name, what, key, chosen in (
        ("bring-up", "Bring-up by strategy and wait", "bringup_ms", VARIANTS[:8]),
        ("bring-up-lapic", "Bring-up in parallel, by who keeps the LAPICs", "bringup_ms", (VARIANTS[2], *VARIANTS[8:])),
        ("total", "Process start to verdict, by strategy", "total_ms", VARIANTS[:4]),
    ):
        plot.lines(folder / f"{name}.svg", what, ("CPUs", "ms"), list(series(result, key, chosen)))
        drawn.append((f"{name}.svg", f"{what}, in milliseconds against the number of CPUs"))
    return drawn
