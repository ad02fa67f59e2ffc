"""Values that cannot be meant: each is one line with the exit code of its kind; none is passed over or waited for."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from streamseg.cli import command_line, main
from tests.builders import threshold_model
from tests.waiting import PATIENCE_S

SCENE = "synthetic:64x64,frames=1"
NUMBERS = ("nan", "inf", "-inf", "-1", "0", "1e308", "9" * 30, "1" * 5000, "", "abc")
NAMES = ("", "a\0b")
MEANT = {
    # 0 is something for these: from the beginning, invisible, best, no frame to warm up, no slower at all.
    *(
        (flag, "0")
        for flag in ("--start", "--alpha", "--crf", "--warmup", "--tolerance", "--effect-margin", "--effect-frames")
    ),
    # Any port; and text, which no number is wrong for.
    *((flag, value) for flag in ("--serve", "--allow-host", "--classes") for value in NUMBERS),
}


def _cases():
    for command in ("run", "bench"):
        for option in command_line.commands[command].params:
            if not isinstance(option, click.Option) or option.is_flag or isinstance(option.type, click.Choice):
                continue
            flag = max(option.opts, key=len)
            named = option.type.name == "name"  # files and folders, and what may be one
            for value in NAMES if named else NUMBERS:
                if (flag, value) not in MEANT and flag not in ("--device", "--precision"):
                    yield command, flag, value


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A model that loads at once."""
    return str(threshold_model(tmp_path_factory.mktemp("odd") / "tiny.onnx"))


def _said(capsys, *words):
    """Exit code and the line that was printed."""
    code = main(list(words))
    printed = capsys.readouterr()
    assert "\n" not in printed.err.strip(), printed.err
    return code, printed.err.strip()


@pytest.mark.slow
def test_every_number_and_name_that_cannot_be_meant_is_refused_as_usage(capsys, tiny):
    """All options of `run` and `bench`, found in their own tables: a new one is in by itself."""
    cases = list(_cases())
    assert len(cases) > 150
    for command, flag, value in cases:
        output = ["null:"] if command == "run" and flag != "--output" else []
        model = ["--model", tiny] if flag != "--model" else []
        code, line = _said(capsys, command, SCENE, *output, *model, flag, value)
        assert (code, line.startswith("streamseg: ")) == (2, True), (command, flag, value[:20], code, line)
        assert len(line) < 6000


@pytest.mark.parametrize("flag", ["--output", "--masks", "--stats", "--report", "--json"])
def test_a_place_that_cannot_be_written_is_an_error_of_the_output(flag, capsys, tiny, tmp_path):
    """A folder, a missing folder, a device, a name that is too long, a file system that takes nothing."""
    suffix = {"--output": ".mp4", "--stats": ".csv", "--masks": ""}.get(flag, ".json")
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    places = ["/dev/full", str(tmp_path / f"{'x' * 300}{suffix}"), "x" * 300, f"/proc/x{suffix}"]
    if flag != "--masks":  # which makes the folders that it needs
        places.append(str(tmp_path / "missing" / f"x{suffix}"))
    if flag not in ("--masks", "--output"):  # which may be folders
        places.append(str(folder))
    words = ["bench", SCENE] if flag == "--json" else ["run", SCENE, "-q"]
    words += ["null:"] if words[0] == "run" and flag != "--output" else []
    for place in places:
        code, line = _said(capsys, *words, "--model", tiny, "--device", "cpu", flag, place)
        assert (code, place[:20] in line or "cannot write" in line) == (5, True), (place, line)


@pytest.mark.parametrize(
    "address",
    [
        "http://[::", "rtsp://", "http://h:99999/x.mp4", "://", "a\0b", "", "9" * 30, "9" * 5000, "/dev/null",
        "x" * 300, "x/" * 3000, "\x1b[31mred", "a\nb", "\udcff", "file:///missing", "concat:a|b", "udp://127.0.0.1:99999",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_an_error_of_the_source(address, capsys, tiny):
    """In one line without control characters, whatever is in the address."""
    waiting = ["--open-timeout", "1"] if address.startswith(("rtsp:", "udp:")) else []
    code, line = _said(capsys, "run", address, "null:", "-q", "--model", tiny, *waiting)
    assert code == 3, line
    assert line.isprintable()


@pytest.mark.parametrize("old", ['{"result": {"fps": NaN}, "settings": {}}', '{"result": {"fps": 0}, "settings": {}}'])
def test_an_earlier_result_that_everything_would_pass_is_refused(old, capsys, tiny, tmp_path):
    """No number is slower than nan."""
    (tmp_path / "old.json").write_text(old)
    assert _said(capsys, "bench", SCENE, "--model", tiny, "--compare", str(tmp_path / "old.json"))[0] == 2
    assert _said(capsys, "bench", SCENE, "--model", tiny, "--compare", "/dev/zero")[0] == 2


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="closing descriptors in a shell's words is for POSIX")
def test_closed_and_full_standard_streams_do_not_matter(tiny, clip, tmp_path):
    """The run goes on, the files are whole, and no library prints into them."""
    words = f"{sys.executable} -m streamseg run {clip} out.mp4 --overwrite --model {tiny} --device cpu --stats s.csv"
    for closed in (">&- 2>&- <&-", "2>/dev/full"):
        done = subprocess.run(f"{words} {closed}", shell=True, cwd=tmp_path, check=False, timeout=PATIENCE_S)
        assert done.returncode == 0, closed
        assert len((tmp_path / "s.csv").read_text().splitlines()) == 1 + 20
    done = subprocess.run(f"{words} --alpha nan 2>/dev/full", shell=True, cwd=tmp_path, check=False, timeout=PATIENCE_S)
    assert done.returncode == 2
