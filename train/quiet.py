"""TensorFlow talks while it is imported, past Python's own streams; this keeps it from the person's terminal."""

from __future__ import annotations

import os
import sys
import tempfile


def import_keras_quietly() -> None:
    """Import Keras and start its backend with file descriptor 2 set aside; shown after all when that fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import keras

            keras.ops.zeros(())  # the backend looks for devices at its first operation, and talks then too
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
