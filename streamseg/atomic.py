"""Files that are complete at their final name, or under a name that says they are not. Nothing else writes and renames.

What is written for a while has a name that everybody sees and any player opens, NAME.partial.SUFFIX in the same folder,
since only there is a rename one step. It is synced to the disk, moved to its own name, and then the folder is synced:
after a crash or a power cut there is the old file or the new one, and what had been written of a new one stays under
its partial name. While that goes on its name is locked, so that two runs to one output cannot mix what they write. A
lock ends with its process, however that ends.

    AtomicFile      for what takes long, such as a recording: a second run to the same name is refused
    AtomicFolder    for a folder of small files, such as masks: likewise, once for all of them
    replacing       for what is written in one go by whoever takes a path: a second writer waits, and the last one wins
    write_whole     the same, for bytes
    write_new       for bytes that may replace nothing: the name gets a number where it is taken
"""

from __future__ import annotations

import errno
import glob
import itertools
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from streamseg.errors import SinkError

_REASONS = {
    errno.ENOSPC: "there is no space left; free some or write elsewhere",
    errno.EDQUOT: "the disk quota is used up; free some space or write elsewhere",
    errno.EFBIG: "it grew past the largest file allowed there; write elsewhere or a shorter part",
    errno.EACCES: "permission denied; choose a folder you may write to",
    errno.EPERM: "permission denied; choose a folder you may write to",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}
# Some network file systems know no locks. Writing unlocked, as everything did before, is better there than not at all.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_SYNC_S = 0.4  # with the length of a fragment and the time a disk takes, less than the promised second
_LOCK = ".lock-"  # in front of the name that is locked
_PART = re.compile(r"\.partial(_\d+)?$")
_RETRY_S = 0.05  # where waiting means asking again: too short to be felt, too long to keep a core busy


def cannot_write(path: Path | str, error: Exception, written: int | None = None) -> SinkError:
    """The one line for a write that failed.

    error: what the system or the encoder said.
    written: frames taken before it happened; None leaves that out.
    """
    number = error.errno if isinstance(error, OSError) else None
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    after = "" if written is None else f" after {written} frame{'' if written == 1 else 's'}"
    return SinkError(f"cannot write '{path}'{after}: {_REASONS.get(number or 0, said)}")


Recogniser: TypeAlias = Callable[[Path], bool]
"""Whether streamseg wrote the file at a path. What it did not write is never replaced."""


def nothing_is_ours(_path: Path) -> bool:
    """For kinds of files that carry no tag."""
    return False


def refuse_existing(path: Path, *, overwrite: bool, ours: Recogniser) -> None:
    """Raises SinkError when there is a file at `path` that may not be replaced."""
    try:
        there = path.exists()
    except OSError as error:  # a name that is too long, or a folder that may not be looked into
        raise cannot_write(path, error) from error
    if not there:
        return
    # A device or pipe is no file of ours, and looking into one may never end: /dev/full gives zeros without end.
    ours_to_replace = path.is_file() and ours(path)
    if not ours_to_replace:  # first, since the other message would advise to replace somebody's recording
        raise SinkError(
            f"'{path}' already exists and was not written by streamseg, so it is never replaced; "
            "choose another name, or move it away"
        )
    if not overwrite:
        raise SinkError(f"'{path}' already exists; choose another name or add `overwrite=True`")


