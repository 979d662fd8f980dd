"""`--trace FILE.txt`: lines as the kernel writes them, read by a grammar of the kernel's formats; enter and
exit pair, and step numbers are those of the docs.

Nothing in Debian 12 reads such a text and says what it read: trace-cmd and KernelShark take trace.dat alone,
traceshark is a window. The grammar is that of Linux 6.5: kernel/trace/trace.c print_event_info() and
print_func_help_header_irq(), trace_output.c trace_print_context(), trace_print_lat_fmt() and
trace_print_time(), include/trace/events/cpuhp.h TP_printk().
"""

import re
import unittest

import runs

HEADER = """\
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""
COUNTS = re.compile(r"# entries-in-buffer/entries-written: (\d+)/(\d+)   #P:(\d+)\n")

# "%16s-%-7d ", "[%03d] ", "%c%c%c%c%c", " %5lu.%06lu", ": "
CONTEXT = (
    r"(?P<comm>[ ]*\S{1,15})-(?P<pid>\d+)(?P<pad>[ ]*) \[(?P<on>\d{3,})\] "
    r"[dDbX.][NnpB.][ZzHhs.][0-9a-f.][0-9a-f.] [ ]*(?P<s>\d+)\.(?P<us>\d{6}): "
)
NUMBER3 = r"(?:[ ]{2}\d|[ ]\d\d|\d{3,})"  # "%3d"
ENTER = re.compile(
    CONTEXT + rf"cpuhp_enter: cpu: (?P<cpu>\d{{4,}}) target: (?P<target>{NUMBER3}) step: (?P<step>{NUMBER3}) "
    r"\((?P<fun>[^ ()]+)\)\n"
)  # fmt: skip
EXIT = re.compile(
    CONTEXT + rf"cpuhp_exit:  cpu: (?P<cpu>\d{{4,}})  state: (?P<state>{NUMBER3}) step: (?P<step>{NUMBER3}) "
    r"ret: (?P<ret>-?\d+)\n"
)  # fmt: skip

POINTS = {"alive": 100, "started": 200, "synced": 210, "online": 220, "idle": 230, "active": 300, "dying": 300, "dead": 200}


def parse(text):
    """The events of a trace, each as its fields; an error where a line is none that a kernel writes."""
    lines = text.splitlines(keepends=True)
    if lines[:2] != ["# tracer: nop\n", "#\n"] or lines[3] != "#\n" or "".join(lines[4:12]) != HEADER:
        raise ValueError("not the kernel's header")
    counts = COUNTS.fullmatch(lines[2])
    if not counts or int(counts[1]) != len(lines) - 12 or counts[1] != counts[2]:
        raise ValueError(f"the counts are wrong: {lines[2]}")
    events, last = [], 0.0
    for line in lines[12:]:
        found = ENTER.fullmatch(line) or EXIT.fullmatch(line)
        if not found or len(found["comm"]) < 16 or len(found["pid"] + found["pad"]) < 7:
            raise ValueError(f"no line of a kernel: {line!r}")
        event = {k: v.strip() for k, v in found.groupdict().items() if v is not None}
        event["at"] = int(event["s"]) + int(event["us"]) / 1e6
        if event["at"] < last:
            raise ValueError(f"goes back in time: {line!r}")
        last = event["at"]
        events.append(event)
    return events


class Ftrace(runs.Runs):
    def events(self, scenario, *arguments):
        text, result = self.traced(scenario, "trace.txt", *arguments)
        return parse(text), result

    def pairs(self, events):
        """What came of each enter, by (cpu, step): [name, begin, end, ret]; end and ret None: no exit."""
        found, opened = {}, {}
        for event in events:
            key = (int(event["cpu"]), int(event["step"]))
            if "fun" in event:
                self.assertNotIn(key, opened, "entered twice")
                opened[key] = [event["fun"], event["at"], None, None]
                found.setdefault(key, []).append(opened[key])
            else:
                self.assertIn(key, opened, "an exit without its enter")
                opened.pop(key)[2:] = event["at"], int(event["ret"])
        return found

    def test_scenarios(self):
        for scenario in runs.SCENARIOS:
            with self.subTest(scenario):
                events, result = self.events(scenario)
                found = self.pairs(events)
                for cpu in result["cpus"]:
                    if cpu["outcome"] == "online" and cpu["cpu"] != 0:
                        for point, number in list(POINTS.items())[:6]:
                            names = [p[0] for p in found[cpu["cpu"], number] if p[3] == 0]
                            self.assertIn(point, names)

    def test_one_that_comes_up(self):
        events, result = self.events("parallel-8")
        found = self.pairs(events)
        names = {(cpu, step): pair[0] for (cpu, step), (pair,) in found.items()}
        self.assertEqual({name for (cpu, step), name in names.items() if step == 1}, {"area"})
        self.assertEqual([names[3, 101 + i] for i in range(4)], ["cpu-tables", "lapic", "timer", "tsc"])
        self.assertEqual(names[3, 231], "worker")
        self.assertEqual({e["target"] for e in events if "target" in e}, {"300"})
        begin, end = found[3, 200][0][1:3]
        for step in range(101, 105):
            self.assertTrue(begin <= found[3, step][0][1] <= found[3, step][0][2] <= end)
        self.assertAlmostEqual(end * 1e6, result["cpus"][3]["points"]["started"], delta=1)

    def test_one_that_is_given_up(self):
        found = self.pairs(self.events("faults/two-stalls")[0])
        self.assertEqual(found[2, 100][0][3], -110)
        self.assertEqual(found[5, 210][0][3], -110)
        self.assertNotIn((2, 200), found)

    def test_one_whose_step_fails(self):
        found = self.pairs(self.events("faults/fail-starting")[0])
        failed = [(key, pair[0][3]) for key, pair in found.items() if pair[0][3] not in (0, None)]
        self.assertEqual(len(failed), 2, "the step, and the point that it was on the way to")
        (_, step), (_, point) = sorted(key for key, _ in failed)
        self.assertTrue(101 <= step < 200 and point == 200)
        self.assertEqual(len({ret for _, ret in failed}), 1)

    def test_the_way_down(self):
        events, _ = self.events("tree-cycles-8")
        down = [e for e in events if e.get("target") == "0"]
        self.assertEqual({int(e["step"]) for e in down if e["fun"] in ("dying", "dead")}, {200, 300})
        self.assertTrue({101, 102, 103, 104, 231, 1} <= {int(e["step"]) for e in down})

    def test_the_grammar_refuses_what_no_kernel_writes(self):
        text, _ = self.traced("parallel-8", "trace.txt")
        parse(text)
        for right, wrong in (
            ("cpuhp_exit:  cpu", "cpuhp_exit: cpu"), ("cpuhp_enter: cpu: 0001", "cpuhp_enter: cpu: 1"),
            ("X....", "X..."), ("step:   1", "step: 1"), ("[001]", "[1]"), ("0.000", "0.0000"), ("tracer: nop", "tracer"),
            (" state: 100", " state:100"), ("#P:8", "#P: 8"), ("ret: 0", "ret 0"), ("            ap/1", "ap/1"),
        ):  # fmt: skip
            self.assertIn(right, text)
            with self.assertRaises(ValueError, msg=wrong):
                parse(text.replace(right, wrong, 1))


if __name__ == "__main__":
    unittest.main()
