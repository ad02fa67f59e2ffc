"""A frame rate is reached by the model's size, or by labels that last for several frames; and it is said how."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from streamseg.backends import LoadedBackend
from streamseg.frame import StreamInfo
from streamseg.options import ModelOptions
from streamseg.target_rate import Plan, frames_per_inference, inference_s, ordinal, plan_for
from tests.builders import THREE_CLASSES, offering, threshold_model
from tests.segmenters import color_model
from tests.waiting import ManualClock

RECORDING = StreamInfo("clip.mp4", "video", 48, 64, fps=Fraction(25))


def camera(fps: int | None = 30) -> StreamInfo:
    """A live source."""
    return StreamInfo("0", "camera", 48, 64, fps=None if fps is None else Fraction(fps), live=True)


def played(seconds: float, every: int, camera_fps: float) -> float:
    """Frames a second that come out of a live run in which only the network takes time, by playing it through."""
    now, taken, count = 0.0, -1, 0
    while now < 200:
        newest = int(now * camera_fps + 1e-9)
        if newest == taken:
            newest += 1
        now = max(now, newest / camera_fps) + (seconds if count % every == 0 else 0.0)
        taken, count = newest, count + 1
    return count / now


@pytest.mark.parametrize("seconds", [0.04, 0.1, 0.3])
@pytest.mark.parametrize("wanted", [8, 12, 20, 25])
def test_a_live_run_reaches_the_rate_on_as_few_reused_labels_as_it_can(seconds, wanted):
    """Played through frame by frame: the number found is enough, and not much more than enough."""
    every = frames_per_inference(seconds, wanted, camera())
    assert played(seconds, every, 30) >= 0.97 * wanted
    assert every == 1 or played(seconds, max(1, every // 2 - 1), 30) < wanted


def test_a_recording_needs_only_the_mean():
    """It waits while the network runs."""
    assert [frames_per_inference(0.1, fps, RECORDING) for fps in (8, 10, 11, 30, 45)] == [1, 1, 2, 3, 5]


def test_the_camera_s_own_rate_is_nearly_reached():
    """Exactly would take labels that last for ever."""
    every = frames_per_inference(0.05, 30, camera())
    assert played(0.05, every, 30) >= 0.94 * 30


def test_a_camera_that_does_not_say_is_taken_for_a_usual_one():
    """Thirty frames a second."""
    assert frames_per_inference(0.1, 20, camera(None)) == frames_per_inference(0.1, 20, camera(30))


def as_large(backend: LoadedBackend) -> float:
    """Pretended seconds of one run: ten nanoseconds a pixel of the input, 30 us for 64x48 and 3 ms for 640x480."""
    return 1e-8 * backend.spec.width * backend.spec.height


def planned(target_fps: float, model: Path, info: StreamInfo) -> Plan:
    """On the CPU, as fast as `as_large` says."""
    return plan_for(ModelOptions(model=str(model), device="cpu", target_fps=target_fps), info, as_large)


@pytest.fixture
def sizes(tmp_path: Path) -> Path:
    """A model in a large and a small size."""
    threshold_model(tmp_path / "net-64x48.onnx", 48, 64)
    threshold_model(tmp_path / "another.onnx", 32, 32)
    return threshold_model(tmp_path / "net.onnx", 480, 640)


def test_the_largest_size_that_keeps_up_is_taken(sizes: Path):
    """Each file is named like the model but for its size; others in the folder are none of it."""
    plan = planned(250, sizes, RECORDING)
    assert (plan.backend.spec.width, plan.every) == (640, 1)
    plan = planned(300, sizes, RECORDING)  # 3 ms and a quarter do not fit
    assert (plan.backend.spec.width, plan.every) == (64, 1)
    assert "for 300 fps: threshold at 64x48 needs 0 ms" in plan.reason
    assert plan.reason.endswith("fast enough for every frame")


def test_the_sizes_of_one_file_are_chosen_among_before_frames_are_skipped(tmp_path: Path):
    """The largest that reaches the rate; a size that the person chose stays, and only frames are skipped."""
    model = offering(color_model(tmp_path / "net.onnx", THREE_CLASSES, size=(240, 320)), (48, 64), (480, 640))
    plans = [planned(fps, model, RECORDING) for fps in (200, 900, 2000, 100_000)]
    assert [(plan.backend.spec.width, plan.every) for plan in plans] == [(640, 1), (320, 1), (64, 1), (64, 4)]
    options = ModelOptions(model=str(model), device="cpu", target_fps=2000, size=(240, 320))
    plan = plan_for(options, RECORDING, as_large)
    assert (plan.backend.spec.width, plan.every) == (320, 2)
    assert "colors at 320x240" in plan.reason


def test_without_a_fast_size_labels_last_for_several_frames(tmp_path: Path):
    """And which, is said."""
    model = threshold_model(tmp_path / "net.onnx", 480, 640)
    plan = planned(1000, model, RECORDING)
    assert plan.every == 4  # 3.07 ms and a quarter, at a frame each millisecond
    assert plan.reason.endswith("run on one of 4 frames, where the picture asks for it")
    options = ModelOptions(model=str(model), device="cpu", target_fps=1000, steady=0)
    assert plan_for(options, RECORDING, as_large).reason.endswith("run on every 4th frame")


@pytest.mark.parametrize(("streams", "run_s", "expected_s"), [(1, 0.03, 0.03), (4, 0.02, 0.005), (1, 1.0, 1.0)])
def test_a_network_is_measured_by_the_median_of_its_runs(streams: int, run_s: float, expected_s: float):
    """Calls side by side share the time; at least five runs, and as many as four tenths of a second hold."""
    clock, runs = ManualClock(), []

    class Pretended:
        spec = SimpleNamespace(height=48, width=64)

        def infer(self, batch: np.ndarray) -> None:
            assert batch.shape == (1, 48, 64, 3)
            runs.append(batch)
            disturbed = 10.0 if len(runs) == 1 else 0.0
            clock.advance(disturbed + run_s / streams)  # of those side by side each adds its part

    backend = Pretended()
    backend.streams = streams
    assert inference_s(backend, clock) == pytest.approx(expected_s)
    assert len(runs) >= 5 * streams


def test_a_live_source_is_not_asked_for_more_than_it_gives(model: Path):
    """100 fps of a camera that sends 30 are 30."""
    assert planned(100, model, camera()).reason.startswith("for 30 fps: ")


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (22, "22nd")]
)
def test_numbers_are_said_as_people_do(number, said):
    """In English."""
    assert ordinal(number) == said
