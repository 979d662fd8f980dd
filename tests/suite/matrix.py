"""Holds the matrix of actions and places against what really runs.

  matrix.py VMM BACKEND [--apic MODE]    BACKEND: sim, or kvm; exits 77, skipped, where there is no KVM

For each cell of the table that `vmm markdown fits` prints a scenario with that action at such a place is run.
Where the cell says that it is done, the fault must have fired; where not, it must be refused, and by name.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

RUN_S = 60
USAGE, UNSUPPORTED, BROKEN = 2, 3, 4

# A place for each column, and what it takes for CPU 2 to come there.
STALLS = '[[fault]]\ncpu = 2\nat = "alive"\naction = "stall"\n'
RINGS = '[[fault]]\ncpu = 2\nat = "alive"\naction = "delay"\nduration_ms = 1\n'
PLACES = {
    "points, before and after": ("started", ""),
    "steps": ("step:timer", ""),
    "steps, done": ("step:timer.done", ""),
    "dying, dead": ("dying", ""),
    "kick": ("kick", ""),
    "PREPARE steps": ("step:area", ""),
    "PREPARE steps, done": ("step:area.done", ""),
    "time": ("time:5", ""),
    "init": ("init", ""),
    "sipi, sipi2": ("sipi", ""),
    "stop": ("stop", STALLS),
    "symbol, addr": ("symbol:ap_main", ""),
    "exit": ("exit:1", RINGS),
    "firmware": ("firmware", ""),
}
# What an action needs.
KEYS = {
    "delay": "duration_ms = 5",
    "stall": "duration_ms = 5",
    "freeze": "duration_ms = 5",
    "late-init": "duration_ms = 5",
    "throttle": "duration_ms = 5\npercent = 50",
    "interrupt": "vector = 65",
    "spurious-sipi": "vector = 29",
    "wrong-vector": "vector = 29",
    "jump": "address = 0x11800",
    "redirect": "to = 3",
    "same-id": "to = 3",
    "swap-id": "to = 3",
    "flip": "bits = 1",
    "skew": "skew_us = 200000",
}
# What this host may lack, and says so by a probe.
MAY_LACK = ("TSC offset", "hardware breakpoints")


def matrix(vmm):
    """(action, column, cell) of each cell."""
    text = subprocess.run([vmm, "markdown", "fits"], capture_output=True, text=True, check=True).stdout
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    head, body = rows[0][1:], rows[2:]
    for row in body:
        for column, cell in zip(head, row[1:], strict=True):
            yield row[0].strip("`"), column, cell


def scenario(action, column, cell, apic):
    place, before = PLACES[column]
    before = "" if cell == "no" else before
    cycles = 2 if column == "dying, dead" else 1
    return (
        f'[machine]\nvcpus = 4\napic = "{apic}"\n[bringup]\ntimeout_ms = 100\ncycles = {cycles}\n'
        f'{before}[[fault]]\ncpu = 2\nat = "{place}"\naction = "{action}"\n{KEYS.get(action, "")}\n'
    )


def run(vmm, text, backend):
    """The exit status, what it said, and how often the last fault fired."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "result.json")
        command = [vmm, "run", "-", "--backend", backend, "--json", out, "--log-level", "off"]
        done = subprocess.run(
            command, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=RUN_S
        )
        result = json.loads(out.read_text()) if out.exists() else {"faults": []}
        return done.returncode, done.stdout, [f["fired"] for f in result["faults"]][-1:]


def wrong_with(cell, backend, status, said, fired):
    """What is wrong with a run of that cell, or nothing."""
    if cell == "no":
        return None if status == USAGE and "cannot be at" in said else "it should be refused: it does not go there"
    if cell == "kvm" and backend == "sim":
        return None if status == UNSUPPORTED and "kvm can" in said else "it should say that KVM can"
    if status == UNSUPPORTED and any(lack in said for lack in MAY_LACK):
        return None
    if status in (USAGE, UNSUPPORTED, BROKEN):
        return f"exit status {status}"
    return None if fired == [1] else f"it fired {fired}, not once"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vmm")
    parser.add_argument("backend", choices=["sim", "kvm"])
    parser.add_argument("--apic", default="kernel")
    options = parser.parse_args()
    if options.backend == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: there is no /dev/kvm for us")
        return 77
    cells = wrong = 0
    for action, column, cell in matrix(options.vmm):
        cells += 1
        status, said, fired = run(options.vmm, scenario(action, column, cell, options.apic), options.backend)
        if complaint := wrong_with(cell, options.backend, status, said, fired):
            wrong += 1
            print(f'{action} at {PLACES[column][0]} ("{cell}"): {complaint}\n{said}')
    print(f"{cells} cells, {wrong} wrong")
    return 1 if wrong or not cells else 0


if __name__ == "__main__":
    sys.exit(main())
