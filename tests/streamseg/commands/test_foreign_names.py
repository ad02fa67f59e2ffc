"""Names that strangers wrote, into files, models and recordings, do nothing to a terminal, a table or a page."""

from __future__ import annotations

import json

import av
import onnx
import pytest

from streamseg.cli import main
from streamseg.sources.contents import listed_tracks
from tests.builders import threshold_model, write_clip

ESCAPE = "\x1b[31m\x1b]0;title\x07\u202e\x9b1m"


def _is_plain(text):
    assert all(line.isprintable() for line in text.replace("\t", " ").split("\n")), ascii(text)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A clip whose own name, title, tags and tracks are full of escape sequences."""
    folder = tmp_path_factory.mktemp("foreign")
    plain = write_clip(folder / "plain.mp4", frames=4, sound=True)
    path = folder / "clip \x1b[31m.mkv"
    with av.open(plain) as read, av.open(path, "w") as written:
        written.metadata.update({"title": ESCAPE, "comment": ESCAPE})
        pictures = written.add_stream_from_template(read.streams.video[0])
        pictures.metadata.update({"title": ESCAPE, "language": "e\x1bg"})
        sound = written.add_stream_from_template(read.streams.audio[0])
        sound.metadata.update({"title": ESCAPE, "language": "\x1b[3"})
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = pictures if packet.stream.type == "video" else sound
                written.mux(packet)
    return path


def test_a_recording_cannot_write_on_the_terminal(recording, model, tmp_path, capsys):
    """Listed, run in so many words, refused."""
    out = str(tmp_path / "out.mp4")
    for words in (
        ["info", str(recording)],
        [
            "run",
            str(recording),
            out,
            "-v",
            "--stats",
            str(tmp_path / "s.csv"),
            "--model",
            str(model),
            "--device",
            "cpu",
        ],
        ["run", str(recording), out, "--track", "9", "--model", str(model)],
        ["run", str(recording) + ".missing", out, "--model", str(model)],
    ):
        main(words)
        printed = capsys.readouterr()
        _is_plain(printed.out)
        _is_plain(printed.err)
    _is_plain((tmp_path / "s.csv").read_text())


def test_tracks_have_clean_names_for_programs_too(recording):
    """As `streamseg info --json` gives them."""
    tracks = listed_tracks(str(recording))
    assert all((each.title or "").startswith("?[31m?]0;title???1m") for each in tracks)
    for each in tracks:
        _is_plain(json.dumps(each.to_dict(), ensure_ascii=False))


@pytest.mark.parametrize("place", ["name", "class", "fact", "tensor"])
def test_a_model_cannot_write_on_the_terminal(place, tmp_path, clip, capsys):
    """A class or a model of such a name is refused, facts are cleaned, names in the graph are shown cleaned."""
    path = threshold_model(tmp_path / "model.onnx")
    model = onnx.load(path)
    said = json.loads(model.metadata_props[0].value)
    if place == "name":
        said["name"] = ESCAPE
    elif place == "class":
        said["classes"][1]["name"] = ESCAPE
    elif place == "fact":
        said["training"] = {ESCAPE: ESCAPE}
    else:
        said["tensors"] = {"input_name": "missing"}
        model.graph.input[0].name = ESCAPE
        for node in model.graph.node:
            for number, each in enumerate(node.input):
                node.input[number] = ESCAPE if each == "frames" else each
    model.metadata_props[0].value = json.dumps(said)
    onnx.save(model, path)
    stats = tmp_path / "s.csv"
    for words in (
        ["info", str(path)],
        ["describe", str(path)],
        ["run", str(clip), str(tmp_path / "o.mp4"), "--model", str(path), "--device", "cpu", "--stats", str(stats)],
    ):
        main(words)
        printed = capsys.readouterr()
        assert "\x1b]0" not in printed.out, "colour of a swatch is the only sequence there is"
        _is_plain(printed.err)
    if stats.exists():
        _is_plain(stats.read_text())
