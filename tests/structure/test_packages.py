"""./run, ./test and ./bench install what is missing, and only that; without root they say what to install.

dpkg-query, apt-get and id are stood in for by scripts in front of the PATH.
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def wanted(*kinds):
    lines = (ROOT / "scripts/packages.txt").read_text().splitlines()
    return [line.split()[1] for line in lines if line.split()[0] in kinds]


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bin = Path(folder.name)

    def stand_in(self, name, script):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def system(self, installed, uid, apt="exit 0"):
        """A machine with these packages, used by this user."""
        lines = "".join(f"echo installed {name}\n" for name in installed)
        # As the real one: it fails when it does not know one of the names.
        self.stand_in("dpkg-query", f"{lines}echo unknown-package >&2; exit 1")
        self.stand_in("id", f"echo {uid}")
        self.stand_in("apt-get", f'echo "$@" >> {self.bin}/apt.log\n{apt}')

    def ensure(self, *kinds):
        code = "set -euo pipefail; source scripts/common.sh; source scripts/packages.sh; ensure_packages "
        return subprocess.run(
            ["bash", "-c", code + " ".join(kinds)],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def apt_calls(self):
        log = self.bin / "apt.log"
        return log.read_text().splitlines() if log.exists() else []

    def test_nothing_missing_asks_nobody(self):
        self.system(wanted("run"), uid=1000)
        done = self.ensure("run")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.apt_calls(), [])

    def test_without_root_it_says_what_to_install(self):
        self.system([n for n in wanted("run", "test") if n not in ("g++", "clang-tidy")], uid=1000)
        done = self.ensure("run", "test")
        self.assertEqual(done.returncode, 3)
        self.assertIn("apt-get install --no-install-recommends clang-tidy g++\n", done.stderr)
        self.assertEqual(self.apt_calls(), [])

    def test_run_needs_only_what_it_builds_with(self):
        self.system([], uid=1000)
        done = self.ensure("run")
        self.assertEqual(done.returncode, 3)
        for name in wanted("run"):
            self.assertIn(name, done.stderr)
        for name in wanted("test"):
            self.assertNotIn(f" {name} ", done.stderr)

    def test_root_installs_just_what_is_missing(self):
        self.system([n for n in wanted("run") if n != "libelf-dev"], uid=0)
        done = self.ensure("run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(
            self.apt_calls(), ["update", "install -y --no-install-recommends libelf-dev"]
        )

    def test_a_failed_installation_is_shown(self):
        self.system([n for n in wanted("run") if n != "libelf-dev"], uid=0, apt="echo no network; exit 100")
        done = self.ensure("run")
        self.assertEqual(done.returncode, 3)
        self.assertIn("no network", done.stderr)
        self.assertIn("could not install: libelf-dev", done.stderr)

    def test_the_scripts_start_with_it(self):
        for script in ("./run", "./test", "./bench"):
            self.system([], uid=1000)
            done = subprocess.run(
                [script],
                cwd=ROOT,
                env={**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            self.assertTrue(done.stderr.startswith("missing packages: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