class AtomicFile:
    """A file that is written for a while by whoever takes a path, then committed, kept as a part, or discarded.

    A run that was killed leaves the partial file, and no later run to the same place touches it.

    path: the final name.
    partial: where to write, a name that is free; there is nothing yet.
    spare: a hidden name for whoever has to write the finished file anew.
    """

    def __init__(self, path: Path, *, overwrite: bool, ours: Recogniser = nothing_is_ours) -> None:
        """
        path: the final name. Its folder must exist: making one out of a misspelt path would hide the result.
        overwrite: whether a file already there is replaced, by `commit`.
        ours: tells files that may be replaced from those that never are.

        Raises:
            SinkError: there is something at `path`, its folder is missing or cannot be written to, or another run is
                writing it.
        """
        self.path = path
        self.spare = _temporary(path)
        self._overwrite = overwrite
        self._ours = ours
        if path.is_dir():
            raise SinkError(f"cannot write '{path}': it is a folder; name a file")
        refuse_existing(path, overwrite=overwrite, ours=ours)
        if not path.parent.is_dir():
            raise SinkError(f"cannot write '{path}': there is no folder '{path.parent}'; make it first")
        self._lock = _locked_for_a_run(path, _lock_name(path))
        self._syncer: _Syncer | None = None
        try:
            self.spare.unlink(missing_ok=True)  # a copy of what has another name too, or what does not open
            remove_empty_parts(path)
            self._visible = self.partial = next(each for each in _part_names(path) if not each.exists())
        except OSError as error:
            self._lock.release()
            raise cannot_write(path, error) from error

    def hide(self) -> None:
        """Before anything is written: let `partial` be a hidden name until `show`.

        So a run that is killed before there is anything in its file leaves none that does not open.
        """
        if sys.platform != "win32":  # no file that is open can be moved there
            self.partial = self.spare

    def show(self) -> None:
        """Give what was written so far its visible name; more than once does no harm. Raises OSError."""
        if self.partial != self._visible:
            self.partial.replace(self._visible)
            self.partial = self._visible

    def sync_meanwhile(self) -> None:
        """Bring to the disk, twice a second, what was written, on a thread of its own: a power cut takes no more."""
        self._syncer = self._syncer or _Syncer((self.spare, self._visible))

    def commit(self, content: Path | None = None) -> Path:
        """Move the file to its final name and return that.

        What is there is replaced where that was allowed. Else, if another program has put something there since the
        beginning, both are kept, this one as NAME_2.

        content: where the finished file is, if it was written anew; the partial one is then removed.

        Raises:
            OSError: it cannot be; what was written is still there, for `keep` or `discard`.
        """
        self._end_syncing()
        # Asked again: hours may have passed, and what is there now may be somebody else's.
        overwrite = self._overwrite and (not self.path.exists() or self._ours(self.path))
        path = _move(content or self.partial, self.path, overwrite=overwrite)
        if content is not None:
            with suppress(OSError):  # the result is whole and has its name
                self.partial.unlink()
        self._lock.release()
        return path

    def keep(self) -> Path:
        """Leave what was written under its partial name and return that. Raises OSError: it is not there."""
        self._end_syncing()
        self.show()
        with suppress(OSError):
            self.spare.unlink(missing_ok=True)
        if not self.partial.stat().st_size:
            raise FileNotFoundError(errno.ENOENT, "nothing could be written")
        with suppress(OSError):  # a disk that is full or broken may refuse, and what it has is all there is
            _sync(self.partial, os.O_RDWR)
            _sync(self.partial.parent, os.O_RDONLY)
        self._lock.release()
        return self.partial

    def clear(self) -> None:
        """Remove what was written, if anything; never raises, since it runs while another error is on its way."""
        self._end_syncing()
        with suppress(OSError):
            self.partial.unlink(missing_ok=True)
        with suppress(OSError):
            self.spare.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what was written and let another run write here; never raises, and does nothing after the others."""
        if self._lock.held:
            self.clear()
            self._lock.release()

    def _end_syncing(self) -> None:
        if self._syncer is not None:
            self._syncer.end()


def parts_of(path: Path) -> list[Path]:
    """The partial files of a final name that earlier runs left, oldest first. Raises OSError."""
    found = path.parent.glob(f"{glob.escape(path.stem)}.partial*{glob.escape(path.suffix)}")
    parts = [each for each in found if _PART.sub("", each.stem) == path.stem and each.is_file()]
    return sorted(parts, key=lambda each: each.stat().st_mtime_ns)


def is_part(path: Path) -> bool:
    """Whether a name is that of a partial file."""
    return _PART.search(path.stem) is not None


def whole_name(part: Path) -> Path:
    """The final name that a partial file would have had."""
    return part.with_stem(_PART.sub("", part.stem))


def remove_empty_parts(path: Path) -> None:
    """Remove partial files with nothing in them, as runs leave that are killed at once. Raises OSError."""
    for each in parts_of(path):
        if not each.stat().st_size:
            each.unlink()


def is_being_written(path: Path) -> bool:
    """Whether a run, in this process or another, is writing to a final name just now."""
    lock = _lock_name(path)
    try:
        if not lock.exists():
            return False
        _Lock(lock, wait=False).release()  # what a killed run left, which is of no use to anybody
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def refuse_second_run(path: Path) -> None:
    """Raises SinkError where another run is writing to a final name."""
    if is_being_written(path):
        raise _second_run(path)


def remove_leftovers(path: Path, pattern: str) -> None:
    """Remove the hidden files of runs that are gone, of the names beside `path` that fit a pattern. Never raises."""
    with suppress(OSError):
        for lock in list(path.parent.glob(_LOCK + pattern)):  # all at once, as the folder changes meanwhile
            name = path.with_name(lock.name.removeprefix(_LOCK))
            if not is_being_written(name):
                _temporary(name).unlink(missing_ok=True)


class _Syncer:
    """A thread that syncs one file again and again."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """paths: where the file may be; it is moved from the first to the second while it is written."""
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=_sync_until, args=(paths, self._ended), name="streamseg-sync", daemon=True
        )
        weakref.finalize(self, self._ended.set)  # where an owner is forgotten without having been closed
        self._thread.start()

    def end(self) -> None:
        """Returns when the thread lets go of the file, which elsewhere than on Linux cannot be moved before."""
        self._ended.set()
        self._thread.join()


def _sync_until(paths: Sequence[Path], ended: threading.Event) -> None:
    while not ended.wait(_SYNC_S):
        for path in paths:
            # A disk that is full or broken is found out by whoever writes; not there yet is no error at all.
            with suppress(OSError):
                _sync(path, os.O_RDWR)


class AtomicFolder:
    """A folder of files that are each complete as soon as they are there."""

    def __init__(self, path: Path) -> None:
        """
        path: made with its parents where it is missing.

        Raises:
            SinkError: it is a file, it cannot be made or written to, or another run is writing to it.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise SinkError(f"'{path}' is a file; name a folder") from error
        except OSError as error:
            raise cannot_write(path, error) from error
        self.path = path
        self._lock = _locked_for_a_run(path, path / ".lock")

    def write(self, name: str, content: bytes) -> None:
        """Write one file whole, replacing one of that name. Raises OSError."""
        path = self.path / name
        temporary = _temporary(path)
        try:
            temporary.write_bytes(content)
            # Not synced one by one: waiting for a disk takes longer than segmenting the frame.
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Let another run write here. What was written stays."""
        self._lock.release()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write a new `path` to: moved there if nothing was raised, else removed.

    Where somebody else is at it, in this process or another, this waits until they have finished.

    Raises:
        OSError: it cannot be written.
    """
    lock = _Lock(_lock_name(path), wait=True)
    temporary = _temporary(path)
    try:
        temporary.unlink(missing_ok=True)
        yield temporary
        _move(temporary, path, overwrite=True)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        lock.release()


