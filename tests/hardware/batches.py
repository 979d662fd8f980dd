"""From a list of scenarios to a result for each, by booting a machine that may stop making progress.

Each boot is given a batch. What it has recorded counts, whatever became of it; the scenario in which it
stopped is tried once more, in a later boot, and those behind it have lost nothing. So is one in which a CPU
was given up, which is seen there now and then: docs/hardware-kvm.md, "A second attempt that is lost".
"""

import json
import re
from dataclasses import dataclass

EMPTY_BOOTS = 3  # in a row, and no more are tried
KILLED = 137  # busybox's timeout ended it: 128 + SIGKILL
NAMES = {
    "pass": "as it expects", "late": "as it expects, at the second try", "fail": "differs",
    "broken": "an invariant, or the lab", "unsupported": "not there", "invalid": "not a scenario",
    "hung": "no end, twice",
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    verdict: str  # one of NAMES
    reason: str = ""


@dataclass
class Record:
    """What one boot has told."""

    results: dict  # by scenario
    began: str = ""  # the one in which it stopped
    trouble: str = ""  # why no scenario can have run
    over: bool = False  # it came to the end of its batch


def result_of(status, text):
    """From the suite's exit status and its JSON."""
    if status == KILLED:
        return Result("hung", "it did not end in its time, and was ended")
    try:
        run = json.loads(text)["runs"][0]
    except (ValueError, LookupError, TypeError):
        return Result("broken", f"exit status {status}, and what it wrote is not a result")
    if run["verdict"] not in NAMES:
        return Result("broken", f"exit status {status}, and it was {run['verdict']}")
    reasons = list(run["differences"])
    reasons += [f"{i['name']}: {i['evidence']}" for i in run["invariants"] if i["holds"] is False]
    return Result(run["verdict"], "; ".join(reasons))


def records(text):
    """Reads what came out of the second serial port: init.sh writes it."""
    record = Record({})
    lines = []
    for line in text.replace("\r", "").split("\n"):
        if line.startswith("@ broken "):
            record.trouble = line.removeprefix("@ broken ")
        elif line == "@ over":
            record.over = True
        elif begin := re.fullmatch(r"@ begin (\S+)", line):
            record.began, lines = begin[1], []
        elif end := re.fullmatch(r"@ end (\S+) (\d+)", line):
            record.results[end[1]] = result_of(int(end[2]), "\n".join(lines))
            record.began = ""
        else:
            lines.append(line)
    return record


def may_be_late(result):
    """Whether a CPU that did not come in time explains it: it was given up, or was not where a fault waited."""
    return re.search(r"timeout@|fired \d+ of \d+ times", result.reason) is not None


def settled(result, first):
    """What a scenario comes to, or None when it is to be tried again. `first` is the result of its first try."""
    lasting = result.verdict not in ("pass", "hung") and not may_be_late(result)
    if first is None:
        return result if lasting or result.verdict == "pass" else None
    if result.verdict == "pass":
        return Result("late", f"at first: {first.reason}")
    return result


def run_all(names, size, boot, tell):
    """Boots until each of the names has a result; returns them, by name. `boot` takes a batch and returns what
    the machine recorded. `tell` is called with a name and its result when there is one. Raises RuntimeError
    when the machine does not come to run scenarios at all.
    """
    waiting, first, results, empty = list(names), {}, {}, 0
    while waiting:
        batch, waiting = waiting[:size], waiting[size:]
        record = records(boot(batch))
        if record.trouble:
            raise RuntimeError(record.trouble)
        empty = 0 if record.results or record.began else empty + 1
        if empty == EMPTY_BOOTS:
            raise RuntimeError(f"{EMPTY_BOOTS} boots in a row came to no scenario")
        seen = dict(record.results)
        if record.began:
            seen[record.began] = Result("hung", "the machine stopped making progress")
        again = []
        for name, result in seen.items():
            if done := settled(result, first.get(name)):
                results[name] = done
                tell(name, done)
            else:
                first[name] = result
                again.append(name)
        waiting = [name for name in batch if name not in seen] + waiting + again
    return results


def differences(results, expected):
    """Where the results are not what is expected, as sentences. What is not listed is expected to pass; a
    scenario that this KVM cannot run is not a difference.
    """
    for name, result in sorted(results.items()):
        if name in expected:
            if result.verdict not in expected[name]["verdicts"]:
                yield f"{name}: {result.verdict}, not {' or '.join(expected[name]['verdicts'])} as expected.toml has it"
        elif result.verdict not in ("pass", "late", "unsupported"):
            yield f"{name}: {result.verdict}: {result.reason}"


def wrong_with(expected, names):
    """What is wrong with the list of expectations, as sentences."""
    for name, entry in expected.items():
        if name not in names:
            yield f"{name}: stands in expected.toml, and there is no such scenario"
        if not entry["reason"].strip():
            yield f"{name}: stands in expected.toml without a reason"
        yield from (f"{name}: there is no verdict {v}" for v in entry["verdicts"] if v not in NAMES)
