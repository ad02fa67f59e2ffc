"""What a name on the command line stands for."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from streamseg import sinks
from streamseg.cli import main
from streamseg.errors import SinkError
from streamseg.sinks import (
    GifFileSink,
    MemorySink,
    PictureFileSink,
    PictureFolderSink,
    SinkKind,
    StatisticsSink,
    VideoFileSink,
    open_sink,
)
from tests.streamseg.sinks.recordings import info_of, record, result, unpainted


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("out.mp4", VideoFileSink),
        ("out.MKV", VideoFileSink),
        ("out.csv", StatisticsSink),
        ("out.gif", GifFileSink),
        ("out.png", PictureFileSink),
        ("out/%06d.png", PictureFolderSink),
        ("results/", PictureFolderSink),
        ("results.v2/", PictureFolderSink),
        ("there.already", PictureFolderSink),
    ],
)
def test_name_says_the_kind(tmp_path: Path, name: str, kind: type) -> None:
    """A suffix of a video, a picture or a table is that; a folder or a slash at the end is a folder of pictures."""
    (tmp_path / "there.already").mkdir()
    sink = open_sink(f"{tmp_path}/{name}", info_of(frame_count=1), unpainted())
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
    record(open_sink(str(path), info_of(), unpainted()), range(1))
    with pytest.raises(SinkError, match="`overwrite=True`"):
        open_sink(str(path), info_of(), unpainted())
    open_sink(str(path), info_of(), unpainted(), overwrite=True).close("failed")


def test_unknown_suffix_says_what_there_is(tmp_path: Path) -> None:
    """Suffixes of videos and statistics, and the slash that makes a folder; no other word makes one."""
    for name in ("out.txt", "results"):
        with pytest.raises(SinkError, match=r"\.mp4, .* for a video; \.csv, .*; / for a folder of pictures"):
            open_sink(f"{tmp_path}/{name}", info_of(), unpainted())
    assert list(tmp_path.iterdir()) == []


def test_existing_device_is_no_folder() -> None:
    """/dev/null is a file like any other, and its name says no kind."""
    with pytest.raises(SinkError, match="cannot write '/dev/null': the name must end in"):
        open_sink("/dev/null", info_of(), unpainted())


def test_a_new_kind_of_sink_is_one_file_and_one_line(tmp_path: Path, monkeypatch, capsys, clip, model) -> None:
    """As docs/architecture.md says it is done; the command line, the pipeline and the closing line then know it."""
    written = tmp_path / "pts_list.py"
    written.write_text(
        "from pathlib import Path\n"
        "from streamseg.atomic import AtomicFile\n"
        "from streamseg.sinks.base import Sink\n"
        "class PtsListSink(Sink):\n"
        "    def __init__(self, path, *, overwrite=False):\n"
        "        self._file, self._lines = AtomicFile(Path(path), overwrite=overwrite), []\n"
        "    def write(self, segmentation):\n"
        "        self._lines.append(f'{segmentation.frame.pts}\\n')\n"
        "    def close(self, outcome):\n"
        "        if outcome != 'failed':\n"
        "            self._file.partial.write_text(''.join(self._lines))\n"
        "            self.place = str(self._file.commit())\n"
        "        self._file.discard()\n"
    )
    spec = importlib.util.spec_from_file_location("streamseg.sinks.pts_list", written)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "streamseg.sinks.pts_list", module)
    line = SinkKind(lambda address: address.endswith(".pts"), "pts_list:PtsListSink", ("address", "overwrite"))
    monkeypatch.setattr(sinks, "KINDS", (line, *sinks.KINDS))
    command = ["run", str(clip), str(tmp_path / "out.pts"), "--model", str(model), "--device", "cpu"]
    assert main(command) == 0
    assert len((tmp_path / "out.pts").read_text().split()) == 20
    assert str(tmp_path / "out.pts") in capsys.readouterr().out
    assert main(command) == 5
    assert "already exists and was not written by streamseg" in capsys.readouterr().err  # it carries no tag


def test_naming_the_package_loads_opencv_and_nothing_heavier() -> None:
    """PyAV comes with the first sink that needs it, and so after OpenCV, whose windows would hang otherwise."""
    script = (
        "import sys, streamseg.sinks; from streamseg.sinks import SinkKind, MemorySink, Sink, open_sink\n"
        "print([name for name in ('cv2', 'av', 'onnxruntime', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['cv2', 'numpy']"
