"""Choosing the source by what the address looks like."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from streamseg import Frame, Source, SourceError, SourceOptions, StreamInfo, UsageError, open_source, sources
from streamseg.cli import main
from streamseg.sources import OptionsByName, _Kind
from streamseg.sources.browser import BrowserSource
from streamseg.sources.image_folder import ImageFolderSource
from streamseg.sources.opencv_file import OpenCVFileSource
from streamseg.sources.synthetic import SyntheticSource
from streamseg.sources.video_file import VideoFileSource
from streamseg.sources.wrapper import unwrapped
from tests.streamseg.sources.clips import Clip


def test_the_address_decides(tmp_path: Path) -> None:
    """A file, a folder, a glob, one picture, the built-in scene."""
    clip = Clip(frames=3).write(tmp_path / "clip.mp4")
    picture = tmp_path / "pictures" / "a.PNG"
    picture.parent.mkdir()
    picture.write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    for address, kind in {
        str(clip): VideoFileSource,
        str(picture.parent): ImageFolderSource,
        str(picture.parent / "*.PNG"): ImageFolderSource,
        str(picture): ImageFolderSource,
        "synthetic:160x96": SyntheticSource,
    }.items():
        with open_source(address) as source:
            assert type(source) is kind, address


def test_reader_opencv_reads_files_with_opencv(tmp_path: Path) -> None:
    """The frames are OpenCV's own."""
    with open_source(str(Clip(frames=3).write(tmp_path / "clip.mp4")), reader="opencv") as source:
        assert type(source) is OpenCVFileSource


def test_a_file_whose_name_is_a_number_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without such a file, a number is a camera."""
    monkeypatch.chdir(tmp_path)
    Clip(frames=3).write(tmp_path / "7.mp4").rename(tmp_path / "7")
    with open_source("7") as source:
        assert source.info.kind == "video"


def test_missing_file_suggests_the_near_name(tmp_path: Path) -> None:
    """A slip of the finger is recognised; without a near name the message says what can be given."""
    Clip(frames=2).write(tmp_path / "holiday.mp4")
    with pytest.raises(SourceError, match=r"no file '.*holyday\.mp4'; did you mean '.*holiday\.mp4'\?"):
        open_source(str(tmp_path / "holyday.mp4"))
    what = "synthetic:, browser:, a camera number, .* a folder or glob of pictures or a video file"
    with pytest.raises(SourceError, match=f"no file '.*zzz'; give {what}"):
        open_source(str(tmp_path / "zzz"))
    with pytest.raises(SourceError, match="no file"):
        open_source(str(tmp_path / "no" / "such" / "folder" / "clip.mp4"))


@pytest.mark.parametrize("address", ["", "x" * 5000, "nul\0l.mp4", "foo://bar/baz"])
def test_odd_addresses_are_missing_files(address: str) -> None:
    """Whatever is typed, there is one line and no traceback."""
    with pytest.raises(SourceError, match="no file"):
        open_source(address)


def test_a_password_in_an_address_nobody_knows_is_not_shown() -> None:
    """A slip in the scheme does not make it public."""
    with pytest.raises(SourceError, match=r"no file 'rstp://me:\*\*\*@camera/1'"):
        open_source("rstp://me:s3cret@camera/1")


def test_missing_camera_says_which_exist() -> None:
    """The way out is in the message."""
    with pytest.raises(SourceError, match=r"no video comes from camera 97: it cannot be opened: .*/dev/video"):
        open_source("97")


SET = {
    "reader": "opencv",
    "decoder": "auto",
    "start_s": 0.4,
    "duration_s": 1.0,
    "max_frames": 1,
    "threads": 1,
    "track": 1,
    "camera_size": (720, 1280),
    "camera_fps": 30.0,
    "reconnect": False,
    "open_timeout_s": 1.0,
}
"""Every option, at a value that is not its own."""

FOLLOWED = {
    "synthetic:160x96": {"start_s", "duration_s", "max_frames"},
    "browser:": {"camera_size", "camera_fps", "duration_s", "max_frames"},
    "97": {"camera_size", "camera_fps", "reconnect", "open_timeout_s", "duration_s", "max_frames"},
    "rtsp://me:hidden@127.0.0.1:9/live": {"reconnect", "open_timeout_s", "duration_s", "max_frames"},
    "PICTURES": {"max_frames"},
    "CLIP": {"reader", "decoder", "start_s", "threads", "track", "duration_s", "max_frames"},
}
"""By address, the options that a source of this kind can follow."""


@pytest.mark.parametrize("name", SET)
@pytest.mark.parametrize("address", FOLLOWED)
def test_an_option_that_a_source_cannot_follow_is_refused_by_name(
    tmp_path: Path, clip: Path, address: str, name: str
) -> None:
    """Before anything is opened, never passed over in silence, without a password or a flag of the command line."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    real = {"PICTURES": str(tmp_path / "pictures"), "CLIP": str(clip)}.get(address, address)
    options = SourceOptions(**{name: SET[name]})  # type: ignore[arg-type]
    if name in FOLLOWED[address]:
        try:
            open_source(real, options).close()
        except SourceError as error:  # of what is not there; the option was taken
            assert address in ("97", "rtsp://me:hidden@127.0.0.1:9/live"), error
        return
    with pytest.raises(UsageError, match=f"^`{name}(=False)?` is for .*, and '.*' is .*; leave it out$") as caught:
        open_source(real, options)
    assert "hidden" not in str(caught.value)
    assert "--" not in str(caught.value)


