"""vmm doctor on this host, and on one whose KVM has been taken away."""

import json
import os
import pty
import resource
import subprocess
import tempfile
import unittest
from pathlib import Path

import lab
import test_host

WITHOUT_KVM = (*test_host.NAMESPACE, "sh", "-ec", 'mount -t tmpfs none /dev; exec "$@"', "sh")
HAS_KVM = os.access("/dev/kvm", os.R_OK | os.W_OK)


class Doctor(unittest.TestCase):
    def doctor(self, *arguments, prefix=(), **more):
        return subprocess.run(
            [*prefix, lab.VMM, "doctor", *arguments],
            capture_output=True, text=True, check=False, timeout=lab.PATIENCE, **more,
        )  # fmt: skip

    def standings(self, findings):
        return {probe["name"]: probe["standing"] for probe in findings["probes"]}

    @unittest.skipUnless(HAS_KVM, "no KVM")
    def test_here(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "host.json")
            done = self.doctor("--json", str(path))
            findings = json.loads(path.read_text())
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual((findings["works"], findings["exit"]), (True, 0))
        standings = self.standings(findings)
        for name in ("/dev/kvm", "kernel LAPIC"):
            self.assertEqual(standings[name], "works")
        self.assertNotIn("not probed", standings.values())
        for name, standing in standings.items():
            self.assertRegex(done.stdout, rf"(?m)^{standing} +{name}")
        for probe in findings["probes"]:
            self.assertEqual(probe["mend"] is None, probe["standing"] == "works", probe)
        self.assertNotIn("\033", done.stdout)

    def limited(self, limit, value, user=None):
        def before():
            resource.setrlimit(limit, (value, value))
            if user is not None:
                os.setuid(user)

        done = self.doctor("--json", "-", preexec_fn=before)
        findings = json.loads(done.stdout)
        self.assertEqual(done.returncode, findings["exit"])
        return findings["exit"], {probe["name"]: probe for probe in findings["probes"]}

    @unittest.skipUnless(HAS_KVM, "no KVM")
    def test_limits_of_this_process(self):
        status, probes = self.limited(resource.RLIMIT_NOFILE, 10)
        self.assertEqual((status, probes["descriptors"]["standing"]), (3, "lacks"))
        self.assertIn("ulimit -Hn", probes["descriptors"]["mend"])
        status, probes = self.limited(resource.RLIMIT_NOFILE, 500)
        self.assertEqual((status, probes["descriptors"]["standing"]), (0, "partly"))
        status, probes = self.limited(resource.RLIMIT_AS, 2 << 30)  # a thread's stack takes 8 MiB
        self.assertEqual((status, probes["threads"]["standing"]), (0, "partly"))
        self.assertRegex(probes["threads"]["found"], r"^\d+ of 1024 started at a time: ")
        self.assertIn("ulimit -v", probes["threads"]["mend"])
        status, probes = self.limited(resource.RLIMIT_AS, 400 << 20)
        self.assertEqual((status, probes["threads"]["standing"]), (0, "partly"))
        self.assertRegex(probes["threads"]["found"], r"^no room for \d+ MiB of guest memory: ")

    @unittest.skipUnless(os.geteuid() == 0, "no limit of threads counts for root, and only root can become another user")
    def test_limit_of_threads(self):
        try:
            _, probes = self.limited(resource.RLIMIT_NPROC, 50, user=65534)
        except (PermissionError, subprocess.SubprocessError):
            self.skipTest("that user cannot reach the vmm")
        self.assertEqual(probes["threads"]["standing"], "partly")
        self.assertIn("ulimit -u", probes["threads"]["mend"])

    @unittest.skipUnless(HAS_KVM, "no KVM")
    def test_json_on_standard_output_is_alone_there(self):
        done = self.doctor("--json", "-")
        self.assertEqual(json.loads(done.stdout)["exit"], done.returncode)
        self.assertIn("what it touches", done.stderr)

    @unittest.skipUnless(test_host.can_unshare(), "no mount namespaces for this user")
    def test_without_kvm(self):
        done = self.doctor("--json", "-", prefix=WITHOUT_KVM)
        self.assertEqual(done.returncode, 3)
        findings = json.loads(done.stdout)
        self.assertEqual((findings["works"], findings["exit"]), (False, 3))
        standings = self.standings(findings)
        self.assertEqual((standings["/dev/kvm"], standings["kernel LAPIC"]), ("lacks", "not probed"))
        self.assertEqual(standings["memory"], "works")
        self.assertEqual(findings["probes"][0]["found"], "cannot open /dev/kvm: No such file or directory")
        text = " ".join(done.stderr.split())
        self.assertIn("load the module", text)
        self.assertIn("vmm run cannot work here on KVM", text)
        self.assertIn("vmm run FILE --backend sim", text)

    def test_colour_is_for_terminals_that_want_it(self):
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            ours, theirs = pty.openpty()
            subprocess.run(
                [lab.VMM, "doctor"], stdout=theirs, stderr=theirs, check=False, timeout=lab.PATIENCE,
                env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment},
            )  # fmt: skip
            os.close(theirs)
            text = b""
            try:
                while chunk := os.read(ours, 65536):
                    text += chunk
            except OSError:  # the other end is closed
                pass
            os.close(ours)
            self.assertEqual(b"\033[" in text, coloured, environment)
            self.assertIn(b"kernel LAPIC", text)


if __name__ == "__main__":
    unittest.main()
