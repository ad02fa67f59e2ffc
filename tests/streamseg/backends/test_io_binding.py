"""Buffers that stay on the device give the same labels as plain runs; here the device is the CPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from streamseg.backends import load_backend
from streamseg.backends.graph import input_shapes
from streamseg.backends.io_binding import IoBindingBackend, Memory
from streamseg.backends.ort import ort
from streamseg.errors import ModelError
from tests.builders import logits_model, sure_model, threshold_model
from tests.streamseg.backends.foreign import TOML


def bound(path, *, sizes=(1, 2, 4)):
    """A model bound to the CPU's memory."""

    def opened(size):
        options = ort.SessionOptions()
        for shape in input_shapes(path).values():
            if isinstance(shape[0], str):
                options.add_free_dimension_override_by_name(shape[0], size)
        return ort.InferenceSession(str(path), options, ["CPUExecutionProvider"])

    return IoBindingBackend(path, "cpu bound", Memory("cpu"), opened, sizes)


def pictures(count: int, seed: int = 0) -> np.ndarray:
    """Noise, 48x64 each."""
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 64, 3), np.uint8)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_batches_of_any_number_give_the_labels_of_plain_runs(model, count):
    """Filled up to a size that there is, or taken apart."""
    batch = pictures(count)
    assert np.array_equal(bound(model).infer(batch), load_backend(model, "cpu").infer(batch))


def test_results_are_not_overwritten_by_the_next_run(model):
    """Buffers are used again, what was given out is the caller's."""
    backend, plain = bound(model), load_backend(model, "cpu")
    first, second = backend.infer(pictures(2)), backend.infer(pictures(2, seed=1))
    assert np.array_equal(first, plain.infer(pictures(2)))
    assert np.array_equal(second, plain.infer(pictures(2, seed=1)))


def test_threads_have_buffers_of_their_own(model):
    """Runs side by side do not disturb each other."""
    backend, plain = bound(model), load_backend(model, "cpu")
    truth = [plain.infer(pictures(2, seed)) for seed in range(2)]

    def right(seed):
        return all(np.array_equal(backend.infer(pictures(2, seed)), truth[seed]) for _ in range(200))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(right, range(2))) == [True, True]


def test_confidence_comes_with_the_labels(tmp_path):
    """Where the file tells it."""
    path = sure_model(tmp_path / "sure.onnx")
    backend, batch = bound(path), pictures(3)
    for one, other in zip(
        backend.infer_with_confidence(batch), load_backend(path, "cpu").infer_with_confidence(batch), strict=True
    ):
        assert np.array_equal(one, other)
    assert np.array_equal(backend.infer(batch), load_backend(path, "cpu").infer(batch))


def test_a_foreign_model_of_one_size_takes_batches_apart(tmp_path):
    """Float planes in, logits out, one picture at a time."""
    path = logits_model(tmp_path / "elsewhere.onnx")
    path.with_suffix(".toml").write_text(TOML)
    labels = bound(path, sizes=(1,)).infer(pictures(3))
    one_by_one = [load_backend(path, "cpu").infer(each[None]) for each in pictures(3)]
    assert np.array_equal(labels, np.concatenate(one_by_one))


def test_a_model_without_confidence_says_how_to_get_it(model):
    """As any backend."""
    with pytest.raises(ModelError, match="export the model with --confidence"):
        bound(model).infer_with_confidence(pictures(1))


def test_a_picture_of_another_size_is_an_error_in_one_line(model):
    """With the file and the device."""
    with pytest.raises(ModelError, match=r"threshold\.onnx' failed on cpu bound: ") as caught:
        bound(model).infer(np.zeros((1, 8, 8, 3), np.uint8))
    assert "\n" not in str(caught.value)


def test_the_inputs_of_a_file_are_read_without_a_library(tmp_path):
    """Open sizes by their names, fixed ones as numbers."""
    assert input_shapes(threshold_model(tmp_path / "free.onnx")) == {"frames": ("n", 48, 64, 3)}
    assert input_shapes(logits_model(tmp_path / "fixed.onnx")) == {"image": (1, 3, 48, 64)}
