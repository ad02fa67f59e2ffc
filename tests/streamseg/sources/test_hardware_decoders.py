"""Hardware decodes where it is asked for and really works on the file."""

from __future__ import annotations

import numpy as np
import pytest

from streamseg import open_source
from streamseg.errors import SourceError
from streamseg.sources.hardware_decoders import choose_decoder

NAMES = ("cuda", "videotoolbox", "vaapi")


def works(name, clip) -> bool:
    """Whether this machine has it."""
    try:
        return choose_decoder(name, str(clip))[0] is not None
    except SourceError:
        return False


@pytest.mark.parametrize("name", NAMES)
def test_hardware_that_is_asked_for_and_not_there_is_an_error_with_the_way_out(clip, name):
    """In one line, with the reason."""
    if works(name, clip):
        pytest.skip(f"{name} works on this machine")
    way_out = 'use `decoder="cpu"` or `decoder="auto"`'
    with pytest.raises(SourceError, match=f"decoder {name}: .+, so it cannot read '.*'; {way_out}"):
        open_source(str(clip), decoder=name)


@pytest.mark.parametrize("name", NAMES)
def test_hardware_that_works_gives_the_pictures_of_the_cpu(clip, name):
    """All of them, at the same times."""
    if not works(name, clip):
        pytest.skip(f"{name} does not work on this machine")
    with open_source(str(clip), decoder=name) as source, open_source(str(clip)) as plain:
        for frame, other in zip(source, plain, strict=True):
            assert frame.pts == other.pts
            assert np.abs(frame.planes().y.astype(int) - other.planes().y).mean() < 1


def test_auto_reads_every_frame_and_says_what_decoded(clip):
    """Hardware or not."""
    with open_source(str(clip), decoder="auto") as source:
        assert sum(1 for _ in source) == 20
        assert len(source.notes) == 1
        assert source.notes[0].startswith("decoded ")


def test_a_file_that_cannot_be_read_is_the_files_fault(tmp_path):
    """Whatever decoder was asked for."""
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(SourceError, match="is empty"):
        open_source(str(tmp_path / "empty.mp4"), decoder="cuda")
