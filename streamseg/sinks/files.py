"""Files that are either complete or not at their final name."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

from streamseg.errors import SinkError
from streamseg.frame import StreamInfo

_REASONS = {
    errno.ENOSPC: "there is no space left; free some or write elsewhere",
    errno.EDQUOT: "the disk quota is used up; free some space or write elsewhere",
    errno.EFBIG: "it grew past the largest file allowed there; write elsewhere or a shorter part",
    errno.EACCES: "permission denied; choose a folder you may write to",
    errno.EPERM: "permission denied; choose a folder you may write to",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def cannot_write(path: Path, error: Exception, written: int | None = None) -> SinkError:
    """The one line for a write that failed.

    error: what the system or the encoder said.
    written: frames taken before it happened; None leaves that out.
    """
    number = error.errno if isinstance(error, OSError) else None
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    after = "" if written is None else f" after {written} frame{'' if written == 1 else 's'}"
    return SinkError(f"cannot write '{path}'{after}: {_REASONS.get(number or 0, said)}")


class PendingFile:
    """A file written under a hidden temporary name in the same folder and moved to its own name when complete.

    A run that was killed leaves at most the temporary file, which the next run to the same place overwrites.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        """
        path: the final name. Its folder must exist: making one out of a misspelt path would hide the result.
        overwrite: whether a file already there is replaced, by `finish`.

        Raises:
            SinkError: there is something at `path`, or its folder is missing or cannot be written to.
        """
        self.path = path
        self.temporary = path.with_name(f".{path.stem}.part{path.suffix}")
        if path.is_dir():
            raise SinkError(f"cannot write '{path}': it is a folder; name a file")
        refuse_existing(path, overwrite=overwrite)
        if not path.parent.is_dir():
            raise SinkError(f"cannot write '{path}': there is no folder '{path.parent}'; make it first")
        refuse_unwritable(path.parent)

    def finish(self) -> None:
        """Move the file to its final name, replacing what is there. Raises OSError."""
        self.temporary.replace(self.path)

    def discard(self) -> None:
        """Remove the temporary file, if any; never raises, since it runs while another error is on its way."""
        try:
            self.temporary.unlink(missing_ok=True)
        except OSError:
            return


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raises SinkError when there is a file at `path` that may not be replaced."""
    if not overwrite and path.exists():
        raise SinkError(f"'{path}' already exists; choose another name or add --overwrite")


def refuse_source(path: Path, info: StreamInfo) -> None:
    """Raises SinkError when `path` is the very file or folder the frames come from, by whatever name."""
    source = Path(info.address)
    if info.kind in ("video", "pictures") and source.exists() and path.exists() and path.samefile(source):
        raise SinkError(f"'{path}' is the source itself; choose another name for the output")


def refuse_unwritable(folder: Path) -> None:
    """Raises SinkError when no file can be made in `folder`. Asks by making one, since rights alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise cannot_write(folder, error) from error


def made_folder(folder: Path) -> Path:
    """`folder`, made with its parents where it is missing, and writable.

    Raises:
        SinkError: it is a file, or cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise SinkError(f"'{folder}' is a file; name a folder") from error
    except OSError as error:
        raise cannot_write(folder, error) from error
    refuse_unwritable(folder)
    return folder


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that it is never seen half written. Raises OSError."""
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
