"""`--trace FILE`: JSON that is as docs/trace.schema.json has it, whose slices nest, whose arrows have two
ends, and whose times are those of the result.
"""

import copy
import json
import unittest

import jsonschema
import runs

SCHEMA = json.loads((runs.ROOT / "docs/trace.schema.json").read_text())
VALID = jsonschema.Draft202012Validator(SCHEMA)
LEAST = 0.0011  # microseconds: times are rounded to a nanosecond


def of(trace, phase, **keys):
    return [e for e in trace["traceEvents"] if e["ph"] == phase and all(e.get(k) == v for k, v in keys.items())]


class Perfetto(runs.Runs):
    def trace(self, scenario, *arguments):
        text, result = self.traced(scenario, "trace.json", *arguments)
        trace = json.loads(text)
        self.assertEqual([e.message for e in VALID.iter_errors(trace)], [])
        return trace, result

    def check_nesting(self, trace):
        for thread in of(trace, "M", name="thread_name"):
            inside = []
            for event in of(trace, "X", tid=thread["tid"]):
                begin, end = event["ts"], event["ts"] + event["dur"]
                while inside and inside[-1] <= begin + LEAST:
                    inside.pop()
                self.assertTrue(not inside or end <= inside[-1] + LEAST, event)
                inside.append(end)

    def check_arrows(self, trace):
        """Each arrow begins in a slice of its track and ends in one."""
        ends = of(trace, "f")
        self.assertEqual({e["id"] for e in ends}, {e["id"] for e in of(trace, "s")})
        self.assertTrue({e["id"] for e in of(trace, "t")} <= {e["id"] for e in ends})
        starts = {e["id"]: e for e in of(trace, "s")}
        for end in ends:
            begin = starts[end["id"]]
            self.assertLessEqual(begin["ts"], end["ts"])
            self.assertEqual(begin["name"], end["name"])
            for event, kinds in ((begin, ("kick", "release")), (end, ("wait", "turn", "entry", "late"))):
                at = [x for x in of(trace, "X", tid=event["tid"], ts=event["ts"]) if x["cat"] in kinds]
                self.assertTrue(at, event)

    def check_points(self, trace, result):
        """The point slices of an AP that came up at once end when the result says."""
        if result["strategy"] == "tree" or "skew" in result["scenario"]:
            return
        for cpu in result["cpus"]:
            if cpu["outcome"] != "online" or cpu["cpu"] == 0 or cpu["attempts"] != 1:
                continue
            (thread,) = [t["tid"] for t in of(trace, "M", name="thread_name") if t["args"]["name"] == f"CPU {cpu['cpu']}"]
            last = {turn["name"]: turn["ts"] + turn["dur"] for turn in of(trace, "X", tid=thread, cat="turn")}
            for point, us in list(cpu["points"].items())[1:]:
                self.assertAlmostEqual(last[point], us, delta=0.06)

    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_scenarios(self):
        for scenario in runs.SCENARIOS:
            with self.subTest(scenario):
                trace, result = self.trace(scenario)
                self.check_nesting(trace)
                self.check_arrows(trace)
                self.check_points(trace, result)
                self.assertEqual(trace["otherData"]["verdict"], result["verdict"])
                for cpu in result["cpus"][1:]:
                    names = [t["args"]["name"] for t in of(trace, "M", name="thread_name")]
                    self.assertTrue(any(n.split(",")[0] == f"CPU {cpu['cpu']}" for n in names))
                fired = sum(fault["fired"] for fault in result["faults"])
                self.assertEqual(len(of(trace, "i", cat="fault")), fired)

    def test_a_stall_for_ever_is_a_slice_to_the_end(self):
        trace, _ = self.trace("faults/two-stalls", "--set", "bringup.stop=none")
        holds = of(trace, "X", cat="fault")
        self.assertEqual([h["args"]["cpu"] for h in holds], [2, 5])
        self.assertEqual({h["args"]["end"] for h in holds}, {"still holds"})
        ends = {round(h["ts"] + h["dur"], 2) for h in holds}
        self.assertEqual(len(ends), 1)

    def test_titles_may_hold_anything(self):
        path = self.folder / "s.toml"
        path.write_text('title = "</script> \\"x\\" \\u00e4"\n[machine]\nvcpus = 2\n')
        done = self.vmm("run", path, "--backend", "sim", "--trace", "-")
        trace = json.loads(done.stdout)
        self.assertEqual(trace["otherData"]["title"], '</script> "x" ä')
        self.assertIn("PASS", done.stderr)

    def test_a_run_that_never_began_has_an_empty_one(self):
        path = self.folder / "t.json"
        self.vmm("run", "configs/one.toml", "--guest", "/no/such/guest", "--trace", path)
        trace = json.loads(path.read_text())
        self.assertTrue(VALID.is_valid(trace))
        self.assertEqual(len(trace["traceEvents"]), 1)

    def test_what_cannot_be_written_is_an_error(self):
        done = self.vmm("run", "configs/one.toml", "--backend", "sim", "--trace", "/dev/full")
        self.assertEqual(done.returncode, 2)
        self.assertIn("No space left on device", done.stderr)

    def test_a_suite_has_one_of_each_run(self):
        suite = ("suite", "configs/one.toml", "configs/faults/two-stalls.toml", "--backend", "sim")
        done = self.vmm(*suite, "--trace", self.folder / "t")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.vmm(*suite[:2], "--backend", "sim", "--repeat", "2", "--seed", "7", "--trace", self.folder / "t")
        found = sorted(str(p.relative_to(self.folder / "t")) for p in (self.folder / "t").rglob("*.json"))
        self.assertEqual(found, [
            "configs/faults/two-stalls.toml.json", "configs/one.toml.json", "configs/one.toml.seed-7.json",
            "configs/one.toml.seed-8.json",
        ])  # fmt: skip
        for path in found:
            self.assertTrue(VALID.is_valid(json.loads((self.folder / "t" / path).read_text())), path)

    def test_a_suite_wants_a_folder(self):
        (self.folder / "file").write_text("")
        for path in ("-", "out.json", "out.txt", self.folder / "file"):
            done = self.vmm("suite", "configs/one.toml", "--trace", path)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"writes a file for each run; give a folder, not {path}", done.stderr)
        done = self.vmm("suite", "configs/one.toml", "--trace", self.folder / "file/below")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot create the folder", done.stderr)

    def test_the_schema_refuses_what_is_wrong(self):
        trace, _ = self.trace("faults/two-stalls")
        for phase, key, wrong in (
            ("X", "dur", -1), ("X", "ts", -0.5), ("X", "tid", None), ("X", "cat", "nonsense"), ("s", "id", "one"),
            ("f", "bp", None), ("i", "s", "q"), ("M", "args", {}),
        ):  # fmt: skip
            broken = copy.deepcopy(trace)
            event = of(broken, phase)[0]
            if wrong is None:
                del event[key]
            else:
                event[key] = wrong
            self.assertFalse(VALID.is_valid(broken), (phase, key))


if __name__ == "__main__":
    unittest.main()
