"""Runs every scenario in configs/ on KVM and on the simulator, and holds the results against each other.

  agree.py VMM [--only NAME]   both; exits 77, skipped, where KVM cannot run it
  agree.py VMM --sim           the simulator alone: as each scenario expects, the same bytes twice

Each must come out as its [expect] says, and each CPU must have the same outcome, the same reason at the same place and as many attempts. What
the simulator cannot express stands in agree.toml, with the reason; that may be one scenario in
twenty, and one that it can express after all is an error too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import run_scenario

ROOT = Path(__file__).resolve().parents[2]
EXCEPTIONS = Path(__file__).resolve().with_suffix(".toml")
MOST_EXCEPTIONS = 0.05
COMPARED = ("outcome", "reason", "attempts", "quarantined")
RUN_S = 200


def scenarios():
    return sorted(p.relative_to(ROOT / "configs").with_suffix("").as_posix() for p in (ROOT / "configs").rglob("*.toml"))


def exceptions(path=EXCEPTIONS):
    """Why the simulator cannot run a scenario, by its name."""
    return {e["scenario"]: e["reason"] for e in tomllib.loads(path.read_text()).get("cannot", [])}


def wrong_with(cannot, names):
    """What is wrong with the list of exceptions, as sentences."""
    for name, reason in cannot.items():
        if name not in names:
            yield f"{name}: stands in agree.toml, and there is no such scenario"
        if not reason.strip():
            yield f"{name}: stands in agree.toml without a reason"
    if len(cannot) > MOST_EXCEPTIONS * len(names):
        yield f"{len(cannot)} of {len(names)} scenarios cannot be simulated, more than {MOST_EXCEPTIONS:.0%}"


def run(vmm, name, backend):
    """The exit status, and the result or null."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "result.json")
        command = [vmm, "run", f"configs/{name}.toml", "--backend", backend, "--json", out, "--log-level", "off"]
        done = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=RUN_S
        )
        return done.returncode, out.read_text() if out.exists() else None


def differences(kvm, sim):
    """Where two results tell of different things, as sentences."""
    if len(kvm["cpus"]) != len(sim["cpus"]):
        yield f"{len(kvm['cpus'])} CPUs on KVM, {len(sim['cpus'])} simulated"
    for a, b in zip(kvm["cpus"], sim["cpus"]):
        for what in COMPARED:
            if a[what] != b[what]:
                yield f"CPU {a['cpu']}: {what} is {a[what]} on KVM, {b[what]} simulated"
    if len(kvm["faults"]) != len(sim["faults"]):
        yield f"{len(kvm['faults'])} accounts of faults on KVM, {len(sim['faults'])} simulated"
    for a, b in zip(kvm["faults"], sim["faults"]):
        if a != b:
            yield f"fault {a['fault']} on CPU {a['cpu']} fired {a['fired']} times on KVM, {b['fired']} simulated"


def look(vmm, name, backend):
    """What is wrong with a run by itself, as sentences; its result as text; whether the backend cannot run it."""
    status, text = run(vmm, name, backend)
    if text is None:
        return [f"{backend}: exit {status} and no result"], None, status == run_scenario.HOST_CANNOT
    result = json.loads(text)
    problems = list(run_scenario.schema_errors(result)) + list(run_scenario.contradictions(result, status))
    if status != 0:
        problems += [f"exit {status}", *result["differences"]]
    return [f"{backend}: {p}" for p in problems], text, status == run_scenario.HOST_CANNOT


def look_at(vmm, name, cannot, sim_only):
    """What is wrong with one scenario, as sentences; or None: this host cannot run it."""
    problems, simulated, refused = look(vmm, name, "sim")
    if name in cannot:
        problems = [] if refused else problems or ["stands in agree.toml, and can be simulated after all"]
        simulated = None
    if sim_only:
        twice = simulated and run(vmm, name, "sim")[1]
        return problems + (["simulated twice, two results"] if twice != simulated else [])
    on_its_own, on_kvm, lacking = look(vmm, name, "kvm")
    if lacking:
        return None
    problems += on_its_own
    if on_kvm and simulated:
        problems += differences(json.loads(on_kvm), json.loads(simulated))
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vmm")
    parser.add_argument("--sim", action="store_true")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    if not arguments.sim and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: /dev/kvm is missing, or not for this user")
        return run_scenario.SKIPPED
    names, cannot = scenarios(), exceptions()
    problems = list(wrong_with(cannot, names))
    for name in names:
        if arguments.only and arguments.only != name:
            continue
        found = look_at(arguments.vmm, name, cannot, arguments.sim)
        if found is None:
            print(f"skipped: this host cannot run {name}")
            if arguments.only:
                return run_scenario.SKIPPED
        problems += [f"{name}: {p}" for p in found or []]
    print("\n".join(problems))
    print(f"{len(names)} scenarios, {len(cannot)} of them cannot be simulated, {len(problems)} differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
