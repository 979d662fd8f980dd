"""guest.elf under QEMU, as the cases have it."""

import re
import subprocess
import sys
from pathlib import Path

import stamped
from errors import BenchError

sys.path.append(str(Path(__file__).resolve().parents[1] / "qemu"))
import boot  # noqa: E402 the test of the guest under QEMU: what it must say


def missing(accel):
    """Why it cannot be run here, or None."""
    return boot.why_not(accel)


def version():
    """Of QEMU, by its own words."""
    done = subprocess.run([boot.QEMU, "--version"], capture_output=True, text=True, check=True, timeout=30)
    return re.search(r"version (\S+)", done.stdout)[1]


def run_guest(context, machine, accel, vcpus, bound, *options):
    """Boots the guest. All of its CPUs must come up, and each in its place. Returns a Stamped."""
    command = boot.command(context.guest, machine, accel, str(vcpus), boot.words_of(options))
    done = stamped.run(context, command, bound)
    lines = [text for _, text in done.lines]
    if bad := boot.complaints(vcpus, 1, options, done.status, lines):
        raise BenchError(f"the guest under {machine} on {accel}, {vcpus} CPUs: {'; '.join(bad)}")
    return done


def field(done, line, name):
    """A number that the guest says in the line that begins so."""
    for _, text in done.lines:
        if text.startswith(f"reveille: {line}"):
            return int(boot.fields(text)[name])
    raise BenchError(f"the guest does not say {line}")