def test_hardware_decodes_with_pyav_alone(clip: Path) -> None:
    """Two options that contradict each other, whatever the address."""
    with pytest.raises(UsageError, match="`decoder` is for video files read by PyAV"):
        open_source(str(clip), reader="opencv", decoder="auto")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start_s": -1}, "`start_s` must be 0 or more seconds, got -1"),
        ({"open_timeout_s": 0.0}, "`open_timeout_s` must be more than 0 seconds, got 0"),
        ({"open_timeout_s": float("nan")}, "`open_timeout_s` must be more than 0 seconds, got nan"),
    ],
)
def test_what_cannot_be_meant_is_refused_first(options: dict[str, float], message: str) -> None:
    """Whatever the address."""
    with pytest.raises(UsageError, match=message):
        open_source("rtsp://127.0.0.1:9/live", **options)  # type: ignore[arg-type]


def test_options_are_taken_as_a_value_or_by_name(clip: Path) -> None:
    """One by name comes in place of the value's; the names are those of `SourceOptions`, for type checkers too."""
    assert [field.name for field in fields(SourceOptions)] == list(OptionsByName.__annotations__)
    options = SourceOptions(start_s=0.2, max_frames=2)
    with open_source(str(clip), options) as source:
        assert len(list(source)) == 2
    with open_source(str(clip), options, max_frames=3) as source:
        times = [frame.time_s for frame in source]
    assert len(times) == 3
    assert times[0] >= 0.2


def test_a_browsers_camera_opens_like_any_other_source() -> None:
    """From the library too; limits go around it, and the page finds the camera behind them."""
    with open_source("browser:", camera_size=(480, 640), camera_fps=15, max_frames=3) as source:
        camera = unwrapped(source)
        assert isinstance(camera, BrowserSource)
        assert (source.info.size, source.info.fps, source.info.live) == ((480, 640), 15, True)
        assert source.live_state is camera.live_state
    with pytest.raises(SourceError, match="'browser:chrome' names more than a visitor's camera; write browser: alone"):
        open_source("browser:chrome")


def test_a_path_and_the_number_of_a_camera_are_addresses(clip: Path) -> None:
    """As Python programs have them at hand."""
    with open_source(clip) as source:
        assert source.info.kind == "video"
    with pytest.raises(SourceError, match="no video comes from camera 97"):
        open_source(97)


