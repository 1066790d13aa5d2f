import subprocess
import sys

import pytest


@pytest.mark.slow
def test_importing_the_package_starts_nothing_and_starting_it_says_nothing() -> None:
    """In a fresh process: no TensorFlow until it is asked for, and then none of its start-up lines."""
    script = """
import os, sys
before = dict(os.environ)
from flowers_core.networks import start_tensorflow
assert os.environ == before
assert not {"tensorflow", "keras"} & set(sys.modules)
start_tensorflow(quietly=True)
assert "tensorflow" in sys.modules
assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"
print("started")
"""
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120, env=environment
    )
    assert (done.stdout, done.stderr, done.returncode) == ("started\n", "", 0)
