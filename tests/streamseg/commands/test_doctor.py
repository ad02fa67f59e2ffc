"""`streamseg doctor` looks for itself, and a healthy machine passes."""

import json

import pytest

from streamseg.backends.nvidia import gpus


@pytest.mark.slow
def test_a_machine_that_can_run_streamseg_passes(streamseg):
    """Exit code 0, and each topic is there."""
    done = streamseg("doctor")
    assert done.code == 0, done.out
    for word in ("versions", "OpenCV", "network", "encoders", "decoders", "display", "cameras", "libx264"):
        assert word in done.out


def test_devices_are_judged_by_running_them(streamseg):
    """Every engine is listed; without a GPU, cuda must not be called working, and the reason is given."""
    findings = {each["name"]: each for each in json.loads(streamseg("doctor", "--json").out)}
    assert findings["cpu"]["ok"] is True
    assert "really runs" in findings["cpu"]["detail"]
    if not gpus() and "cuda" in findings:
        assert findings["cuda"]["ok"] is None
        assert findings["cuda"]["detail"] == "does not run: no NVIDIA GPU was found"
