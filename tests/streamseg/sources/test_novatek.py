"""Positions of cameras with a chip of Novatek, in files made by the public description of theirs."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamseg import open_source
from streamseg.positions import Position
from streamseg.sources.novatek import novatek_positions
from tests.builders import write_clip


def block(second: int, *, at: int = 48, fix: bytes = b"A", latitude: float = 4807.038, east: bytes = b"E") -> bytes:
    """One, of 10:20 on 2 March 2026, at 20 knots; `at` is where its numbers begin."""
    numbers = struct.pack("<6I3cx4f", 10, 20, second, 26, 3, 2, fix, b"N", east, latitude, 1131.0, 20.0, 84.0)
    content = b"GPS " + bytes(at - 12) + numbers + bytes(40)
    return struct.pack(">I", len(content) + 8) + b"free" + content


def with_blocks(path: Path, blocks: list[bytes]) -> Path:
    """A clip of a second with blocks behind it, and the table of them at the end of its movie box, which is last."""
    write_clip(path, 25, (48, 64))
    content = path.read_bytes()
    movie = content.index(b"moov") - 4
    head, box = content[:movie], content[movie:]
    skipped = struct.pack(">I", 8 + sum(map(len, blocks))) + b"skip" + b"".join(blocks)
    place, entries = len(head) + 8, b""
    for each in blocks:
        entries += struct.pack(">II", place, len(each))
        place += len(each)
    table = struct.pack(">I4s8x", len(entries) + 16, b"gps ") + entries
    path.write_bytes(head + skipped + struct.pack(">I", len(box) + len(table)) + box[4:] + table)
    return path


@pytest.mark.parametrize("at", [48, 16])
def test_each_second_has_its_position(tmp_path: Path, at: int) -> None:
    """Whatever the firmware puts before; seconds without a fix have none."""
    blocks = [block(0, at=at), block(1, at=at, fix=b"V"), block(2, at=at, latitude=4808.4, east=b"W")]
    with open_source(with_blocks(tmp_path / "a.mp4", blocks)) as source:
        assert source.positions is not None
        first, second = source.positions.between(0, 10)
        assert len(list(source)) == 25
    assert (first.time_s, second.time_s) == (0, 2)
    assert (first.latitude, first.longitude) == pytest.approx((48.1173, 11.516667), abs=1e-5)
    assert (second.latitude, second.longitude) == pytest.approx((48.14, -11.516667), abs=1e-5)
    assert first.speed_kmh == pytest.approx(37.04)
    assert first.utc == datetime(2026, 3, 2, 10, 20, tzinfo=UTC)


def test_files_without_such_a_box_have_none(tmp_path: Path) -> None:
    """And nobody says that they should."""
    with open_source(write_clip(tmp_path / "a.mp4", 2, (48, 64))) as source:
        assert source.positions is None


@pytest.mark.parametrize(
    "blocks",
    [
        [b"", b"short", bytes(200), block(0)[:60]],
        [block(0, latitude=float("nan")), block(0, latitude=4899.0), block(99)],
    ],
)
def test_broken_blocks_give_no_position_and_no_error(tmp_path: Path, blocks: list[bytes]) -> None:
    """Cut off, of zeros, with 99 minutes, at second 99."""
    log = novatek_positions(with_blocks(tmp_path / "a.mp4", blocks))
    assert log is not None
    assert log.between(0, 100) == []


def test_a_table_that_points_nowhere_gives_none(tmp_path: Path) -> None:
    """Beyond the end of the file."""
    path = with_blocks(tmp_path / "a.mp4", [block(0)])
    content = path.read_bytes()
    table = content.index(b"gps ") + 12
    path.write_bytes(content[:table] + b"\xff" * 8)
    assert novatek_positions(path).between(0, 100) == []
    assert isinstance(novatek_positions(with_blocks(tmp_path / "b.mp4", [block(0)])).at(0.5), Position)
