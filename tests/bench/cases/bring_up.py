"""How long it takes to bring N CPUs up, by strategy, way of waiting and LAPIC mode."""

import markdown
import stats
from errors import OutOfTime

NAME = "bring-up"
TITLE = "Bring-up against the number of CPUs"
ORDER = 10
SECONDS = 240

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
SPIN_PATIENCE = 8  # s: spinning APs take the cores from each other; what takes longer is left out
SPIN_SLOW = 2  # s: and what takes longer than this is not tried with more CPUs
BUDGET = 20  # s: for one size; then no further round begins
TIMEOUT_MS = 60_000  # of an AP's turn: nothing is to be given up


def label(variant):
    return f"{variant['strategy']}, {variant['wait']}, {variant['apic']}"


def scenario(variant, vcpus):
    return (
        f'[machine]\nvcpus = {vcpus}\napic = "{variant["apic"]}"\n'
        f'[bringup]\nstrategy = "{variant["strategy"]}"\nwait = "{variant["wait"]}"\ntimeout_ms = {TIMEOUT_MS}\n'
    )


def measure_size(context, vcpus, variants):
    """One size: all variants side by side. Returns their rows, and those that are too slow for more CPUs."""
    out_of_time = []

    def once(variant):
        if variant in out_of_time:
            return None
        try:
            run = context.run_vmm(
                scenario(variant, vcpus), timeout=SPIN_PATIENCE if variant["wait"] == "spin" else PATIENCE
            )
        except OutOfTime:
            if variant["wait"] != "spin":
                raise
            out_of_time.append(variant)
            return None
        return run.result["bringup_us"], run.process.seconds * 1e3

    taken = stats.interleave(
        context.repeats,
        {label(variant): lambda variant=variant: once(variant) for variant in variants},
        BUDGET,
    )
    rows, slow = [], []
    for variant in variants:
        if variant in out_of_time:
            slow.append({**variant, "vcpus": vcpus, "seconds": SPIN_PATIENCE, "left_out": True})
            continue
        bringup, total = zip(*taken[label(variant)], strict=True)
        row = {**variant, "vcpus": vcpus, "total_ms": stats.summary(total)}
        if vcpus > 1:  # alone, CPU 0 has nobody to bring up
            row["bringup_ms"] = stats.summary(us / 1e3 for us in bringup)
        rows.append(row)
        if variant["wait"] == "spin" and row["total_ms"]["median"] > SPIN_SLOW * 1e3:
            slow.append({**variant, "vcpus": vcpus, "seconds": SPIN_SLOW, "left_out": False})
    return rows, slow


def measure(context):
    rows, cut, variants = [], [], list(VARIANTS)
    for vcpus in QUICK_SIZES if context.quick else SIZES:
        context.say(f"{vcpus} CPUs, {len(variants)} ways")
        more, slow = measure_size(context, vcpus, variants)
        rows += more
        cut += slow
        slow_labels = [label(each) for each in slow]
        variants = [variant for variant in variants if label(variant) not in slow_labels]
    return {"rows": rows, "cut": cut}


def targets(result):
    return []


def table(result, key):
    sizes = sorted({row["vcpus"] for row in result["rows"]})
    found = {(label(row), row["vcpus"]): row.get(key) for row in result["rows"]}
    labels = list(dict.fromkeys(label(row) for row in result["rows"]))
    return markdown.table(
        ["strategy, wait, LAPICs", *map(str, sizes)],
        [[name, *(markdown.spread(found.get((name, size))) for size in sizes)] for name in labels],
    )


def report(result):
    text = (
        "Bring-up is from time zero, when the control side begins, to the moment when the last CPU is active, as"
        " the guest's TSC has it. Milliseconds: median (lowest to highest) of three to nine runs, the fewer the longer"
        " they take.\n\n"
        f"{table(result, 'bringup_ms')}\n"
        "Total is from the start of the process to its end, with the verdict printed, measured from outside."
        " Milliseconds.\n\n"
        f"{table(result, 'total_ms')}\n"
    )
    for cut in result["cut"]:
        where = ", and is left out" if cut["left_out"] else ""
        text += (
            f"- {label(cut)}: a run with {cut['vcpus']} CPUs took more than {cut['seconds']} s{where};"
            " not tried with more.\n"
        )
    return text


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
