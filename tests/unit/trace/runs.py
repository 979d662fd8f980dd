"""Simulated runs with `--trace`, for the tests of what it writes."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VMM = os.environ.get("REVEILLE_VMM", ROOT / "build/bin/vmm")

# Of each kind of thing that can be in a trace at least one.
SCENARIOS = (
    "parallel-8", "serial-8", "tree-cycles-8", "faults/two-stalls", "faults/delay-at-kick", "faults/fail-starting",
    "faults/second-attempt-succeeds", "faults/down-stall-dying", "faults/late-release-stop-none", "faults/skew",
    "field/29-five-failures-at-once",
)  # fmt: skip


class Runs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reveille-trace-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def vmm(self, *arguments):
        return subprocess.run(
            [VMM, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip

    def traced(self, scenario, name, *arguments):
        """The text of its trace, and its result."""
        trace, result = self.folder / name, self.folder / "result.json"
        done = self.vmm("run", f"configs/{scenario}.toml", "--backend", "sim", "--trace", trace, "--json", result,
                        *arguments)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return trace.read_text(), json.loads(result.read_text())
