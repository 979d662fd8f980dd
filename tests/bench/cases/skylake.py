"""A published bring-up, with its parts injected as delays: what each strategy makes of it."""

import markdown
import stats

NAME = "skylake"
TITLE = "Two sockets of Skylake, as delays"
ORDER = 50
SECONDS = 50
QUICK_SECONDS = 11

# "Components on that Skylake" (Linux, cover letter of the reworked parallel bring-up series, 2023-04-15): PREPARE
# on the control CPU for each AP; from its kick to alive, the slow end; the microcode update, which a core's first
# thread makes for both.
PREPARE_MS = 0.35
ALIVE_MS = 3.5
MICROCODE_MS = 8
THREADS_PER_CORE = 2
PUBLISHED = (("before, one after the other", 786), ("after, kicked side by side", 84))  # ms, 112 threads
SIZE = 112
SIM_SIZES = (SIZE, 1920, 100_000)
QUICK_SIM_SIZES = (SIZE, 1920)
STRATEGIES = ("serial", "split", "parallel", "tree")
PATIENCE = 120  # s
MOST = 1.5  # in parallel, to the longest single chain


def longest_chain_ms(vcpus):
    """The control CPU prepares all APs, one by one; then the last of them still has to come up."""
    return (vcpus - 1) * PREPARE_MS + ALIVE_MS + MICROCODE_MS


def fault(cpus, place, milliseconds):
    return f'[[fault]]\ncpu = {cpus}\nat = "{place}"\naction = "delay"\nduration_ms = {milliseconds}\n'


def scenario(vcpus, strategy):
    """What is injected has no time of its own in [sim]; the rest keeps its figures."""
    primaries = list(range(THREADS_PER_CORE, vcpus, THREADS_PER_CORE))
    return (
        f"[machine]\nvcpus = {vcpus}\nthreads_per_core = {THREADS_PER_CORE}\n"
        f'[bringup]\nstrategy = "{strategy}"\ntimeout_ms = 600000\n'
        "[sim]\nprepare_us = 0\nwake_us = 0\nboot_us = 0\njitter = 0\n"
        + fault('"all"', "step:area", PREPARE_MS)
        + fault('"all"', "alive", ALIVE_MS)
        + fault(primaries, "step:cpu-tables", MICROCODE_MS)
    )


def bringup_ms(context, vcpus, strategy, backend):
    run = context.run_vmm(scenario(vcpus, strategy), backend=backend, timeout=PATIENCE)
    fired = {fault["fired"] for fault in run.result["faults"]}
    context.require(fired == {1}, f"{vcpus} CPUs, {strategy}, {backend}: delays fired {sorted(fired)} times, not once")
    return run.result["bringup_us"] / 1e3


def measure(context):
    repeats = 2 if context.quick else 5
    taken = stats.interleave(
        repeats, {s: lambda s=s: bringup_ms(context, SIZE, s, "kvm") for s in STRATEGIES}
    )
    kvm = {strategy: stats.summary(values) for strategy, values in taken.items()}
    result = {"kvm": kvm, "chain_ms": longest_chain_ms(SIZE), "sim": []}
    for vcpus in QUICK_SIM_SIZES if context.quick else SIM_SIZES:
        context.say(f"{vcpus} CPUs on the simulator")
        took = {strategy: bringup_ms(context, vcpus, strategy, "sim") for strategy in STRATEGIES}
        result["sim"].append({"vcpus": vcpus, "chain_ms": longest_chain_ms(vcpus), "bringup_ms": took})
        context.keep(result)
    return result


def targets(result):
    chain = result["chain_ms"]
    runs = [("KVM", SIZE, chain, result["kvm"]["parallel"]["median"])]
    runs += [("the simulator", row["vcpus"], row["chain_ms"], row["bringup_ms"]["parallel"]) for row in result["sim"]]
    return [
        (
            f"{vcpus:,} CPUs on {where}: parallel takes at most {MOST:g} times the longest single chain,"
            f" {markdown.number(limit)} ms",
            took <= MOST * limit,
            f"{markdown.number(took)} ms, {took / limit:.2f} times",
        )
        for where, vcpus, limit, took in runs
    ]


def report(result):
    rows = [["KVM, 112", *(markdown.counted(result["kvm"][s]) for s in STRATEGIES), markdown.number(result["chain_ms"])]]
    for row in result["sim"]:
        numbers = (markdown.number(row["bringup_ms"][s]) for s in STRATEGIES)
        rows.append([f"simulator, {row['vcpus']:,}", *numbers, markdown.number(row["chain_ms"])])
    published = "; ".join(f"{what} {took} ms" for what, took in PUBLISHED)
    return (
        f"A machine of {SIZE} CPUs, two threads to a core, has a delay of {PREPARE_MS} ms in PREPARE of every AP, one"
        f" of {ALIVE_MS} ms between its kick and alive, and one of {MICROCODE_MS} ms in a STARTING step of every"
        f" core's first thread. Published for that machine: {published}. The longest single chain is the control"
        " CPU's PREPARE of all APs, then the last AP's way up: what parallel cannot go below, because one CPU does"
        " all PREPARE. In tree the CPUs that are up prepare others: PREPARE is concurrent, and that bound is not"
        " its. On KVM each delay takes what it takes plus what the host needs to end it, and the guest's own code"
        " comes on top. Milliseconds; on KVM the median (lowest to highest) of so many runs, on the simulator virtual"
        " time, the same in every run.\n\n"
        + markdown.table(["on, CPUs", *STRATEGIES, "longest single chain"], rows)
    )


def plots(result, folder):
    import plot

    of_112 = result["sim"][0]
    groups = {
        "KVM": [result["kvm"][strategy] for strategy in STRATEGIES],
        "simulator": [of_112["bringup_ms"][strategy] for strategy in STRATEGIES],
    }
    plot.bars(
        folder / "skylake.svg", f"{SIZE} CPUs with the delays of a Skylake", "ms", groups, STRATEGIES,
        lines={f"published, {what}": took for what, took in PUBLISHED} | {"longest chain": result["chain_ms"]},
        log=True,
    )  # fmt: skip
    return [("skylake.svg", "Bring-up of 112 CPUs by strategy, on KVM and simulated, beside what was published")]
