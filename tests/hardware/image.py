"""What is booted under QEMU: Debian's kernel, KVM's modules and busybox, downloaded and unpacked but not
installed, and the built lab with the libraries it needs, as an initramfs.
"""

import gzip
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INIT = Path(__file__).resolve().with_name("init.sh")
KERNEL = "linux-image-cloud-amd64"  # depends on the newest there is
BUSYBOX = "busybox-static"
MODULES = ("irqbypass", "ccp", "kvm", "kvm-amd")
OPTIONAL_MODULES = ("ccp",)  # built in, or not needed, in some kernels
COMMANDS = {
    "qemu-system-x86_64": "qemu-system-x86", "apt-get": "apt", "apt-cache": "apt", "dpkg-deb": "dpkg",
    "strip": "binutils", "ldd": "libc-bin",
}  # fmt: skip


class CannotRun(Exception):
    """This host cannot do it; the message says what to do."""


def missing_packages(which=shutil.which):
    """The packages of the commands that are not there, in the order of their names."""
    return sorted({package for command, package in COMMANDS.items() if which(command) is None})


def output_of(*command, cwd=None):
    done = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode != 0:
        raise CannotRun(f"`{' '.join(map(str, command))}` failed:\n{done.stderr.strip()}")
    return done.stdout


def unpacked(package, folder):
    """Downloads a package into the folder and unpacks it; returns the root of what was in it."""
    try:
        output_of("apt-get", "download", package, cwd=folder)
    except CannotRun as error:
        raise CannotRun(f"{error}\nis there a network, and was there an `apt-get update`?") from None
    root = Path(folder, package)
    output_of("dpkg-deb", "-x", next(Path(folder).glob(f"{package}_*.deb")), root)
    return root


def only(paths, what):
    found = sorted(paths)
    if not found:
        raise CannotRun(f"the package has no {what}")
    return found[0]


def kernel_package(metapackage=KERNEL):
    """The name of the package with the kernel that the metapackage stands for."""
    depends = re.search(r"Depends: (linux-image-\S+)", output_of("apt-cache", "depends", metapackage))
    if not depends:
        raise CannotRun(f"apt knows no {metapackage}: was there an `apt-get update`?")
    return depends[1]


def fetch(cache):
    """Puts vmlinuz, busybox and the modules into the cache, unless they are there."""
    if (cache / "complete").exists():
        return
    shutil.rmtree(cache, ignore_errors=True)
    (cache / "modules").mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        kernel = kernel_package()
        root = unpacked(kernel, folder)
        shutil.copy(only(root.glob("boot/vmlinuz-*"), "kernel"), cache / "vmlinuz")
        for name in MODULES:
            modules = list(root.rglob(f"{name}.ko"))
            if modules or name not in OPTIONAL_MODULES:
                shutil.copy(only(modules, f"{name}.ko"), cache / "modules")
        busybox = unpacked(BUSYBOX, folder)
        shutil.copy(only(busybox.rglob("busybox"), "busybox"), cache / "busybox")
    (cache / "complete").write_text(f"{kernel}\n", encoding="utf-8")


def libraries_of(program):
    """The shared libraries of a program, the loader among them, by the paths it looks for them at."""
    listing = output_of("ldd", program)
    if lost := re.findall(r"(\S+) => not found", listing):
        raise CannotRun(f"{program} needs libraries that are not here: {', '.join(lost)}")
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", listing)]


def cpio_entry(name, mode, data=b""):
    """One file of an archive in the format "newc" (cpio(5), New ASCII Format)."""
    path = name.encode() + b"\0"
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % n for n in numbers) + path
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def archive(files):
    """A compressed archive: files maps each path, without a leading slash, to bytes or to a file."""
    folders = {parent.as_posix() for name in files for parent in Path(name).parents} - {"."}
    entries = [cpio_entry(name, stat.S_IFDIR | 0o755) for name in sorted(folders)]
    for name, content in sorted(files.items()):
        data = content if isinstance(content, bytes) else content.read_bytes()
        entries.append(cpio_entry(name, stat.S_IFREG | 0o755, data))
    return gzip.compress(b"".join(entries) + cpio_entry("TRAILER!!!", 0), 1)


def base_image(cache, build):
    """The archive that all batches have in common. The vmm goes in without its own debug information."""
    program = build / "bin/vmm"
    stripped = cache / "vmm.stripped"
    output_of("strip", "-o", stripped, program)
    files = {
        "init": INIT, "bin/busybox": cache / "busybox", "lab/vmm": stripped,
        "lab/guest.elf": build / "bin/guest.elf", "proc/.keep": b"", "sys/.keep": b"", "dev/.keep": b"",
        "tmp/.keep": b"",
    }  # fmt: skip
    for module in (cache / "modules").iterdir():
        files[f"modules/{module.name}"] = module
    for library in libraries_of(program):
        files[str(library).lstrip("/")] = library
    for scenario in (ROOT / "configs").rglob("*.toml"):
        files[scenario.relative_to(ROOT).as_posix()] = scenario
    return archive(files)


def batch_image(names, arguments):
    """The archive with what one boot is to run. The kernel unpacks it after the base image."""
    lines = {"batch": names, "arguments": arguments}
    return archive({name: "".join(f"{line}\n" for line in each).encode() for name, each in lines.items()})
