#!/usr/bin/env python3
"""Boots guest.elf under QEMU with a control page in its memory, and judges what it leaves there.

usage: boot_controlled.py GUEST CONTROL_PAGE_TOOL MACHINE ACCEL CPUS

Exit status 77 where this host cannot run it. With KEEP=FILE in the environment the memory is kept.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import boot

ADDRESS = 0x4000000  # anywhere in RAM, page-aligned


class Monitor:
    """QEMU's machine protocol on its standard streams."""

    def __init__(self, process):
        self.process = process
        self.read()  # its greeting
        self.ask("qmp_capabilities")

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise EOFError(f"QEMU has ended: {self.process.wait()}")
        return json.loads(line)

    def ask(self, command, **arguments):
        request = {"execute": command, "arguments": arguments}
        self.process.stdin.write((json.dumps(request) + "\n").encode())
        self.process.stdin.flush()
        while True:
            answer = self.read()
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]


def judge(guest, tool, machine, accel, cpus, folder):
    image, memory = os.path.join(folder, "image"), os.path.join(folder, "memory")
    where = [hex(ADDRESS), cpus]
    subprocess.run([tool, "make", image, *where], check=True)
    size = int(subprocess.run([tool, "size", cpus], check=True, capture_output=True).stdout)
    command = [
        boot.QEMU, "-M", machine, "-accel", accel, "-cpu", "qemu64", "-smp", cpus, "-m", "256", "-nodefaults",
        "-no-reboot", "-display", "none", "-qmp", "stdio", "-kernel", guest, "-append",
        f"reveille.control={ADDRESS:#x}", "-device", f"loader,file={image},addr={ADDRESS:#x},force-raw=on"
    ]
    with open(os.path.join(folder, "stderr"), "wb") as errors:
        qemu = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
    try:
        monitor = Monitor(qemu)
        end = time.monotonic() + boot.TIMEOUT_S
        while time.monotonic() < end:
            time.sleep(0.2)
            monitor.ask("pmemsave", val=ADDRESS, size=size, filename=memory)
            if subprocess.run([tool, "decided", memory, *where]).returncode == 0:
                break
        else:
            print(f"nothing decided after {boot.TIMEOUT_S} s")
        # Whole, and of one moment: the rings are still being written when the last is decided.
        time.sleep(0.2)
        monitor.ask("pmemsave", val=ADDRESS, size=size, filename=memory)
    finally:
        qemu.kill()
        qemu.wait()
    if "KEEP" in os.environ:
        shutil.copy(memory, os.environ["KEEP"])
    return subprocess.run([tool, "check", memory, *where]).returncode


def main(guest, tool, machine, accel, cpus):
    reason = boot.why_not(accel)
    if reason:
        print(f"skipped: {reason}")
        return boot.SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        return judge(guest, tool, machine, accel, cpus, folder)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
