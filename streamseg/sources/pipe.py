"""Recordings through a pipe: standard input, a named pipe, `<(a command)`. They can be read once, forwards."""

from __future__ import annotations

import os
import select
import stat
import sys
from contextlib import suppress
from pathlib import Path

from streamseg.errors import SourceError
from streamseg.sources.url import is_url

STANDARD_INPUT = "-"

_HEAD = 4096  # bytes: an MP4's first boxes are named in fewer, and pipes hand out as many at once
_LOOK_S = 0.2  # how often a read that waits looks whether it is to end: at once, as people see it
_MOVIE, _PICTURES = (b"moov", b"moof"), b"mdat"


def is_pipe(address: str) -> bool:
    """Whether an address is a pipe. "-" is standard input, whatever that is."""
    if address == STANDARD_INPUT:
        return True
    try:
        return not is_url(address) and stat.S_ISFIFO(Path(address).stat().st_mode)
    except (OSError, ValueError):  # there is none; ValueError: no name has a null byte in it
        return False


class PipeReader:
    """The bytes of a pipe, for FFmpeg to read. `stop`, from any thread, ends a read that waits."""

    def __init__(self, address: str) -> None:
        """Waits for the first bytes.

        Raises:
            SourceError: nothing comes, or an MP4 whose index is at its end, where it is needed first.
        """
        self._address, self._stopped = address, False
        self._interrupt: KeyboardInterrupt | None = None
        self._own = address != STANDARD_INPUT
        self._file = _opened(address)
        # As after `streamseg run - < clip.mp4`: FFmpeg may go to and fro in it.
        self._is_file = stat.S_ISREG(os.fstat(self._file).st_mode)
        self._head = b""
        try:
            while len(self._head) < _HEAD and (more := self._next(_HEAD)):
                self._head += more
            if self._is_file:
                self.seek(0)
            else:
                self._check_head()
        except BaseException:
            self.close()
            raise

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none at the end."""
        if self._head:
            head, self._head = self._head[:size], self._head[size:]
            return head
        try:
            return self._next(size)
        except KeyboardInterrupt as interrupt:  # FFmpeg, which asks, would take it for a file that it cannot read
            self._interrupt = interrupt
            self._stopped = True
            return b""

    def raise_interrupt(self) -> None:
        """Raises KeyboardInterrupt where one came while FFmpeg was reading."""
        if self._interrupt is not None:
            raise self._interrupt

    def seekable(self) -> bool:
        """Whether `seek` works, as FFmpeg asks."""
        return self._is_file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of standard input that is a file. Returns: how far it is from the start, bytes."""
        self._head = b""
        return os.lseek(self._file, offset, whence)

    def tell(self) -> int:
        """How far it is from the start, bytes."""
        return os.lseek(self._file, 0, os.SEEK_CUR)

    def stop(self) -> None:
        """Nothing more is read: what reads, or will, finds the end."""
        self._stopped = True

    def close(self) -> None:
        """Let go of the pipe, so that who writes into it need not go on."""
        self._stopped = True
        if self._own and self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _next(self, size: int) -> bytes:
        while not self._stopped:
            if self._is_file or self._is_there():
                with suppress(BlockingIOError):  # somebody else may have taken it
                    return os.read(self._file, size)
        return b""

    def _is_there(self) -> bool:
        """Whether a read would find something, or the end, at once; waits for a moment."""
        if not hasattr(select, "poll"):  # Windows waits for sockets alone; there a read takes as long as it takes
            return True
        look = select.poll()
        look.register(self._file, select.POLLIN)
        return bool(look.poll(1000 * _LOOK_S))

    def _check_head(self) -> None:
        if not self._head:
            raise SourceError(f"nothing comes from {self._shown()}; is what writes into it running?")
        at = 0
        while at + 8 <= len(self._head):
            length, name = int.from_bytes(self._head[at : at + 4], "big"), self._head[at + 4 : at + 8]
            if (at == 0 and name not in (b"ftyp", b"moov", b"wide", b"free", b"skip")) or name in _MOVIE:
                return
            if name == _PICTURES:
                raise SourceError(
                    f"{self._shown()} brings an MP4 whose index is at its end, which cannot be read from a pipe; give "
                    "the file itself, or write it with `ffmpeg -movflags +frag_keyframe` or as .ts or .mkv"
                )
            at += max(8, length)

    def _shown(self) -> str:
        return f"'{self._address}'" if self._own else "standard input"


def _opened(address: str) -> int:
    """A descriptor. Raises SourceError."""
    if address != STANDARD_INPUT:
        try:
            # Waits for no writer: whoever reads waits for that, and can be stopped.
            return os.open(address, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise SourceError(f"'{address}' cannot be read: {error.strerror}") from error
    try:
        file = sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):  # closed, none at all, or replaced by a program
        raise SourceError("there is no standard input to read from; name a file") from None
    if os.isatty(file):
        raise SourceError("'-' is standard input, and nothing is piped into it; write `... | streamseg run - out.mp4`")
    return file
