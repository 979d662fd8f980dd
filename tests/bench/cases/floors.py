"""The full protocol beside the least that waking as many CPUs can be, in the same machine."""

import markdown
import stats

NAME = "floors"
TITLE = "The protocol beside its floors"
ORDER = 20
SECONDS = 90
QUICK_SECONDS = 5

SIZES = (8, 64, 255, 1000)
QUICK_SIZES = (8, 64)
LAPICS = ("kernel", "user")
GUESTS = ("real", "long", "protocol")
REPEATS = {8: 9, 64: 9, 255: 9, 1000: 3}  # the protocol takes 1.5 s with 255, 5.5 s with 1000
MOST = 2.0  # the protocol's time to that of the floor in long mode
TARGET_SIZES = (255, 1000)


def measure_one(context, vcpus, apic):
    """One size, LAPICs in one place: the two floors and the protocol side by side."""

    def once(guest):
        return context.bring_up(guest, vcpus, apic)["bringup_us"] / 1e3

    repeats = context.repeats if context.quick else REPEATS[vcpus]
    taken = stats.interleave(repeats, {guest: lambda guest=guest: once(guest) for guest in GUESTS})
    row = {"vcpus": vcpus, "apic": apic, **{f"{guest}_ms": stats.summary(taken[guest]) for guest in GUESTS}}
    row["ratio"] = row["protocol_ms"]["median"] / row["long_ms"]["median"]
    return row


def measure(context):
    rows = []
    for apic in LAPICS:
        for vcpus in QUICK_SIZES if context.quick else SIZES:
            row = measure_one(context, vcpus, apic)
            context.say(
                f"{vcpus} CPUs, LAPICs {apic}: floors {row['real_ms']['median']:.2f} and"
                f" {row['long_ms']['median']:.2f} ms, protocol {row['protocol_ms']['median']:.2f} ms,"
                f" {row['ratio']:.1f} times the second"
            )
            rows.append(row)
            context.keep({"rows": rows})
    return {"rows": rows}


def targets(result):
    return [
        (
            f"{row['vcpus']} CPUs, LAPICs {row['apic']}: the protocol takes at most {MOST:g} times the floor in long mode",
            row["ratio"] <= MOST,
            f"{row['ratio']:.2f} times",
        )
        for row in result["rows"]
        if row["vcpus"] in TARGET_SIZES
    ]


def report(result):
    rows = [
        [
            f"{row['vcpus']}, {row['apic']}",
            *(markdown.counted(row[f"{guest}_ms"]) for guest in GUESTS),
            f"{row['ratio']:.2f}",
        ]
        for row in result["rows"]
    ]
    head = ["CPUs, LAPICs", "floor, real mode", "floor, long mode", "protocol", "protocol to long mode"]
    return (
        "The floors are guests of a few instructions (tests/bench/programs/floor/): CPU 0 broadcasts INIT, SIPI, SIPI"
        " and halts; every AP adds one to a count and halts, in the first at once, in the second when it has gone from"
        " real through protected to long mode. The end is the TSC of the AP that was the last to count. The protocol"
        " is the full guest, every point handing over, in parallel, waiting by halting: from time zero to the last CPU"
        " active. All in the same machine on the same threads, one process each, taking turns. Milliseconds: median"
        " (lowest to highest) of so many runs, the fewer the longer they take.\n\n" + markdown.table(head, rows)
    )


def plots(result, folder):
    import plot

    names = {"real": "floor, real mode", "long": "floor, long mode", "protocol": "protocol"}
    series = [
        {
            "label": f"{names[guest]}, LAPICs {apic}",
            "x": [row["vcpus"] for row in result["rows"] if row["apic"] == apic],
            "y": [row[f"{guest}_ms"] for row in result["rows"] if row["apic"] == apic],
            "dashed": apic == "user",
        }
        for apic in LAPICS
        for guest in GUESTS
    ]
    plot.lines(folder / "floors.svg", "The protocol and its floors", ("CPUs", "ms"), series)
    return [("floors.svg", "The protocol and the two floors, in milliseconds against the number of CPUs")]
