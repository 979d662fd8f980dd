"""Sees every scenario fail: breaks what each is there for, and expects it to notice.

  seen_to_fail.py --check               only: is every scenario named, does each break fit the code
  seen_to_fail.py --build DIR --vmm VMM [--only ID]   build each break in a copy under DIR, run what it
                                        names; a broken guest is run by the sound VMM

Exits 77 without /dev/kvm.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).resolve().with_suffix(".toml")
RUN_S = 200


def breaks():
    return tomllib.loads(DATA.read_text())["break"]


def scenarios():
    return {p.relative_to(ROOT / "configs").with_suffix("").as_posix() for p in (ROOT / "configs").rglob("*.toml")}


def problems(data):
    """What is wrong with the data, a line each."""
    found, named, ids = [], set(), set()
    for entry in data:
        text = (ROOT / entry["file"]).read_text()
        if text.count(entry["find"]) != 1:
            found.append(f"{entry['id']}: what to find stands {text.count(entry['find'])} times in {entry['file']}")
        if entry["id"] in ids:
            found.append(f"{entry['id']}: stands twice")
        ids.add(entry["id"])
        named.update(entry["scenarios"])
        if not entry["scenarios"] and "test" not in entry:
            found.append(f"{entry['id']}: nothing is run under it")
    found += [f"{name}: no break is named for it" for name in sorted(scenarios() - named)]
    found += [f"{name}: there is no such scenario" for name in sorted(named - scenarios())]
    return found


def tracked():
    done = subprocess.run(["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if (ROOT / line).exists()]


class Copy:
    """A copy of the tree that keeps its build from one break to the next."""

    def __init__(self, where, vmm):
        self.vmm = vmm
        self.tree, self.build = where / "tree", where / "build"
        shutil.rmtree(self.tree, ignore_errors=True)
        for name in tracked():
            target = self.tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)  # with new times, so that no build takes a break for sound
        self.command("cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", "-DREVEILLE_TESTS=OFF",
                     *launcher())

    def command(self, *words):
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, words))} failed:\n{done.stdout}{done.stderr}")

    def broken(self, entry):
        """Builds with a break, and puts the file back in the tree. The words that run it."""
        path = self.tree / entry["file"]
        sound = path.read_text()
        path.write_text(sound.replace(entry["find"], entry["replace"]))
        try:
            host = entry["file"].startswith("vmm/") or "backend" in entry
            self.command("cmake", "--build", self.build, "--target", *(["vmm", "guest"] if host else ["guest"]))
        finally:
            path.write_text(sound)
        if host:
            return [self.build / "bin" / "vmm", "run"]
        return [self.vmm, "run", "--guest", self.build / "bin" / "guest.elf"]


def launcher():
    return ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []


def run(command, entry, name):
    words = [*map(str, command), str(ROOT / "configs" / f"{name}.toml")]
    if "backend" in entry:
        words += ["--backend", entry["backend"]]
    for change in entry.get("set", []):
        words += ["--set", change]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=RUN_S)
    return done.returncode


def run_test(vmm, guest, entry):
    """A program of the tests, with the broken guest."""
    done = subprocess.run([vmm.parent / entry["test"][0], *entry["test"][1:]], capture_output=True, check=False,
                          timeout=RUN_S, env=os.environ | {"REVEILLE_GUEST": str(guest)})  # fmt: skip
    return done.returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--build", type=Path)
    parser.add_argument("--vmm", type=Path)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    data = breaks()
    if found := problems(data):
        sys.exit("\n".join(found))
    if arguments.check:
        return 0
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: no /dev/kvm")
        return 77
    copy = Copy(arguments.build.resolve(), arguments.vmm.resolve())
    unseen = 0
    for entry in data:
        if arguments.only and entry["id"] != arguments.only:
            continue
        command = copy.broken(entry)
        for name in entry["scenarios"]:
            status = run(command, entry, name)
            seen = status in (1, 4)
            unseen += not seen
            print(f"{'red ' if seen else 'NOT RED'}  {name}  under {entry['id']} (exit {status})", flush=True)
        if "test" in entry:
            status = run_test(copy.vmm, copy.build / "bin" / "guest.elf", entry)
            unseen += status != 1
            print(f"{'red ' if status == 1 else 'NOT RED'}  {' '.join(entry['test'])}  under {entry['id']} "
                  f"(exit {status})", flush=True)
    print(f"{unseen} not seen to fail" if unseen else "every scenario was seen to fail")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
