// What the help of each command ends with: how it goes about things, examples, exit status.
#pragma once

#include <string_view>

namespace reveille::vmm {

inline constexpr std::string_view kRunExamples = R"(Examples:
  vmm run configs/parallel-8.toml
  vmm run configs/parallel-8.toml --set bringup.strategy=serial --set machine.vcpus=16
  vmm run configs/faults/two-stalls.toml --json result.json
  vmm run configs/faults/two-stalls.toml --trace trace.json --report report.html
  vmm run configs/parallel-8.toml --backend sim --set machine.vcpus=100000
  vmm run - --json - < scenario.toml

Exit status: 0 as expected; 1 the outcome differs; 2 the scenario or the command line is
wrong; 3 this host cannot run it; 4 an invariant is broken or the lab failed; 130 interrupted.)";

inline constexpr std::string_view kSuiteExamples =
    R"(Files are run in the order of their names, one that is named twice is run once. Of a folder
all *.toml in it and below are run, but none whose name, or whose folder's, begins with a dot.
Scenarios judge time: with -j above 1, or on a busy host, one may fail for want of a processor.

Runs are apart from each other: of -j worker processes each has one after the other, on a machine
that is put back into the state of a new one; with --fresh each run has a process and a machine of
its own. A run that does not end within its bound (vmm check prints it) and 30 s more is ended with
its process and told as broken, and the others go on. Ctrl-C ends those that run.

--shard has every N-th run, from the I-th on: N shards have each run once. --repeat runs with
the seeds from --seed on, and tells how many failed, with which seed, and how to repeat each.

Examples:
  vmm suite configs
  vmm suite configs/faults configs/one.toml --set bringup.strategy=split --json results.json
  vmm suite configs -j 4 --shard 2/8 --junit results.xml
  vmm suite configs/faults/two-stalls.toml --repeat 100
  vmm suite configs/faults --trace traces --tap -
  vmm suite configs --backend sim --report suite.html

Exit status: 130 interrupted; else the first of these that a run had: 4 an invariant is broken,
a run hung or broke down; 2 a scenario or the command line is wrong; 1 an outcome differs; 3 this
host cannot run it; 0 all as expected. Nothing is run when the command line is wrong.)";

inline constexpr std::string_view kCheckExamples = R"(Examples:
  vmm check configs/parallel-8.toml
  vmm check configs/*.toml > /dev/null
  vmm check - --set machine.vcpus=64 < scenario.toml
  vmm check configs/parallel-8.toml --backend sim --set machine.vcpus=100000)";

inline constexpr std::string_view kDiffExamples =
    R"(A and B are both what vmm run --json wrote, or both what vmm suite --json wrote: then runs of the same
scenario and seed are compared.

Examples:
  vmm run configs/parallel-8.toml --json before.json
  vmm run configs/parallel-8.toml --set bringup.strategy=serial --json after.json
  vmm diff before.json after.json
  vmm run configs/parallel-8.toml --json - | vmm diff before.json -

Exit status: 0 the outcomes are the same, whatever the times are; 1 an outcome, the verdict or an
invariant that one of the two broke differs, or a run is in one suite only; 2 the command line is
wrong, or a file is no result.)";

inline constexpr std::string_view kCompletionExamples = R"(Examples:
  source <(build/bin/vmm completion bash)
  vmm completion bash > ~/.local/share/bash-completion/completions/vmm)";

inline constexpr std::string_view kDoctorExamples =
    R"(Each probe does the thing itself, in a machine of a few pages that is gone a moment later; no run in
it lasts longer than 5 s. "partly": the lab works, with less. "lacks": what it touches does not work
here, and a scenario that needs it ends with exit status 3, by the same probe.

Examples:
  vmm doctor
  vmm doctor --json host.json

Exit status: 0 vmm run works here on KVM; 2 the command line is wrong; 3 it does not, and --backend sim is
the way.)";

} // namespace reveille::vmm
