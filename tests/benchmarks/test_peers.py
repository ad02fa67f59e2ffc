"""Programs are compared by what they did, and looked at whether they did it right."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from benchmarks.peers import measuring
from benchmarks.peers.__main__ import compared, programs, report, summary
from benchmarks.peers.check import only_video, verdict
from benchmarks.peers.environments import NotInstalledError
from benchmarks.peers.measuring import Installed, Network, Streamseg
from benchmarks.peers.roster import PEERS
from benchmarks.results import record
from streamseg import load_backend
from tests.builders import THREE_CLASSES, write_clip

LOOP = PEERS[0]


@pytest.fixture
def here(monkeypatch):
    """Peers run in this interpreter's environment, which has what the plain loop needs."""
    monkeypatch.setattr(measuring, "environment", lambda *_, **__: Path(sys.executable))


@pytest.fixture
def network(model):
    """The small real model, as the command describes one to the peers."""
    spec = load_backend(model).spec
    return Network(model, spec.width, spec.height, [list(each.color_rgb) for each in THREE_CLASSES])


@pytest.mark.slow
def test_streamseg_and_a_plain_loop_are_compared_on_one_clip(here, network, tmp_path):
    """Both write every frame at its time; the loop loses the sound. A failure is a row with its reason."""
    clip = write_clip(tmp_path / "clip.mp4", frames=30, sound=True)
    broken = Installed(replace(LOOP, name="broken", program="no_such_program"))
    ready = [Streamseg(), Installed(LOOP), broken, ("absent", "cannot be installed: no such package")]
    measurement = compared(clip, ready, network, runs=1)
    rows = measurement["result"]
    for name in ("streamseg", LOOP.name):
        middle = rows[name]["median"]
        assert middle["frames"], rows
        assert middle["times"], rows
        assert middle["fps"] > middle["wall_fps"] > 0
        assert middle["cpu_ms"] > 0
        assert middle["p95_ms"] is not None
    assert rows["streamseg"]["median"]["sound"]
    assert not rows[LOOP.name]["median"]["sound"]
    assert "no_such_program" in rows["broken"]["failed"]
    text = report(measurement)
    assert "absent: cannot be installed: no such package" in text
    assert text.splitlines()[-1].startswith(f"streamseg to the best peer ({LOOP.name}): ")


def test_the_best_peer_is_the_fastest_from_command_to_end():
    """Start-up counts, and what failed does not."""

    def row(wall_fps, fps):
        figures = {"wall_fps": wall_fps, "fps": fps, "own_fps": None, "p95_ms": 1.0, "cpu_ms": 1.0, "peak_mb": 1.0,
                   "frames": True, "times": True, "sound": False, "codec": "mpeg4", "megabytes": 1.0}  # fmt: skip
        return {"median": figures, "runs": [figures], "note": "", "versions": {}}

    rows = {"streamseg": row(60.0, 70.0), LOOP.name: row(20.0, 21.0), "b": row(30.0, 31.0), "c": row(25.0, 90.0),
            "d": {"failed": "why"}}  # fmt: skip
    text = report(record("peers", {"clip": "x.mp4", "network": "n", "runs": 1}, rows))
    assert text.splitlines()[-2:] == ["streamseg to the plain loop: 3.00", "streamseg to the best peer (b): 2.00"]
    assert "d: why" in text


def test_a_check_that_failed_once_has_failed():
    """Figures are medians."""
    runs = [{"fps": 1.0, "sound": True, "p95_ms": None}, {"fps": 9.0, "sound": False, "p95_ms": None}]
    assert summary([*runs, {"fps": 2.0, "sound": True, "p95_ms": None}]) == {
        "fps": 2.0, "sound": False, "p95_ms": None,
    }  # fmt: skip


def test_outputs_are_held_to_their_source(tmp_path):
    """Too few frames, another pace and lost sound are each found; a copy is right in all."""
    source = write_clip(tmp_path / "source.mp4", frames=50, sound=True)
    assert verdict(source, source).sound
    short = verdict(source, write_clip(tmp_path / "short.mp4", frames=49, sound=True))
    assert (short.frames, short.times, short.sound) == (False, False, True)
    slow = verdict(source, write_clip(tmp_path / "slow.mp4", frames=50, fps=Fraction(24)))
    assert (slow.frames, slow.times, slow.sound) == (True, False, False)
    silent = write_clip(tmp_path / "silent.mp4", frames=50)
    assert verdict(silent, silent).sound  # there was none to keep


def test_an_unreadable_output_is_an_error(tmp_path):
    """Not a verdict."""
    source = write_clip(tmp_path / "source.mp4")
    (tmp_path / "broken").mkdir()
    broken = tmp_path / "broken" / "out.mp4"
    broken.write_bytes(b"nothing")
    assert only_video(tmp_path / "broken") == broken
    with pytest.raises(av.FFmpegError):
        verdict(source, broken)


def test_a_peer_that_does_not_exist_is_refused_with_the_names_there_are():
    """By the whole command."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers", "--only", "nobody"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "there is no nobody; there are streamseg, OpenCV loop" in done.stderr


def test_a_peer_that_cannot_be_installed_has_its_reason(monkeypatch):
    """As a pair of name and reason, in place of the program."""

    def refuse(*_, **__):
        raise NotInstalledError("cannot be installed: no network")

    monkeypatch.setattr(measuring, "environment", refuse)
    assert list(programs([LOOP.name], fresh=False)) == [(LOOP.name, "cannot be installed: no network")]
