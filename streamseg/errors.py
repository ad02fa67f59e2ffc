"""The errors a caller can meet, and the exit code each one gives the command line.

StreamsegError            1
├── UsageError            2   an option or argument that cannot be meant
├── SourceError           3   the frames cannot be read, or not all of them
├── ModelError            4   the model file, or the device it should run on
└── SinkError             5   the results cannot be written

Every message is one line: what was expected, what came, and the way out.
"""

from __future__ import annotations

INTERRUPTED = 130
"""Exit code of a run stopped by Ctrl-C, as shells have it: 128 and the number of the signal."""


class StreamsegError(Exception):
    """Root of all errors raised on purpose. `exit_code` is what the command line returns for it."""

    exit_code = 1


class UsageError(StreamsegError):
    """An option, an argument or a combination of them that cannot be meant."""

    exit_code = 2


class SourceError(StreamsegError):
    """A source does not exist, cannot be read, or broke off before its end."""

    exit_code = 3


class ModelError(StreamsegError):
    """A model file is none, contradicts its own description, or cannot run on the device asked for."""

    exit_code = 4


class SinkError(StreamsegError):
    """Results cannot be written: no permission, no space, already there, not encodable."""

    exit_code = 5
