"""What `vmm suite --junit` and `vmm run --junit` write, held against junit.xsd by xmllint, and against
the JSON of the same runs.
"""

import json
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import test_suite

SCHEMA = Path(__file__).with_name("junit.xsd")
VMM = os.environ.get("REVEILLE_VMM")
BROKEN = """echo '{"schema": 1, "exit": 4, "verdict": "broken", "differences": ["CPU 1 is late", "CPU 2 too"],'
echo '"invariants": [{"name": "accounted", "holds": true}, {"name": "one-writer", "holds": false, "evidence": "<two>"}]}'
exit 4"""
# What a title may hold, control characters not being among it: markup, and what is no character.
TITLE = r"""title = "<&> ]]> \"'\uFFFE \u00e4"
"""


def schema_errors(xml):
    """What xmllint has against it; empty: nothing."""
    done = subprocess.run(
        ["xmllint", "--noout", "--nonet", "--schema", str(SCHEMA), "-"],
        input=xml, capture_output=True, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stderr.decode()


class Junit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reveille-junit-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.fake = self.folder / "fake-vmm"
        self.fake.write_text(test_suite.FAKE)
        self.fake.chmod(0o755)

    def scenario(self, name, does, text=test_suite.ONE_CPU):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "".join(f"# {line}\n" for line in does.splitlines()))

    def run_it(self, command, junit="out.xml"):
        """The test suite that it wrote; its exit status is in self.status."""
        done = subprocess.run(
            [*command, "--junit", junit], cwd=self.folder, capture_output=True, check=False,
            timeout=test_suite.PATIENCE,
        )  # fmt: skip
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.xml = self.out if junit == "-" else (self.folder / junit).read_bytes()
        self.assertEqual(schema_errors(self.xml), "")
        root = ElementTree.fromstring(self.xml)
        suite = root.find("testsuite")
        for sums in (root, suite):
            self.assertEqual(int(sums.get("tests")), len(suite.findall("testcase")))
            for element, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
                if sums.get(attribute) is not None:
                    self.assertEqual(int(sums.get(attribute)), len(suite.findall(f"testcase/{element}")))
        return suite

    def suite(self, *arguments, allowance=60_000, junit="out.xml", paths=("s",)):
        return self.run_it([test_suite.DRIVER, str(self.fake), str(allowance), *paths, *arguments], junit)

    def outcomes(self, suite):
        """Per case: what it came to, and the type."""
        found = {}
        for case in suite.findall("testcase"):
            why = [child for child in case if child.tag in ("failure", "error", "skipped")]
            found[f"{case.get('classname')} {case.get('name')}"] = (why[0].tag, why[0].get("type")) if why else None
        return found

    def test_every_kind_of_outcome(self):
        self.scenario("s/passes.toml", test_suite.PASSES)
        self.scenario("s/sub/fails.toml", test_suite.FAILS)
        self.scenario("s/sub/broken.toml", BROKEN)
        self.scenario("s/crashes.toml", "kill -SEGV $$")
        self.scenario("s/refused.toml", "result unsupported 3 '\"no KVM\"'")
        self.scenario("s/invalid.toml", "", text="[machine]\nvcpus = 0\n")
        suite = self.suite("--json", "out.json")
        self.assertEqual(self.outcomes(suite), {
            "s passes": None,
            "s.sub fails": ("failure", "fail"),
            "s.sub broken": ("failure", "broken"),
            "s crashes": ("error", "broken"),
            "s refused": ("skipped", "unsupported"),
            "s invalid": ("error", "invalid"),
        })  # fmt: skip
        summary = json.loads((self.folder / "out.json").read_text())["summary"]
        self.assertEqual(self.status, summary["exit"])
        commands = {failure["scenario"]: failure["command"] for failure in summary["failures"]}
        texts = {case.get("name"): case for case in suite.findall("testcase")}
        for file, command in commands.items():
            for text in texts[Path(file).stem].itertext():
                if "again: " in text:
                    self.assertTrue(text.endswith(f"again: {command}"), text)
        broken = texts["broken"].find("failure")
        self.assertEqual(broken.get("message"), "CPU 1 is late")
        self.assertTrue(broken.text.startswith("CPU 1 is late\nCPU 2 too\none-writer: <two>\nagain: "), broken.text)
        self.assertIn("Segmentation fault", texts["crashes"].find("error").get("message"))
        self.assertEqual(texts["refused"].find("skipped").get("message"), "no KVM")

    def test_a_run_that_hangs_is_an_error_of_its_own(self):
        self.scenario("s/hangs.toml", "exec sleep 100", text=test_suite.SHORT)
        suite = self.suite(allowance=300 - test_suite.SHORT_BOUND_MS)
        self.assertEqual(self.outcomes(suite), {"s hangs": ("error", "hung")})
        case = suite.find("testcase")
        self.assertTrue(case.find("error").get("message").startswith("hung: "))
        self.assertGreaterEqual(float(case.get("time")), 0.3)

    def test_titles_names_and_logs_may_hold_anything(self):
        self.scenario("s/a\x07 & <b>.toml", r"printf '\033[31m \377 ]]>' >&2" + "\n" + test_suite.FAILS,
                      text=TITLE + test_suite.ONE_CPU)  # fmt: skip
        case = self.suite().find("testcase")
        self.assertEqual(case.get("name"), "a\\x07 & <b>")
        self.assertIn("title: <&> ]]> \"'? \u00e4\n", case.find("system-out").text)
        self.assertEqual(case.find("system-err").text, "\\x1b[31m \\xff ]]>")

    def test_every_seed_and_shard_is_a_case_of_its_own(self):
        self.scenario("s/passes.toml", test_suite.PASSES)
        self.scenario("s/fails.toml", 'if [ "$seed" = 5 ]; then\n' + test_suite.FAILS + "\nfi\n" + test_suite.PASSES)
        suite = self.suite("--repeat", "3", "--seed", "4", "--shard", "1/2", "--set", "machine.vcpus=2")
        self.assertEqual(list(self.outcomes(suite)), ["s fails seed 4", "s fails seed 6", "s passes seed 5"])
        properties = {p.get("name"): p.get("value") for p in suite.find("properties")}
        self.assertEqual(properties, {"backend": "kvm", "scenarios": "s", "set": "machine.vcpus=2", "seed": "4",
                                      "repeat": "3", "shard": "1/2"})  # fmt: skip
        self.assertIn("\nseed: 6\nagain: vmm run s/fails.toml --set machine.vcpus=2 --seed 6",
                      suite.findall("testcase")[1].find("system-out").text)  # fmt: skip

    def test_an_empty_shard_is_a_file_without_cases(self):
        self.scenario("s/passes.toml", test_suite.PASSES)
        self.assertEqual(self.outcomes(self.suite("--shard", "2/2")), {})
        self.assertEqual(self.status, 0)

    def test_on_standard_output_it_is_alone(self):
        self.scenario("s/passes.toml", test_suite.PASSES)
        self.suite(junit="-")
        self.assertTrue(self.out.startswith(b"<?xml"), self.out)
        self.assertIn(b"PASS", self.err)

    def test_the_schema_refuses_what_is_wrong(self):
        self.scenario("s/fails.toml", test_suite.FAILS)
        self.suite()
        for right, wrong in ((b' name="fails"', b""), (b"<failure", b"<success"), (b' tests="1"', b' tests="one"'),
                             (b"</system-out>", b"\x07</system-out>"), (b"fail\" message", b"fail\" massage"),
                             (b"</testsuite>", b"</testsuites>"), (b"</failure>", b"</failure><error/>")):  # fmt: skip
            self.assertIn(right, self.xml.replace(b"</failure", b"</failure"), right)
            self.assertNotEqual(schema_errors(self.xml.replace(right, wrong, 1)), "", (right, wrong))

    @unittest.skipUnless(VMM, "there is no vmm")
    def test_one_run(self):
        self.scenario("s/one.toml", "", text=TITLE + "[machine]\nvcpus = 4\n")
        command = [VMM, "run", "s/one.toml", "--backend", "sim", "--seed", "3"]
        suite = self.run_it(command)
        self.assertEqual((self.status, self.outcomes(suite)), (0, {"s one": None}))
        properties = {p.get("name"): p.get("value") for p in suite.find("properties")}
        self.assertEqual(properties, {"backend": "sim", "seed": "3",
                                      "again": f"{VMM} run s/one.toml --seed 3 --backend sim"})  # fmt: skip
        suite = self.run_it([*command, "--set", "expect.online=0-2"], junit="-")
        self.assertEqual((self.status, self.outcomes(suite)), (1, {"s one": ("failure", "fail")}))
        self.assertIn("CPU 3", suite.find("testcase/failure").get("message"))
        self.assertIn(b"FAIL", self.err)


if __name__ == "__main__":
    unittest.main()
