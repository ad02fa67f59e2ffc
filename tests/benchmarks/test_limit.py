"""The limit is measured on the work itself, and streamseg beside it."""

import json
import re
import subprocess
import sys

import pytest

from benchmarks.limit import limit_fps
from tests.builders import write_clip


@pytest.mark.slow
def test_the_limit_of_a_clip_is_measured_and_streamseg_quoted_as_a_share_of_it(model, tmp_path):
    """Every step costs something, both ways of working give a limit, and the last line is the share."""
    clip = write_clip(tmp_path / "clip.mp4", frames=40, sound=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.limit", clip, "--model", model, "--runs", "1", "--frames", "40",
         "--json", tmp_path / "limit.json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"share of the limit: \d+\.\d\d", done.stdout.splitlines()[-1])
    kept = json.loads((tmp_path / "limit.json").read_text())
    middle = kept["result"]["median"]
    assert kept["settings"]["frames"] == 40
    for way in ("alone", "together"):
        assert all(middle[way][step] > 0 for step in ("decode", "network", "encode")), middle
    assert middle["streamseg"]["fps"] > 0
    assert middle["streamseg"]["fps"] > middle["streamseg"]["wall_fps"]  # start-up takes time
    assert kept["result"]["share"]["alone"] == middle["streamseg"]["fps"] / kept["result"]["limit_fps"]["alone"]


def test_on_a_gpu_the_network_itself_may_be_the_limit():
    """The cores could do 100 frames a second, the GPU 40."""
    cost_ms = {"decode": 9.0, "network": 1.0, "encode": 10.0, "network_wall": 25.0}
    assert limit_fps(cost_ms, 2, on_gpu=False) == pytest.approx(100)
    assert limit_fps(cost_ms, 2, on_gpu=True) == pytest.approx(40)
