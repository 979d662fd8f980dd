#!/usr/bin/env python3
"""Boots guest.elf under QEMU and reads what it says on the serial port.

usage: boot.py GUEST MACHINE ACCEL CPUS[,threads=T...] [KEY=VALUE...]

The CPUs are as QEMU's -smp has them. The keys go to the guest's command line as reveille.KEY=VALUE. Exit status
77 where this host cannot run it.
"""

import os
import re
import shutil
import subprocess
import sys

SKIPPED = 77
QEMU = "qemu-system-x86_64"
TIMEOUT_S = 120
ALL_UP = 33  # QEMU's status, from isa-debug-exit


def why_not(accel):
    if shutil.which(QEMU) is None:
        return f"{QEMU} is not installed"
    if accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm cannot be opened"
    return None


def command(kernel, machine, accel, cpus, words):
    """QEMU's command line, with the words on the kernel's."""
    return [
        QEMU, "-M", machine, "-accel", accel, "-cpu", "qemu64", "-smp", cpus, "-m", "256", "-nodefaults",
        "-no-reboot", "-display", "none", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
        "-kernel", kernel, "-append", " ".join(words)
    ]


def words_of(options):
    """What the guest is told, on its command line."""
    return [f"reveille.{option}" for option in options]


def run(guest, machine, accel, cpus, options):
    return subprocess.run(
        command(guest, machine, accel, cpus, words_of(options)), stdin=subprocess.DEVNULL, capture_output=True,
        timeout=TIMEOUT_S)


def fields(line):
    return dict(re.findall(r"(\w+)=(\S+)", line))


def primaries(ids, threads):
    """Of each CPU the first one in its core, by CPU number: APIC IDs of threads differ in their low bits alone."""
    cores = [apic_id >> (threads - 1).bit_length() for apic_id in ids]
    return [cores.index(core) for core in cores]


def complaints(cpus, threads, options, status, lines):
    """What is wrong with a run, as a list of sentences."""
    bad = []
    if status != ALL_UP:
        bad.append(f"QEMU's status is {status}, not {ALL_UP}")
    bad += [f"the guest says: {line}" for line in lines if "panic" in line or "refused" in line]
    first = [fields(line) for line in lines if line.startswith("reveille: cpus=")]
    if len(first) != 1 or first[0].get("cpus") != str(cpus):
        bad.append(f"it does not announce {cpus} CPUs")
    for option in options:
        key, value = option.split("=", 1)
        if key in ("strategy", "wait") and first and first[0].get(key) != value:
            bad.append(f"it announces another {key} than {value}")
    if [line for line in lines if line.startswith("reveille:")][1:2] != ["reveille: decided"]:
        bad.append("it does not say at once that every CPU is decided")
    each = [fields(line) for line in lines if line.startswith("reveille: cpu=")]
    if [e["cpu"] for e in each] != [str(n) for n in range(cpus)]:
        bad.append("there is not one line for each CPU, in order")
    if len({e.get("apic_id") for e in each}) != len(each):
        bad.append("two CPUs have the same APIC ID")
    expected = primaries([int(e.get("apic_id", 0)) for e in each], threads)
    bad += [
        f"CPU {e['cpu']} has primary {e.get('primary')}, not {primary}"
        for e, primary in zip(each, expected) if e.get("primary") != str(primary)
    ]
    bad += [f"CPU {e['cpu']} is {e.get('outcome')}" for e in each if e.get("outcome") != "online"]
    bad += [f"CPU {e['cpu']} took {e['attempts']} attempts" for e in each if e.get("attempts", "1") != "1"]
    bad += [f"CPU {e['cpu']} has no time of its activation" for e in each[1:] if "active_us" not in e]
    last = [fields(line) for line in lines if line.startswith("reveille: online=")]
    if len(last) != 1 or last[0].get("online") != str(cpus) or last[0].get("failed") != "0":
        bad.append("the last line does not say that all are online")
    if last and "lost_events" in last[0]:
        bad.append(f"{last[0]['lost_events']} events found no room: their times are not told")
    return bad


def main(guest, machine, accel, smp, *options):
    cpus = smp.split(",")[0]
    threads = int((re.findall(r"\bthreads=(\d+)", smp) or [1])[0])
    reason = why_not(accel)
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    try:
        done = run(guest, machine, accel, smp, options)
    except subprocess.TimeoutExpired as late:
        print(f"no end after {TIMEOUT_S} s\n{(late.stdout or b'').decode(errors='replace')}")
        return 1
    output = done.stdout.decode(errors="replace")
    bad = complaints(int(cpus), threads, options, done.returncode, output.replace("\r", "").splitlines())
    if bad:
        print("\n".join(bad))
        print(f"-- serial port\n{output}\n-- QEMU\n{done.stderr.decode(errors='replace')}")
        return 1
    print(output.strip().splitlines()[-1])
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
