"""Copies of the tree with one thing changed by a patch, built as what is measured is built.

There is one copy, in the folder `without` of the build, that has one patch after the other: what a patch does not
touch is compiled once. What was built with a patch is kept in a folder named after it, until it or the tree changes.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from context import Context
from errors import BenchError

PARTS = ("CMakeLists.txt", "core", "guest", "vmm", "tests/bench/CMakeLists.txt", "tests/bench/programs")
PROGRAMS = {"vmm": "vmm", "guest": "guest.elf", "sync_point": "sync_point"}  # by target
SAME = ("CMAKE_BUILD_TYPE", "CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "CMAKE_CXX_FLAGS")  # as the product has it
BUILD_S = 3600


def sources(root):
    """The files that the build reads, by path below `root`."""
    found = {}
    for part in PARTS:
        path = Path(root, part)
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                found[file.relative_to(root)] = file
    return found


def follow(root, tree):
    """Makes the sources below `tree` those below `root`. What is the same keeps its time, so that it is not compiled
    again."""
    wanted = sources(root)
    for path, file in wanted.items():
        there = tree / path
        if not there.is_file() or there.read_bytes() != file.read_bytes():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, there)
    for path in sources(tree).keys() - wanted.keys():
        (tree / path).unlink()


def touched(patch):
    """The files that a patch changes."""
    return re.findall(r"^\+\+\+ b/(\S+)$", Path(patch).read_text(encoding="utf-8"), re.MULTILINE)


def apply(patch, tree):
    """Applies a patch to the files below `tree`. Raises BenchError unless all of it fits: lines may have moved, but
    those around a change must be as they were."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_CEILING_DIRECTORIES"] = str(tree.resolve().parent)  # no repository: files alone
    done = subprocess.run(
        ["git", "apply", patch], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BenchError(f"{Path(patch).name} does not fit the tree: {done.stderr.strip()}")


def digest(root, patch):
    """Of all that a copy is made of."""
    whole = hashlib.sha256(Path(patch).read_bytes())
    for path, file in sources(root).items():
        whole.update(f"{path}\0".encode() + file.read_bytes())
    return whole.hexdigest()


class Workshop:
    """Makes the copies of one run of ./bench."""

    def __init__(self, context):
        self.product = context
        self.folder = context.build / "without"
        self.tree = self.folder / "tree"
        self.build = self.tree / "build"

    def make(self, name, patch, targets):
        """A context to measure the copy in: the product's programs, but for those that the patch has changed."""
        place = self.folder / name
        programs = place / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        seal = place / "digest"
        state = digest(self.product.root, patch)
        changed = [PROGRAMS[target] for target in targets]
        if not (seal.is_file() and seal.read_text() == state and all((programs / name).is_file() for name in changed)):
            seal.unlink(missing_ok=True)
            self.compile(patch, targets)
            for program in changed:
                (programs / program).unlink(missing_ok=True)
                shutil.copy2(self.build / "bin" / program, programs)
            seal.write_text(state)
        for program in {"timed", *PROGRAMS.values()} - set(changed):
            (programs / program).unlink(missing_ok=True)
            # Not a symbolic link: the vmm looks for its guest where it is itself.
            os.link(self.product.program(program), programs / program)
        return Context(self.product.root, place, self.product.quick, self.product.say)

    def compile(self, patch, targets):
        """The tree with the patch; of it the targets."""
        follow(self.product.root, self.tree)
        apply(patch, self.tree)
        self.product.say(f"building {' and '.join(targets)} with {Path(patch).name}")
        if not (self.build / "build.ninja").is_file():
            places = ["-S", self.tree, "-B", self.build]
            self.call(["cmake", "--log-level=WARNING", *places, "-G", "Ninja", *self.options()])
        self.call(["ninja", "-C", self.build, "-j", str(os.cpu_count()), *targets])

    def options(self):
        """What the product was configured with."""
        cache = (self.product.build / "CMakeCache.txt").read_text(encoding="utf-8")
        known = dict(re.findall(r"^(\w+):\w+=(.*)$", cache, re.MULTILINE))
        chosen = {name: known[name] for name in SAME if name in known}
        chosen |= {"REVEILLE_TESTS": "OFF", "REVEILLE_BENCH": "ON"}
        if ccache := shutil.which("ccache"):
            chosen |= {"CMAKE_C_COMPILER_LAUNCHER": ccache, "CMAKE_CXX_COMPILER_LAUNCHER": ccache}
        return [f"-D{name}={value}" for name, value in chosen.items()]

    def call(self, command):
        done = subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=BUILD_S,
        )  # fmt: skip
        if done.returncode != 0:
            raise BenchError(f"the copy does not build: {done.stdout[-2000:].strip()}")
