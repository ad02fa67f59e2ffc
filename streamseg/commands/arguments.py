"""What the words behind `streamseg run` stand for: the sources, in order, and where their overlays go.

With -o every word is a source. Without it the last of several words is the OUTPUT if it cannot be a source: a folder
that is there, a name with a / at its end, or a name with a suffix that no clip has yet.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamseg.atomic import is_part
from streamseg.errors import SourceError, StreamsegError, UsageError
from streamseg.file_tag import written_by_streamseg
from streamseg.sources import is_live_address, open_source
from streamseg.sources.image_folder import natural_order
from streamseg.sources.suffixes import PICTURES, VIDEOS
from streamseg.sources.url import is_url, without_password

# Beside those of files on a server, what cameras and recorders write. A folder also holds their sidecars, which are not
# to be tried one by one.
_CLIPS = (*VIDEOS, ".ts", ".mts", ".m2ts", ".vob", ".asf", ".ogv", ".mxf", ".264", ".h264", ".265", ".h265", ".hevc")
_LEAST_BYTES = 2000  # the headers of a video without any picture take less
_VIEWS = ("window:", "null:")
_LARGEST_LIST = 1 << 20  # bytes: ten thousand addresses; a video named by mistake is not read as text
STANDARD = "-"
"""Standard output as OUTPUT."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is to be run.

    addresses: one or more, in order.
    several: whether more than one was asked for, if only by naming a folder; then OUTPUT can only be a folder.
    skipped: what was left out, since streamseg wrote it.
    """

    addresses: list[str]
    several: bool
    skipped: list[str]


def sources_and_output(words: Sequence[str], output: str | None) -> tuple[list[str], str | None]:
    """
    words: one or more.
    output: of -o; None where that was not given.

    Returns: the words that are sources, and the OUTPUT; None where it was not said.

    Raises:
        UsageError: the last word can be neither.
    """
    if output is None and len(words) > 1 and _is_output(words[-1], words[:-1]):
        return list(words[:-1]), words[-1]
    return list(words), output


def addresses_in(path: Path) -> list[str]:
    """The lines of a file, each an address; empty ones and those that begin with # are passed over.

    Raises:
        SourceError: it cannot be read, or holds no address.
    """
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_LIST:
            raise SourceError(f"'{path}' is no file of addresses; write one into it, a line each")
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except OSError as error:
        raise SourceError(f"cannot read '{path}': {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"'{path}' is no text; write addresses into it, a line each, in UTF-8") from error
    addresses = [line for line in lines if line and not line.startswith("#")]
    if not addresses:
        raise SourceError(f"'{path}' holds no address; write one into it, a line each")
    return addresses


def expanded(words: Sequence[str]) -> Sources:
    """Every folder and glob of clips taken as the clips in it; pictures of one folder or glob stay one source.

    Where there are several sources, files that streamseg wrote are left out, and none is taken twice.

    Raises:
        SourceError: nothing is left.
        UsageError: a camera or stream among several: it has no end, and the next one would never have its turn.
    """
    each_expanded = [_clips(word) for word in words]
    if len(words) == 1 and each_expanded[0] is None:
        return Sources(list(words), False, [])
    addresses: list[str] = []
    skipped: list[str] = []
    for word, clips in zip(words, each_expanded, strict=True):
        for address in dict.fromkeys([word] if clips is None else clips):
            if is_live_address(address):
                raise UsageError(f"'{without_password(address)}' is live and has no end; run it on its own")
            (skipped if written_by_streamseg(Path(address)) else addresses).append(address)
    if not addresses:
        raise SourceError(f"nothing to run: streamseg itself wrote {', '.join(skipped)}")
    return Sources(list(dict.fromkeys(addresses)), True, skipped)


def is_folder(output: str) -> bool:
    """Whether an OUTPUT is one: it is there, or has a / at its end."""
    return _is_there(output, Path.is_dir) or output.endswith(("/", "\\"))


def is_view(output: str | None) -> bool:
    """Whether an OUTPUT writes nothing, such as "null:"."""
    return output in _VIEWS


def _is_output(word: str, before: Sequence[str]) -> bool:
    """Whether the last of several words is the OUTPUT. before: the others."""
    if is_view(word) or is_folder(word) or word == STANDARD:
        return True
    if is_url(word):
        return is_live_address(word)  # no place to write to, and refused as that; a file on a server is a source
    path = Path(word)
    if _is_there(word, Path.is_file):
        # Several sources never go into one file, so there it is a source. A single one may be written over an earlier
        # result; and over nothing else, but what cannot be read was not meant as a source either.
        return len(before) == 1 and (_is_same(path, before[0]) or written_by_streamseg(path) or not _opens(word))
    if is_live_address(word) or word.startswith("synthetic:") or glob.has_magic(word):
        return False
    if f"{word}:" in _VIEWS:
        raise UsageError(f"there is no '{word}'; did you mean '{word}:', with the colon?")
    if not path.suffix and not all(_are_pictures(each) for each in before):
        raise UsageError(f"there is no '{word}'; for a new folder write '{word}/', for a video '{word}.mp4'")
    return True


def _is_there(word: str, what: Callable[[Path], bool]) -> bool:
    """what: asks the system."""
    try:
        return what(Path(word))
    except OSError:  # too long for a name, or in a folder that may not be looked into
        return False


def _is_same(path: Path, word: str) -> bool:
    """Whether a file is the very source, which is then refused as an OUTPUT."""
    return _is_there(word, Path.exists) and path.samefile(word)


def _opens(address: str) -> bool:
    try:
        open_source(address).close()
    except StreamsegError:
        return False
    return True


def _are_pictures(word: str) -> bool:
    """Whether a source is one of pictures, whose results are pictures in a folder."""
    if _is_there(word, Path.is_dir):
        return _clips(word) is None
    return Path(word).suffix.lower() in PICTURES


def _clips(word: str) -> list[str] | None:
    """The clips of a folder or glob; None where the word is a source as it stands."""
    path = Path(word)
    folder = _is_there(word, Path.is_dir)
    if folder:
        try:
            found = [each for each in path.iterdir() if each.suffix.lower() in _CLIPS]
        except OSError:
            return None  # opening it will say why
    elif glob.has_magic(word) and not is_url(word) and not _is_there(word, Path.exists):
        found = [Path(each) for each in glob.glob(word, recursive=True)]  # noqa: PTH207 - takes whole paths
        found = [each for each in found if each.suffix.lower() in _CLIPS or _asked_for(each, word)]
    else:
        return None
    clips = sorted((each for each in found if each.is_file() and not _is_left_behind(each)), key=natural_order)
    others = [each for each in clips if not written_by_streamseg(each)]
    if not others and (not clips or (folder and _has_pictures(path))):
        return None
    return [str(each) for each in clips]


def _is_left_behind(path: Path) -> bool:
    """Whether a file is what a Mac leaves beside the real ones, or a run that was killed before its first picture."""
    return path.name.startswith(".") or (is_part(path) and path.stat().st_size < _LEAST_BYTES)


def _asked_for(path: Path, pattern: str) -> bool:
    """Whether a glob names the suffix of a file, which then may be any but a picture's."""
    suffix = Path(pattern).suffix.lower()
    return suffix not in PICTURES and suffix == path.suffix.lower() != ""


def _has_pictures(folder: Path) -> bool:
    return any(each.suffix.lower() in PICTURES for each in folder.iterdir())
