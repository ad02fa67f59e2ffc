"""The networks: shapes, sizes, and published weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from streamseg.errors import UsageError
from train.architectures import ARCHITECTURES
from train.encoders.squeezenet import load_squeezenet
from train.fcn8s import enlarged


@pytest.fixture(scope="module")
def light() -> keras.Model:
    return ARCHITECTURES["fcn8s-squeezenet"]((64, 96), 11)


def test_encoder_features_come_at_strides_4_8_16_and_32(light):
    """What the decoder adds back in, and what it starts from."""
    shapes = {name: light.get_layer(name).output.shape for name in ("fire3_concat", "fire5_concat", "fire9_concat")}
    assert shapes == {
        "fire3_concat": (None, 16, 24, 128),
        "fire5_concat": (None, 8, 12, 256),
        "fire9_concat": (None, 4, 6, 512),
    }
    assert light.get_layer("context3").output.shape == (None, 2, 3, 128)


def test_logits_come_at_the_finest_stride(light):
    """One channel a class, at stride 4, or at 8 as FCN-8s has it."""
    assert light.output_shape == (None, 16, 24, 11)
    coarse = ARCHITECTURES["fcn8s-squeezenet"]((64, 96), 3, finest_stride=8)
    assert coarse.output_shape == (None, 8, 12, 3)


def test_the_encoder_is_squeezenet_in_its_published_size(light):
    """722,496 parameters, as in the published weights without top."""
    encoder = [each for each in light.layers if each.name == "conv1" or each.name.startswith("fire")]
    assert sum(each.count_params() for each in encoder) == 722_496
    assert light.count_params() < 2_000_000, "8 MB of float32 at most"


@pytest.mark.parametrize("size", [(60, 96), (64, 100), (0, 32)])
def test_sizes_that_do_not_divide_are_refused_with_the_nearest_that_does(size):
    """The skip additions would not fit."""
    with pytest.raises(UsageError, match=r"multiples of 32, got .*; the nearest is"):
        ARCHITECTURES["fcn8s-squeezenet"](size, 11)


def test_enlarging_is_bilinear_between_pixel_centres():
    """The middle of two source pixels lies half way; the ends stay."""
    row = np.array([0.0, 1.0], np.float32).reshape(1, 1, 2, 1)
    assert keras.ops.convert_to_numpy(enlarged(row, 2))[0, 0, :, 0] == pytest.approx([0.0, 0.25, 0.75, 1.0])
    assert enlarged(row, 1) is row


def squeezenet_arrays(model: keras.Model) -> dict[str, list[np.ndarray]]:
    random = np.random.default_rng(1)
    names = ["conv1"] + [f"fire{n}_{p}" for n in range(2, 10) for p in ("squeeze1x1", "expand1x1", "expand3x3")]
    return {name: [random.random(w.shape, np.float32) for w in model.get_layer(name).weights] for name in names}


def write_legacy(path, arrays) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in arrays.items():
            group = name.replace("_", "/", 1)
            file[f"{group}/{group}_3/kernel:0"] = kernel
            file[f"{group}/{group}_3/bias:0"] = bias


def test_published_weights_end_up_in_their_layers(tmp_path, light):
    """Every convolution of the encoder gets its own kernel and bias."""
    arrays = squeezenet_arrays(light)
    write_legacy(tmp_path / "weights.h5", arrays)
    load_squeezenet(light, tmp_path / "weights.h5")
    for name, (kernel, bias) in arrays.items():
        loaded = light.get_layer(name).get_weights()
        assert np.array_equal(loaded[0], kernel) and np.array_equal(loaded[1], bias)


def test_weight_files_that_do_not_fit_are_named(tmp_path, light):
    """Missing, no HDF5, a layer missing, a layer of another shape: each says the file and what to give."""
    path = tmp_path / "weights.h5"
    with pytest.raises(UsageError, match=r"weights\.h5: encoder weights not found"):
        load_squeezenet(light, path)
    path.write_text("no HDF5")
    with pytest.raises(UsageError, match=r"weights\.h5: not a readable HDF5 file"):
        load_squeezenet(light, path)
    arrays = squeezenet_arrays(light)
    write_legacy(path, {"conv1": arrays["conv1"]})
    with pytest.raises(UsageError, match=r"weights\.h5: no weights for 'fire2/squeeze1x1'"):
        load_squeezenet(light, path)
    arrays["conv1"] = [np.zeros((7, 7, 3, 96), np.float32), np.zeros(96, np.float32)]
    write_legacy(path, arrays)
    with pytest.raises(UsageError, match=r"'conv1' must be \(3, 3, 3, 64\), got \(7, 7, 3, 96\)"):
        load_squeezenet(light, path)
