"""What one CPU costs: exits, guest instructions, host memory."""

import markdown
import stats

NAME = "cost-per-cpu"
TITLE = "What one CPU costs"
ORDER = 90
SECONDS = 70
QUICK_SECONDS = 12

SIZES = (8, 64, 255, 1000)
QUICK_SIZES = (8, 64)
LAPICS = ("kernel", "user")
GUESTS = ("protocol", "long")
IDLE_MS = 300  # for one look at what the host's memory does by itself
PATIENCE = 20  # s, for that look
NOT_SEEN = "below what can be seen"
MOST_MEMORY_KIB = 1 << 20  # of the host's, with TARGET_SIZE vCPUs
TARGET_SIZE = 1000


def per_ap(run, who, counter):
    """A counter of `who`, of all APs or of the control CPU, for each AP; None where this KVM has none."""
    counters = run["counters"]
    return None if counters is None else counters[who].get(counter, 0) / (run["vcpus"] - 1)


def summary(values):
    """stats.summary, or None when nobody counted."""
    return None if None in values else stats.summary(values)


def measure_one(context, vcpus, apic):
    def idle():
        return context.run_json([context.program("bringup_cost"), "--idle", IDLE_MS], PATIENCE)["idle_kib"]

    repeats = 3 if context.quick or vcpus >= 1000 else 5
    ways = {guest: lambda guest=guest: context.bring_up(guest, vcpus, apic) for guest in GUESTS}
    taken = stats.interleave(repeats, {**ways, "idle": idle})
    row = {"vcpus": vcpus, "apic": apic, "idle_kib": stats.summary(taken["idle"])}
    for guest in GUESTS:
        runs = taken[guest]
        row[guest] = {
            "exits": summary([per_ap(run, "aps", "exits") for run in runs]),
            "instructions": summary([per_ap(run, "aps", "insn_emulation") for run in runs]),
            "control_exits": summary([per_ap(run, "control", "exits") for run in runs]),
            "control_instructions": summary([per_ap(run, "control", "insn_emulation") for run in runs]),
            "host_kib": stats.summary(run["host_kib"] for run in runs),
            "resident_kib": stats.summary(run["resident_kib"] for run in runs),
        }
    return row


def is_seen(row):
    """Whether the memory stands out from what the host's goes up and down by itself."""
    return row["protocol"]["host_kib"]["median"] > row["idle_kib"]["high"]


def host_memory(row, scale):
    """A cell with the host's memory, KiB times `scale`."""
    return markdown.spread(row["protocol"]["host_kib"], scale) if is_seen(row) else NOT_SEEN


def measure(context):
    rows = []
    for apic in LAPICS:
        for vcpus in QUICK_SIZES if context.quick else SIZES:
            row = measure_one(context, vcpus, apic)
            cost = row["protocol"]
            context.say(
                f"{vcpus} CPUs, LAPICs {apic}: for each AP {markdown.spread(cost['instructions'])} instructions and"
                f" {markdown.spread(cost['exits'])} exits, the control CPU"
                f" {markdown.spread(cost['control_instructions'])} and {markdown.spread(cost['control_exits'])};"
                f" host memory, MiB: {host_memory(row, 1 / 1024)}"
            )
            rows.append(row)
            context.keep({"rows": rows})
    return {"rows": rows}


def targets(result):
    return [
        (
            f"{row['vcpus']} vCPUs, LAPICs {row['apic']}: less than 1 GiB of host memory",
            row["protocol"]["host_kib"]["high"] < MOST_MEMORY_KIB if is_seen(row) else None,
            f"{row['protocol']['host_kib']['high'] / 1024:.0f} MiB at most" if is_seen(row) else NOT_SEEN,
        )
        for row in result["rows"]
        if row["vcpus"] == TARGET_SIZE
    ]


def counters(result):
    head = ["CPUs, LAPICs", "guest", "instructions of an AP", "exits of an AP", "control CPU: instructions", "exits"]
    rows = []
    for row in result["rows"]:
        for guest, name in (("protocol", "protocol"), ("long", "floor, long mode")):
            keys = ("instructions", "exits", "control_instructions", "control_exits")
            rows.append(
                [f"{row['vcpus']}, {row['apic']}", name, *(markdown.spread(row[guest][key]) for key in keys)]
            )
    return markdown.table(head, rows)


def memory(result):
    head = ["CPUs, LAPICs", "host memory, MiB", "of it the process's own", "KiB for each vCPU", "idle, MiB", "runs"]
    rows = []
    for row in result["rows"]:
        cost = row["protocol"]
        rows.append(
            [
                f"{row['vcpus']}, {row['apic']}",
                host_memory(row, 1 / 1024),
                markdown.spread(cost["resident_kib"], 1 / 1024),
                host_memory(row, 1 / row["vcpus"]),
                markdown.spread(row["idle_kib"], 1 / 1024),
                len(cost["host_kib"]["values"]),
            ]
        )
    return markdown.table(head, rows)


def report(result):
    return (
        "For each AP of one bring-up in parallel, waiting by halting, by KVM's own statistics of each vCPU. Exits are"
        " `exits`. Instructions are `insn_emulation`: on a KVM that interprets ring 0 that is each instruction of the"
        " guest, elsewhere only those that KVM emulates. The control CPU's are of its whole run, its boot"
        " included, shared among the APs. Median (lowest to highest).\n\n"
        f"{counters(result)}\n"
        "Host memory is what there was less of during the run than before the machine was built, of `MemAvailable` and"
        " the free pages that each CPU keeps aside (`/proc/zoneinfo`) together: guest memory and what KVM keeps of each"
        " vCPU are in it. Other processes' is too; *idle* is how far the same sum goes up and down in"
        f" {IDLE_MS / 1e3:g} s in which nothing is started, by turns with the runs, and a cell that does not exceed it"
        " has no number.\n\n"
        f"{memory(result)}"
    )
