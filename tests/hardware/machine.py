"""One boot of the emulated machine, watched from outside: what it has recorded, and whether it still records."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

# -cpu EPYC alone has no SVM under TCG; nested paging is what KVM calls npt.
QEMU = (
    "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "EPYC,+svm,+npt", "-smp", "2", "-m", "1024",
    "-nodefaults", "-display", "none", "-no-reboot",
    "-append", "console=ttyS0 panic=-1 quiet",
)  # fmt: skip
SILENCE_S = 90  # more than init.sh gives one scenario
POLL_S = 0.2
NICE = 10


def boot(kernel, image, console, bound_s):
    """Boots, and returns what came out of the second serial port. The machine is ended when it has recorded
    nothing for SILENCE_S, or at the bound: one that has stopped making progress loses no more than that.
    The console goes to the file of that name, after what QEMU itself has to say.
    """
    with tempfile.TemporaryDirectory() as folder:
        initrd, recorded = Path(folder, "initrd"), Path(folder, "recorded")
        initrd.write_bytes(image)
        recorded.touch()
        command = [
            *QEMU, "-kernel", kernel, "-initrd", initrd, "-serial", "stdio", "-serial", f"file:{recorded}",
        ]  # fmt: skip
        with open(console, "wb") as log, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=lambda: os.nice(NICE)
        ) as qemu:
            try:
                watch(qemu, recorded, bound_s)
            finally:
                qemu.kill()
        return recorded.read_bytes().decode(errors="replace")


def watch(qemu, recorded, bound_s):
    """Returns when the machine has ended, has been silent for too long, or is at its bound."""
    began = last = time.monotonic()
    size = 0
    while qemu.poll() is None:
        now = time.monotonic()
        if recorded.stat().st_size != size:
            size, last = recorded.stat().st_size, now
        if now - last > SILENCE_S or now - began > bound_s:
            return
        time.sleep(POLL_S)
