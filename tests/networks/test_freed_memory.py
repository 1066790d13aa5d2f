"""How many pages the system has to hand out while large blocks are taken and freed again and again."""

import platform
import subprocess
import sys

import pytest

# Twenty blocks of 40 MB, one after another, of which each page is written to; after one to begin with.
PROGRAM = """
import resource
import numpy as np
from flowers_core.networks.freed_memory import keep_freed_memory
{call}
np.ones(5_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(5_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries manage memory their own way")
def test_freed_blocks_are_used_again() -> None:
    def faults(call: str) -> int:
        done = subprocess.run([sys.executable, "-c", PROGRAM.format(call=call)], capture_output=True, check=True)
        return int(done.stdout)

    assert faults("keep_freed_memory()") < 100
    assert faults("") > 1000, "without the call each block brings pages anew"