def test_a_new_kind_of_source_is_one_file_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its options refused, limited and named in messages as those of the kinds that are there."""

    class StillSource(Source):
        """One grey, as often as asked."""

        def __init__(self, address: str, *, start_s: float) -> None:
            self.info = StreamInfo(address, "synthetic", 64, 96, fps=Fraction(25))
            self.index = round(25 * start_s)

        def read(self) -> Frame:
            self.index += 1
            return Frame(self.index - 1, (self.index - 1) / 25, np.full((64, 96, 3), 90, np.uint8))

    file = ModuleType("streamseg.sources.still")
    file.StillSource = StillSource  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, file.__name__, file)
    line = _Kind("a still", "still:", lambda address, _: address == "still:", "still:StillSource",
                 ("start_s", "max_frames"))  # fmt: skip
    monkeypatch.setattr(sources, "_KINDS", (line, *sources._KINDS))
    with open_source("still:", start_s=2, max_frames=3) as source:
        assert [frame.index for frame in source] == [50, 51, 52]
    with pytest.raises(UsageError, match="`threads` is for a video file, and 'still:' is a still; leave it out"):
        open_source("still:", threads=2)
    with pytest.raises(
        UsageError, match="`start_s` is for a still, the built-in scene, an animation or a video file, and"
    ):
        open_source("97", start_s=1)
    with pytest.raises(SourceError, match="give still:, synthetic:, browser:, "):
        open_source("zzz")


def test_synthetic_scene_starts_later_on() -> None:
    """The scene at `start_s` is the first frame."""
    with open_source("synthetic:160x96") as source, open_source("synthetic:160x96", start_s=1.0) as later:
        frames = [source.read() for _ in range(31)]
        first = later.read()
    assert frames[30] is not None
    assert first is not None
    assert (frames[30].bgr() == first.bgr()).all()


def test_importing_sources_loads_nothing_heavy() -> None:
    """OpenCV and PyAV come with the first source that needs them."""
    code = "import sys; from streamseg.sources import open_source; print({'cv2', 'av', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("password", ["s3#cret", "s3?cret", "s3/cret", "[s3cret]", "s3]cret", "s3[cret", "p@s3/cret"])
@pytest.mark.parametrize(
    "form", ["rtsp://me:{}@127.0.0.1:9/live", "http://me:{}@127.0.0.1:9/clip.mp4", "ftp://me:{}@h/x"]
)
def test_a_password_that_is_not_encoded_is_one_line_that_hides_it(
    form: str, password: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3 with what to write instead, whatever is asked for; nothing tries to connect."""
    monkeypatch.chdir(tmp_path)
    address = form.format(password)
    for words in (["run", address], ["run", address, "out.mp4"], ["bench", address], ["run", address, "--json"]):
        code = main(words)
        said = capsys.readouterr()
        assert code == 3, (words, said)
        assert said.err.count("\n") == 1
        assert "percent-encode it: # as %23, / as %2F" in said.err
        assert "cret" not in said.err + said.out


def test_such_an_address_as_output_hides_it_too(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the last word and with -o."""
    for words in (["rtsp://me:s3#cret@h/x"], ["-o", "rtsp://me:[s3]cret@h/x"], ["-o", "ftp://me:s3/cret@h/x.mp4"]):
        assert main(["run", "synthetic:64x64,frames=1", "--model", str(model), "--device", "cpu", *words]) == 2
        said = capsys.readouterr()
        assert "me:***@h/x" in said.err
        assert "cret" not in said.err + said.out


def test_an_encoded_password_and_an_odd_address_are_tried() -> None:
    """Nothing is refused that could be meant."""
    for address in ("rtsp://me:s3%23cret@127.0.0.1:9/live", "http://127.0.0.1:9/live?mail=me@home"):
        with pytest.raises(SourceError, match=r"no video comes from '.*127\.0\.0\.1"):
            open_source(address)
