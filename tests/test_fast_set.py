"""The fast set of tests is for a machine on which nothing can be trained."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import start
from tests.waiting import PATIENCE_S

CHECKOUT = Path(start.__file__).parent
ONLY_FOR_TRAINING = ("tensorflow", "keras", "tf2onnx", "jax", "h5py", "matplotlib", "sklearn")


@pytest.mark.slow
def test_no_library_of_training_is_needed_to_collect_the_fast_set(tmp_path: Path):
    """Any import of one fails here, and the tests are all found; none of those marked as slow is among them."""
    for name in ONLY_FOR_TRAINING:
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('{name} is not for the fast set')")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *start.FAST, "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "tests/streamseg/test_pipeline.py::" in done.stdout
    assert "tests/train/test_loader.py::" in done.stdout
    assert "tests/train/test_fit.py::" not in done.stdout
    assert "::test_no_library_of_training_is_needed_to_collect_the_fast_set" not in done.stdout


@pytest.mark.slow
def test_tests_of_one_group_share_a_worker(tmp_path: Path):
    """What pytest and pytest-xdist agree on with each other: else every worker would hold a training at once."""
    (tmp_path / "test_group.py").write_text(
        "import pytest\n"
        "@pytest.mark.xdist_group('one')\n"
        "@pytest.mark.parametrize('number', range(8))\n"
        "def test_where(number, worker_id): print('ran on', worker_id)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-rP", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert len(set(re.findall(r"ran on (gw\d)", done.stdout))) == 1, done.stdout
