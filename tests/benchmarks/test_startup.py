"""Start-up is told step by step, as it happened."""

import pytest

from benchmarks.startup import WRITTEN, measure, probed, report
from tests.builders import write_clip


def test_every_step_from_the_command_to_the_first_frame_is_noted(model, tmp_path):
    """Those that must follow each other do, and all lie behind the command."""
    clip = write_clip(tmp_path / "clip.mp4")
    steps = probed(str(clip), ["--model", str(model)])
    assert {"numpy", "cv2", "av", "onnxruntime"} <= {what.removeprefix("import ") for what in steps}
    in_order = ("interpreter", "open the source", "first frame read", "first frame segmented", WRITTEN)
    ends = [steps[what][1] for what in in_order]
    assert ends == sorted(ends)
    assert steps["load the network"][1] <= steps["first frame segmented"][1]
    assert all(0 <= began <= done for began, done in steps.values())


@pytest.mark.slow
def test_start_up_is_reported_with_its_steps_and_the_first_frame_last(model, tmp_path):
    """The whole process, which also ends, is another figure."""
    clip = write_clip(tmp_path / "clip.mp4")
    measurement = measure(str(clip), {"model": str(model)}, runs=1)
    assert measurement["result"]["one_frame_whole_process_ms"]["median"] > 0
    lines = report(measurement).splitlines()
    assert lines[-1].startswith("first frame written: median ")
    assert any(line.startswith("load the network ") for line in lines)
