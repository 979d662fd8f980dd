"""What `vmm suite --tap` writes, read by Perl's TAP::Parser, which is what prove reads with."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import test_suite

BROKEN = """echo '{"schema": 1, "exit": 4, "verdict": "broken", "differences": ["CPU 1 is late", "CPU 2 too"],'
echo '"invariants": [{"name": "one-writer", "holds": false, "evidence": "<two>"}]}'
exit 4"""

# Prints what the parser has understood, as JSON.
PARSER = r"""
use TAP::Parser; use JSON::PP;
my $parser = TAP::Parser->new({ tap => do { local $/; <STDIN> } });
my @points; my $bail;
while (my $result = $parser->next) {
  if ($result->is_test) {
    push @points, { number => 0 + $result->number, ok => $result->is_actual_ok ? 1 : 0,
                    what => $result->description, directive => $result->directive, why => $result->explanation };
  } elsif ($result->is_yaml) { $points[-1]{yaml} = $result->data; }
  elsif ($result->is_bailout) { $bail = $result->explanation; }
  elsif ($result->is_unknown) { push @points, { unknown => $result->raw }; }
}
print encode_json({ points => \@points, bail => $bail, planned => $parser->tests_planned,
                    errors => [ $parser->parse_errors ], skip_all => $parser->skip_all });
"""


class Tap(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reveille-tap-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.fake = self.folder / "fake-vmm"
        self.fake.write_text(test_suite.FAKE)
        self.fake.chmod(0o755)

    def scenario(self, name, does, text=test_suite.ONE_CPU):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "".join(f"# {line}\n" for line in does.splitlines()))

    def suite(self, *arguments, tap="out.tap"):
        """What the parser reads of it; the process is in self.done."""
        self.done = subprocess.run(
            [test_suite.DRIVER, str(self.fake), "60000", "s", "--tap", tap, *arguments], cwd=self.folder,
            capture_output=True, check=False, timeout=test_suite.PATIENCE,
        )  # fmt: skip
        text = self.done.stdout if tap == "-" else (self.folder / tap).read_bytes()
        return self.parse(text)

    def parse(self, text):
        done = subprocess.run(["perl", "-e", PARSER], input=text, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_every_kind_of_outcome(self):
        self.scenario("s/a-passes.toml", test_suite.PASSES)
        self.scenario("s/b-fails.toml", test_suite.FAILS)
        self.scenario("s/c-broken.toml", BROKEN)
        self.scenario("s/d-crashes.toml", "kill -SEGV $$")
        self.scenario("s/e-refused.toml", "result unsupported 3 '\"no KVM\"'")
        read = self.suite()
        self.assertEqual((read["errors"], read["planned"], read["bail"]), ([], 5, None))
        points = read["points"]
        self.assertEqual([p["ok"] for p in points], [1, 0, 0, 0, 1])
        self.assertEqual(points[0]["what"], "- s/a-passes.toml")
        self.assertEqual((points[4]["directive"], points[4]["why"]), ("SKIP", "no KVM"))
        broken = points[2]["yaml"]
        self.assertEqual(broken["findings"], "CPU 1 is late\nCPU 2 too\none-writer: <two>\n")
        self.assertEqual((broken["message"], broken["severity"]), ("CPU 1 is late", "fail"))
        self.assertEqual(broken["again"], "vmm run s/c-broken.toml --seed 0")
        self.assertEqual(points[3]["yaml"]["severity"], "error")
        self.assertIn("Segmentation fault", points[3]["yaml"]["message"])
        self.assertNotIn("yaml", points[0])

    def test_every_seed_is_a_point_of_its_own(self):
        self.scenario("s/passes.toml", test_suite.PASSES)
        read = self.suite("--repeat", "3", "--seed", "4")
        self.assertEqual([p["what"] for p in read["points"]], [f"- s/passes.toml seed {n}" for n in (4, 5, 6)])

    def test_an_empty_shard_is_a_plan_of_nothing(self):
        self.scenario("s/passes.toml", test_suite.PASSES)
        read = self.suite("--shard", "2/2")
        self.assertEqual((read["points"], read["errors"]), ([], []))
        self.assertEqual(read["skip_all"], "nothing to run")

    def test_an_interrupted_suite_bails_out(self):
        self.scenario("s/a.toml", f"kill -INT $PPID; sleep 0.3; {test_suite.PASSES}")
        self.scenario("s/b.toml", test_suite.PASSES)
        read = self.suite()
        self.assertEqual(self.done.returncode, 130)
        self.assertEqual((len(read["points"]), read["planned"]), (1, 2))
        self.assertEqual(read["bail"], "interrupted: 1 runs were not started")

    def test_on_standard_output_it_is_alone(self):
        self.scenario("s/passes.toml", test_suite.PASSES)
        read = self.suite(tap="-")
        self.assertEqual((read["errors"], len(read["points"])), ([], 1))
        self.assertTrue(self.done.stdout.startswith(b"TAP version 13\n"))
        self.assertIn(b"PASS", self.done.stderr)

    def test_the_parser_sees_what_is_wrong(self):
        self.assertTrue(self.parse(b"TAP version 13\n1..2\nok 1 - a\n")["errors"])


if __name__ == "__main__":
    unittest.main()