def try_to_write(path: Path) -> None:
    """Find out, before long work, whether `replacing` could begin; nothing is left. Raises OSError: it could not."""
    _Lock(_lock_name(path), wait=True).release()


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that it is never seen half written. Raises OSError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_new(path: Path, content: bytes) -> Path:
    """Write a small file under a name that is free: `path`, or NAME_2, NAME_3, ... Returns that. Raises OSError."""
    lock = _Lock(_lock_name(path), wait=True)
    temporary = _temporary(path)
    try:
        temporary.write_bytes(content)
        return _move(temporary, path, overwrite=False)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        lock.release()


def _temporary(path: Path) -> Path:
    # In front, so that the end of the name, by which libraries know what to write, stays as it is.
    return path.with_name(f".part-{path.name}")


def _part_names(path: Path) -> Iterator[Path]:
    """NAME.partial.SUFFIX and, where those are taken, NAME.partial_2.SUFFIX, ..., by which players still know it."""
    for number in itertools.count(1):
        yield path.with_stem(f"{path.stem}.partial" + ("" if number == 1 else f"_{number}"))


def _lock_name(path: Path) -> Path:
    return path.with_name(_LOCK + path.name)


def _move(temporary: Path, path: Path, *, overwrite: bool) -> Path:
    _sync(temporary, os.O_RDWR)  # before the new name: it must never stand for what is not there yet
    if overwrite:
        temporary.replace(path)
    else:
        path = _moved_beside(temporary, path)
    with suppress(OSError):  # neither Windows nor every file system does that for folders, and the file is whole
        _sync(path.parent, os.O_RDONLY)
    return path


def _moved_beside(temporary: Path, path: Path) -> Path:
    """Move without replacing anything, to `path` or the first name like it that is free."""
    for number in itertools.count(1):
        free = path if number == 1 else path.with_stem(f"{path.stem}_{number}")
        try:
            os.link(temporary, free)  # unlike a rename, it fails where the name is taken
        except FileExistsError:
            continue
        except OSError:  # no hard links, as on FAT: then with a moment between looking and moving
            if free.exists():
                continue
            temporary.replace(free)
        else:
            temporary.unlink()
        return free
    raise AssertionError("numbers do not end")


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _second_run(path: Path) -> SinkError:
    return SinkError(f"cannot write '{path}': another run is writing there; let it end, or write elsewhere")


def _locked_for_a_run(path: Path, lock: Path) -> _Lock:
    try:
        return _Lock(lock, wait=False)
    except BlockingIOError as error:
        raise _second_run(path) from error
    except OSError as error:  # nothing can be made in that folder
        raise cannot_write(path if error.errno == errno.ENAMETOOLONG else lock.parent, error) from error


class _Lock:
    """A file that one holder has locked. It is removed when released; one that a killed process left is free."""

    def __init__(self, path: Path, *, wait: bool) -> None:
        """wait: until it is free; otherwise that is a BlockingIOError. Raises OSError: it cannot be made."""
        self._path = path
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock_descriptor(descriptor, wait=wait)
                if _is_at(descriptor, path):
                    break
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its holder had removed it before letting go: the next one is another file
        # Also where an owner is forgotten without having been closed, as after an error in its constructor.
        self._close = weakref.finalize(self, os.close, descriptor)

    @property
    def held(self) -> bool:
        """Until it is released."""
        return self._close.alive

    def release(self) -> None:
        """Let go; more than once does no harm."""
        if self._close.alive:
            if sys.platform == "win32":  # no file that is open can be removed there
                self._close()
            with suppress(OSError):
                self._path.unlink()
            self._close()


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _lock_descriptor(descriptor: int, *, wait: bool) -> None:
    """Raises BlockingIOError where it is taken and not waited for."""
    while True:
        try:
            _try_lock(descriptor)
        except BlockingIOError:
            if not wait:
                raise
            time.sleep(_RETRY_S)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return
        else:
            return


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # one byte, which need not be there, stands for the file
        except PermissionError as error:  # what Windows says of a lock that is taken
            raise BlockingIOError(errno.EAGAIN, "locked") from error

else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
