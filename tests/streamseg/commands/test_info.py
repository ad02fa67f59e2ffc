"""`streamseg info` says what a model file says."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest

from streamseg.cli import main
from streamseg.spec import ModelSpec
from tests.streamseg.sources.clips import grey_frame


def two_cameras(path):
    """Ten frames of a front and of a rear camera, and sound."""
    with av.open(str(path), "w") as container:
        videos = []
        for title, height, width in (("front", 64, 96), ("rear", 48, 64)):
            video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            video.height, video.width, video.pix_fmt = height, width, "yuv420p"
            video.metadata["title"] = title
            videos.append(video)
        sound = container.add_stream("aac", rate=48000, layout="mono")
        sound.metadata["language"] = "fre"
        for index in range(10):
            for video in videos:
                container.mux(video.encode(grey_frame(20 + index, (video.height, video.width))))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 19_200), np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts, silence.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(sound.encode(silence))
        for stream in (*videos, sound):
            container.mux(stream.encode(None))
    return path


def test_the_bundled_model_is_described_by_default(streamseg):
    """Eleven CamVid classes and the own car and the verge, an input size, a licence, in words and in JSON."""
    done = streamseg("info", "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    names = [each["name"] for each in facts["classes"]]
    camvid = "sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, bicyclist"
    assert ", ".join(names) == f"{camvid}, ego vehicle, verge"
    assert [each["id"] for each in facts["classes"]] == list(range(13))
    assert all(len(each["color"]) == 3 for each in facts["classes"])
    assert facts["height"] > 0
    assert facts["width"] > 0
    assert "non-commercial" in facts["licence"]
    assert facts["bytes"] <= 8_000_000
    assert facts["sizes"] == ["672x384", "512x288", "320x192"]
    text = streamseg("info").out
    assert facts["name"] in text
    assert "bicyclist" in text
    assert "sizes       672x384, 512x288, 320x192\n" in text


def test_the_json_of_a_model_reads_back_as_its_description(streamseg, model):
    """Beside the file's name and size it is exactly the ModelSpec."""
    facts = json.loads(streamseg("info", model, "--json").out)
    assert facts.pop("file") == str(model)
    assert facts.pop("bytes") == model.stat().st_size
    assert ModelSpec.from_dict(facts).name == "threshold"


def test_a_recording_s_tracks_are_listed(streamseg, tmp_path):
    """In words and in JSON: number, kind, codec, size, rate, language and length."""
    path = two_cameras(tmp_path / "two.mkv")
    done = streamseg("info", path)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "  1  video      h264, 96x64, 25 fps, 0.42 s, 'front', shown by players",
        "  2  video      h264, 64x48, 25 fps, 0.42 s, 'rear'",
        "  3  sound      aac, 48000 Hz, 1 channel, fre, 0.42 s",
    ]
    tracks = json.loads(streamseg("info", path, "--json").out)["tracks"]
    assert [track["number"] for track in tracks] == [1, 2, 3]
    assert (tracks[1]["height"], tracks[1]["width"], tracks[1]["shown"]) == (48, 64, False)


def test_a_track_is_chosen_by_its_number(streamseg, tmp_path, model):
    """The rear camera gets its overlay; what is no video is refused with the numbers that are."""
    path = two_cameras(tmp_path / "two.mkv")
    done = streamseg("run", path, "rear.mp4", "--track", "2", "--model", model)
    assert done.code == 0, done.err
    with av.open(str(tmp_path / "rear.mp4")) as container:
        assert (container.streams.video[0].height, container.streams.video[0].frames) == (48, 10)
        assert len(container.streams.audio) == 1
    done = streamseg("run", path, "sound.mp4", "--track", "3", "--model", model)
    assert done.code == 2
    assert "--track 3 of" in done.err
    assert done.err.strip().endswith("is no video; its video tracks: 1, 2")


def test_a_file_that_is_no_model_is_one_line(streamseg, tmp_path):
    """Exit code 4."""
    path = tmp_path / "clip.onnx"
    path.write_bytes(b"no model" * 100)
    done = streamseg("info", path)
    assert done.code == 4
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.mp4", None, "there is no file 'gone.mp4'"),
        ("empty.mp4", b"", "'empty.mp4' is empty (0 bytes)"),
        ("text.mp4", b"hello", "'text.mp4' is not a video"),
        ("folder.mp4", ..., "'folder.mp4' is a folder"),
    ],
)
def test_what_is_no_recording_is_one_line_too(tmp_path, monkeypatch, capsys, name, content, said):
    """Exit code 3, as a name that ends like a recording is none of a model."""
    monkeypatch.chdir(tmp_path)
    if content is ...:
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["info", name]) == 3
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
