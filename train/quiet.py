"""TensorFlow talks while it starts, past Python's own streams; this keeps it from the person's terminal."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from typing import TypeVar

from streamseg.errors import StreamsegError

T = TypeVar("T")


def quietly(work: Callable[[], T]) -> T:
    """What `work` returns, done with file descriptor 2 set aside; shown after all when it fails unexpectedly."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            return work()
        except StreamsegError:
            raise  # says itself what is wrong
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def import_keras_quietly() -> None:
    """Import Keras and start its backend."""
    quietly(_start_keras)


def _start_keras() -> None:
    import keras

    keras.ops.zeros(())  # the backend looks for devices at its first operation, and talks then too
