"""What a name on the command line stands for."""

import subprocess
import sys
from pathlib import Path

import pytest

from streamseg.errors import SinkError
from streamseg.sinks import MemorySink, PictureFolderSink, VideoFileSink, open_sink
from tests.streamseg.sinks.recordings import info_of, record, result, unpainted


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("out.mp4", VideoFileSink),
        ("out.MKV", VideoFileSink),
        ("results", PictureFolderSink),
        ("results.v2/", PictureFolderSink),
        ("there.already", PictureFolderSink),
    ],
)
def test_name_says_the_kind(tmp_path: Path, name: str, kind: type) -> None:
    """A video suffix is a video; a folder, a slash at the end or no suffix is a folder of pictures."""
    (tmp_path / "there.already").mkdir()
    sink = open_sink(f"{tmp_path}/{name}", info_of(), unpainted())
    assert type(sink) is kind
    sink.close("failed")


def test_memory_keeps_and_null_counts() -> None:
    """Both take any number of frames; null: holds none of them."""
    kept, counted = (open_sink(name, info_of(), unpainted()) for name in ("memory:", "null:"))
    for sink in (kept, counted):
        assert isinstance(sink, MemorySink)
        record(sink, range(5))
        assert sink.count == 5
        assert sink.outcome == "complete"
    assert [each.frame.pts for each in kept.segmentations] == [0, 1, 2, 3, 4]
    assert len(counted.segmentations) == 0


def test_memory_can_keep_the_newest_only() -> None:
    """A long run does not fill the memory."""
    sink = MemorySink(keep=2)
    for index in range(5):
        sink.write(result(index))
    assert [each.frame.index for each in sink.segmentations] == [3, 4]


def test_overwriting_is_passed_on(tmp_path: Path) -> None:
    """Nothing is replaced unless asked."""
    path = tmp_path / "out.mp4"
    path.touch()
    with pytest.raises(SinkError, match="`overwrite=True`"):
        open_sink(str(path), info_of(), unpainted())
    open_sink(str(path), info_of(), unpainted(), overwrite=True).close("failed")


def test_unknown_suffix_says_what_there_is(tmp_path: Path) -> None:
    """Video suffixes, and the slash that makes a folder."""
    with pytest.raises(SinkError, match=r"\.mp4.*; a folder of pictures in '/'"):
        open_sink(f"{tmp_path}/out.txt", info_of(), unpainted())


def test_existing_device_is_no_folder() -> None:
    """/dev/null is a file like any other."""
    with pytest.raises(SinkError, match="is a file; name a folder"):
        open_sink("/dev/null", info_of(), unpainted())


def test_naming_the_package_loads_opencv_and_nothing_heavier() -> None:
    """PyAV comes with the first sink that needs it, and so after OpenCV, whose windows would hang otherwise."""
    script = (
        "import sys, streamseg.sinks; from streamseg.sinks import MemorySink, Sink, open_sink\n"
        "print([name for name in ('cv2', 'av', 'onnxruntime', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['cv2', 'numpy']"
