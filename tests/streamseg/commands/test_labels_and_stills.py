"""`--labels`, `--no-sound` and `streamseg stills`: what is shared and read by others."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamseg import Segmentation, open_labels, open_source
from streamseg.cli import main
from streamseg.errors import SinkError, SourceError
from streamseg.frame import Frame
from streamseg.sinks import LabelVideoSink
from tests.builders import THREE_CLASSES, threshold_model, write_clip

SIZE = (48, 64)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with sound through one run, into a video without it, masks and a video of labels."""
    folder = tmp_path_factory.mktemp("run")
    clip = write_clip(folder / "clip.mp4", 10, SIZE, sound=True)
    model = threshold_model(folder / "threshold.onnx")
    words = ["run", clip, folder / "out.mp4", "--model", model, "--no-sound", "--quiet", "--device", "cpu"]
    assert main([*map(str, words), "--masks", str(folder / "masks"), "--labels", str(folder / "labels.mkv")]) == 0
    return folder


def test_a_video_of_labels_is_read_back_exactly(run):
    """Every id of every pixel of every frame, its time, and what the ids mean; as the masks of the same run."""
    with open_labels(run / "labels.mkv") as video:
        assert video.classes == {0: "dark", 1: "middle", 2: "bright"}
        read = list(video)
    masks = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted((run / "masks").iterdir())]
    assert len(read) == len(masks) == 10
    for each, mask in zip(read, masks, strict=True):
        assert np.array_equal(each.labels, mask)
    with open_source(run / "clip.mp4") as source:
        assert [each.time_s for each in read] == pytest.approx([frame.time_s for frame in source], abs=0.001)


def test_every_value_of_a_byte_comes_back(run, tmp_path):
    """Also 255, which is nothing, and others that no class has; of odd sizes; and nothing is replaced unasked."""
    labels = np.arange(256, dtype=np.uint8).repeat(3)[:765].reshape(15, 51)
    with open_source(run / "clip.mp4") as source:
        info = source.info
    target = tmp_path / "odd.mkv"
    sink = LabelVideoSink(target, info, THREE_CLASSES)
    sink.write(Segmentation(Frame(0, 0.0, np.zeros((15, 51, 3), np.uint8), pts=0), labels, THREE_CLASSES))
    sink.close("complete")
    with open_labels(target) as video:
        (only,) = list(video)
    assert np.array_equal(only.labels, labels)
    with pytest.raises(SinkError, match="already exists"):
        LabelVideoSink(target, info, THREE_CLASSES)
    with pytest.raises(SinkError, match=r"must end in \.mkv"):
        LabelVideoSink(tmp_path / "odd.mp4", info, THREE_CLASSES)


@pytest.mark.parametrize(
    ("name", "said"),
    [("clip.mp4", "is no video of labels"), ("none.mkv", "cannot read"), ("threshold.onnx", "cannot read")],
)
def test_what_is_no_video_of_labels_is_refused(run, name, said):
    """In one line."""
    with pytest.raises(SourceError, match=said):
        open_labels(run / name)


def test_sound_is_left_out_where_nobody_wants_it(run):
    """The pictures are all there."""
    with av.open(str(run / "out.mp4")) as made:
        assert [each.type for each in made.streams] == ["video"]
        assert sum(1 for _ in made.decode(video=0)) == 10
    with av.open(str(run / "clip.mp4")) as source:
        assert len(source.streams.audio) == 1


def test_stills_are_the_overlays_of_their_moments(run, tmp_path, capsys):
    """Named by clip and time, in the order asked for; a time beyond the end, and a camera, are refused."""
    words = ["stills", str(run / "clip.mp4"), str(tmp_path / "new"), "--model", str(run / "threshold.onnx")]
    words += ["--device", "cpu", "--view", "mask", "--no-legend", "--color", "bright=#0000ff"]
    assert main([*words, "--at", "0:00.2,0"]) == 0
    names = ["clip_0m00.2s.png", "clip_0m00s.png"]
    assert capsys.readouterr().out == "".join(f"-> {tmp_path / 'new' / name}\n" for name in names)
    colors = {0: (220, 20, 20), 1: (20, 220, 20), 2: (255, 0, 0)}  # blue, green, red
    for name, frame in zip(names, (5, 0), strict=True):
        mask = cv2.imread(str(run / "masks" / f"{frame:06}.png"), cv2.IMREAD_UNCHANGED)
        shown = cv2.imread(str(tmp_path / "new" / name)).astype(int)
        wanted = np.array([colors[value] for value in range(3)])[mask]
        # Within blocks of chroma, which two classes share at an edge.
        assert (np.abs(shown - wanted).max(2) <= 6).mean() > 0.8, name
    assert main([*words, "--at", "99"]) == 3
    assert "start earlier" in capsys.readouterr().err
    assert main([*words, "--at", "0"]) == 5
    assert "already exists" in capsys.readouterr().err
    assert main(["stills", "0", "--at", "1"]) == 2
    assert main(["stills", "x.mp4", "--at", "0", "--model", "x.onnx"]) == 3  # before a network is looked for
    with av.open(str(run / "clip.mp4")) as container:
        last_s = max(float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.size)
    capsys.readouterr()
    assert main(["stills", str(run / "clip.mp4"), "--at", f"{last_s + 0.01:.3f}"]) == 3
    assert "no picture of" in capsys.readouterr().err
    assert main(["stills", "x.mp4", "--at", "one"]) == 2
