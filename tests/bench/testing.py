"""What the tests of ./bench share."""

import os
import unittest
from pathlib import Path

import bench
import context

BUILD = Path(os.environ.get("REVEILLE_BUILD", bench.ROOT / "build"))
needs_kvm = unittest.skipUnless(os.access("/dev/kvm", os.R_OK | os.W_OK), "/dev/kvm is missing, or not for this user")


def some_context():
    """Of a hasty measurement that says nothing."""
    return context.Context(bench.ROOT, BUILD, True, lambda line: None)
