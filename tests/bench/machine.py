"""The machine that something was measured on."""

import json
import os
import platform
import subprocess
from pathlib import Path

DOCTOR_PATIENCE = 120  # s


def first_field(path, key):
    """What stands behind `key` in a file of lines such as "key : value"."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() == key:
            return value.strip()
    return "unknown"


def kib_of_memory(field):
    """A field of /proc/meminfo, KiB."""
    return int(first_field("/proc/meminfo", field).split()[0])


def probes(vmm):
    """What `vmm doctor` finds out about the host's KVM: a list of name, standing and finding."""
    done = subprocess.run(
        [vmm, "doctor", "--json", "-"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DOCTOR_PATIENCE,
    )  # fmt: skip
    return [
        {key: probe[key] for key in ("name", "standing", "found")} for probe in json.loads(done.stdout)["probes"]
    ]


def describe(vmm):
    """CPU, memory, kernel and KVM."""
    return {
        "cpu": first_field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": kib_of_memory("MemTotal") // 1024,
        "kernel": platform.release(),
        "kvm": probes(vmm),
    }


def line(machine):
    """The machine in one line."""
    gib = machine["memory_mib"] / 1024
    return f"{machine['cores']} cores of {machine['cpu']}, {gib:.0f} GiB, Linux {machine['kernel']}"
