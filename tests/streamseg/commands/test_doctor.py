"""`streamseg doctor` looks for itself, and a healthy machine passes."""

import json

from streamseg.backends.providers import nvidia_gpus


def test_a_machine_that_can_run_streamseg_passes(streamseg):
    """Exit code 0, and each topic is there."""
    done = streamseg("doctor")
    assert done.code == 0, done.out
    for word in ("versions", "OpenCV", "network", "encoders", "decoders", "display", "cameras", "libx264"):
        assert word in done.out


def test_providers_are_judged_by_running_them(streamseg):
    """onnxruntime lists CUDA everywhere; without a GPU it must not be called working, and the reason is given."""
    findings = {each["name"]: each for each in json.loads(streamseg("doctor", "--json").out)}
    assert findings["CPU"]["ok"] is True
    assert "really runs" in findings["CPU"]["detail"]
    if not nvidia_gpus() and "CUDA" in findings:
        assert findings["CUDA"]["ok"] is None
        assert len(findings["CUDA"]["detail"]) > len("does not run: ")
