"""A run of a model from elsewhere goes on whatever its labels are, and says what was strange."""

from __future__ import annotations

import csv

import av
import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests.foreign_models import FLOAT, HEIGHT, TWO_LOGITS, WIDTH, bright_model, described, two_logits

UNKNOWN = [
    ("Greater", ["d", "zero"], ["g"], {}),
    ("Cast", ["g"], ["c"], {"to": TensorProto.INT64}),
    ("Mul", ["c", "two_hundred"], ["y"], {}),
]
"""Where it is bright, the id is 200."""


@pytest.fixture
def bright_clip(tmp_path):
    """Two frames, the left half black, the right half grey 200."""
    path = tmp_path / "clip.mkv"
    picture = np.zeros((128, 192, 3), np.uint8)
    picture[:, 96:] = 200
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=5)
        video.width, video.height, video.pix_fmt = 192, 128, "yuv420p"
        for _ in range(2):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(video.encode(None))
    return path


@pytest.mark.parametrize("native", ["0", "1"], ids=["NumPy", "C"])
def test_labels_without_a_class_are_counted_and_the_run_goes_on(streamseg, tmp_path, bright_clip, native, monkeypatch):
    """On a black picture there is none of them. Video, masks and statistics are complete, and a line says what was."""
    path = bright_model(tmp_path / "net.onnx", UNKNOWN, [("y", TensorProto.INT64, [1, 1, HEIGHT, WIDTH])])
    described(path, 'output = "labels"')
    monkeypatch.setenv("STREAMSEG_NATIVE", native)
    outputs = ("out.mkv", "--every", "1", "--no-legend", "--masks", "masks", "--stats", "stats.csv")
    done = streamseg("run", bright_clip, *outputs, "--model", path)
    assert done.code == 0, done.err
    pixels = 2 * HEIGHT * WIDTH // 2
    assert (
        f"note: the network gave labels that its description has no class for, in 2 pictures: id 200 in {pixels} pixels"
        in done.err
    )
    with av.open(str(tmp_path / "out.mkv")) as video:
        pictures = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    assert len(pictures) == 2
    assert all(np.abs(picture[8:-8, 112:-8].astype(int) - 200).max() <= 4 for picture in pictures)  # not painted
    rows = list(csv.DictReader((tmp_path / "stats.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["background"], row["road"]) for row in rows] == [("0.5", "0.0")] * 2
    mask = cv2.imread(str(tmp_path / "masks" / "000000.png"), cv2.IMREAD_GRAYSCALE)
    assert set(np.unique(mask[:, :90])) == {0}
    assert set(np.unique(mask[:, 102:])) == {255}


def test_an_implausible_input_range_is_noted_by_run_and_info(streamseg, tmp_path, bright_clip):
    """A scale that was forgotten is no error, but it is said, with the line to write."""
    path = described(two_logits(tmp_path / "net.onnx"))
    text = path.with_suffix(".toml").read_text()
    path.with_suffix(".toml").write_text("\n".join(each for each in text.splitlines() if not each.startswith("scale")))
    for command in (("info", path), ("run", bright_clip, "null:", "--model", path)):
        done = streamseg(*command)
        assert done.code == 0, done.err
        assert "note: by its scale, mean and std the network gets values from 0 to 255" in done.err
        assert "write scale = 0.00392156862745098 in [tensors]" in done.err
    assert not streamseg("info", described(path)).err


def test_info_holds_a_description_to_the_graph(streamseg, tmp_path):
    """It asks the file, so it can know; nothing is printed beside the one line."""
    path = described(two_logits(tmp_path / "net.onnx"))
    beside = path.with_suffix(".toml")
    beside.write_text(beside.read_text().replace(f"width = {WIDTH}", "width = 128"))
    done = streamseg("info", path)
    assert (done.code, done.out) == (4, "")
    assert "should be ?x3x64x128 float by its description, but is 1x3x64x96 float" in done.err


def test_a_wrong_description_ends_run_and_info_alike(streamseg, tmp_path, bright_clip):
    """One line with the file and the field, exit code 4, before anything runs."""
    path = described(two_logits(tmp_path / "net.onnx"), top="classes = ['background', 'road']")
    for command in (("info", path), ("run", bright_clip, "out.mkv", "--model", path)):
        done = streamseg(*command)
        assert (done.code, done.out) == (4, "")
        assert f"streamseg: '{path.with_suffix('.toml')}': classes[0] must be a table such as" in done.err
        assert done.err.count("\n") == 1
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.slow
def test_weights_beside_a_model_must_be_there(streamseg, tmp_path):
    """Those that are kept in a file of their own; which one is missing stands in the line."""
    proto = onnx.load(bright_model(tmp_path / "net.onnx", TWO_LOGITS, [("y", FLOAT, [1, 2, HEIGHT, WIDTH])]))
    onnx.save(proto, tmp_path / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    described(tmp_path / "net.onnx")
    run = ("run", "synthetic:96x64,frames=1", "null:", "--model", "net.onnx", "--device", "cpu")
    assert streamseg(*run).code == 0
    (tmp_path / "net.data").unlink()
    done = streamseg(*run)
    assert (done.code, done.err) == (
        4, "streamseg: 'net.onnx' keeps its weights in 'net.data', which is not beside it; put it there\n",
    )  # fmt: skip
