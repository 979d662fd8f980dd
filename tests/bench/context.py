"""What a case is given to measure with: paths, sizes, and runs that are bounded and checked."""

import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from errors import BenchError, OutOfTime

BRING_UP_S = 60  # for one bring-up of bringup_cost
MARGIN = 20  # s: for `timed` itself to notice that what it runs is over its time, and to say so


@dataclass
class Timed:
    """One process, from just before it was started until it was gone."""

    status: int
    seconds: float
    user_seconds: float
    system_seconds: float
    peak_kib: int  # of memory that was its own at one time
    out: str
    err: str


@dataclass
class VmmRun:
    """One run of a scenario that did what it should: all CPUs active, no invariant broken."""

    result: dict  # docs/result.schema.json
    process: Timed


class Context:
    """See cases/__init__.py for who uses it."""

    def __init__(self, root, build, quick, say):
        self.root = Path(root)
        self.build = Path(build)
        self.vmm = self.program("vmm")
        self.guest = self.program("guest.elf")
        self.quick = quick
        self.repeats = 3 if quick else 9
        self.say = say  # takes a line of progress
        self.keep = lambda result: None  # takes the result so far, for when the case does not get to its end

    def program(self, name):
        """The path of a program of the build."""
        return self.build / "bin" / name

    @staticmethod
    def require(what, otherwise):
        """Raises BenchError with the sentence `otherwise` unless `what` is true."""
        if not what:
            raise BenchError(otherwise)

    def run(self, command, timeout):
        """Runs a command to its end. `timeout` is in seconds; then it is killed, and OutOfTime raised."""
        with tempfile.TemporaryDirectory(prefix="reveille-bench-") as folder:
            report = Path(folder, "timed.json")
            with open(Path(folder, "out"), "w+b") as out, open(Path(folder, "err"), "w+b") as err:
                watcher = subprocess.Popen(
                    [self.program("timed"), str(timeout), report, *map(str, command)],
                    cwd=self.root, stdin=subprocess.DEVNULL, stdout=out, stderr=err, process_group=0,
                )  # fmt: skip
                try:
                    watcher.wait(timeout + MARGIN)
                except subprocess.TimeoutExpired as error:
                    raise OutOfTime(f"{command[0]} and what watches it took more than {timeout} s") from error
                finally:
                    if watcher.poll() is None:  # over its time, or we are interrupted
                        os.killpg(watcher.pid, signal.SIGKILL)
                        watcher.wait()
                texts = []
                for file in (out, err):
                    file.seek(0)
                    texts.append(file.read().decode(errors="replace"))
            if not report.is_file():
                raise BenchError(f"{command[0]} could not be timed: {texts[1].strip()}")
            told = json.loads(report.read_text())
        if told.pop("out_of_time"):
            raise OutOfTime(f"{command[0]} took more than {timeout} s")
        return Timed(**told, out=texts[0], err=texts[1])

    def run_json(self, command, timeout):
        """Runs a command that must end well and print one JSON document. Returns the document."""
        done = self.run(command, timeout)
        if done.status != 0:
            raise BenchError(f"{command[0]} ended with status {done.status}: {done.err.strip()}")
        return json.loads(done.out)

    def bring_up(self, guest, vcpus, apic):
        """What one bring-up of bringup_cost costs: the document that it prints."""
        command = [self.program("bringup_cost"), "--guest", guest, "--vcpus", vcpus, "--apic", apic]
        return self.run_json(command, BRING_UP_S)

    def run_vmm(self, scenario, *sets, backend="kvm", timeout=120):
        """Runs a scenario, a path or its text, with `--set` for each of `sets`; checks what came of it."""
        with tempfile.TemporaryDirectory(prefix="reveille-bench-") as folder:
            path = scenario
            if not isinstance(scenario, Path):
                path = Path(folder, "scenario.toml")
                path.write_text(scenario)
            document = Path(folder, "result.json")
            command = [self.vmm, "run", path, "--backend", backend, "--json", document]
            for each in sets:
                command += ["--set", each]
            process = self.run(command, timeout)
            result = json.loads(document.read_text()) if document.is_file() else None
        check_run(process, result)
        return VmmRun(result, process)


def check_run(process, result):
    """Raises BenchError unless every CPU came up and no invariant is broken."""
    if result is None:
        raise BenchError(f"vmm left no result, status {process.status}: {process.err.strip()}")
    where = f"{result['title']} ({result['strategy']}, {result['backend']})"
    down = [cpu["cpu"] for cpu in result["cpus"] if cpu["outcome"] != "online"]
    broken = [i["name"] for i in result["invariants"] if i["holds"] is False]
    if down:
        raise BenchError(f"{where}: CPUs {down[:8]} of {len(result['cpus'])} did not come up")
    if broken:
        raise BenchError(f"{where}: broken: {', '.join(broken)}")
    if process.status != 0 or result["verdict"] != "pass":
        raise BenchError(f"{where}: verdict {result['verdict']}, status {process.status}")
