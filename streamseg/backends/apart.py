"""A network that nobody vouches for, in a process of its own with limits on memory and time. Linux only.

    this process            infer() copies a picture into shared memory and waits for the answer, with a limit
    the process apart       one thread a call (`apart_child.py`), between a socket and the library

Each caller has a lane: a socket, and a place in the shared memory for its picture and its labels. What comes back is
held to its size and type and is nothing but numbers from 0 to 255.

This limits what a graph can use up. It is no cell for a file that turns a fault of the library into a program: that
would run as whoever started streamseg.
"""

from __future__ import annotations

import json
import mmap
import os
import queue
import signal
import socket
import subprocess
import sys
import weakref
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.backends.base import Choice
from streamseg.backends.labels import UnknownLabels
from streamseg.checks import cleaned
from streamseg.errors import ModelError
from streamseg.spec import ModelSpec

if TYPE_CHECKING:
    from streamseg.pixels import Image, Size

MEMORY = 3 << 30
"""Bytes that the process may allocate. With the bundled network it allocates 0.55 GB (VmData), so that one of some
hundred million parameters fits, and one that asks for 4 GB does not."""

LOAD_S = 120.0
"""Seconds to load and be tried, unless somebody says otherwise. The bundled network took 4 on a busy machine."""

_CALL_S = 20.0  # for one picture: a network that takes longer shows nothing that anybody would watch
_PLANES = 5  # bytes for each pixel of a lane: three of the picture, one of labels, one of confidence
_LONGEST = 1 << 20  # bytes of a message: a description of 255 classes takes some 20 kB
_START = (
    "import sys; sys.path[:] = {path!r}; from streamseg.backends.apart_child import main; main({control}, {memory})"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What the process is to load: the arguments of `load_backend`, whose docstring tells of them."""

    model: str
    device: str
    threads: int | None
    precision: str
    streams: int
    size: Size | None


class ApartBackend:
    """See `Backend`. The process ends with this object, or with this program.

    choice: see `LoadedBackend`.
    """

    def __init__(self, request: Request, limit_s: float | None = None, call_s: float = _CALL_S) -> None:
        """
        limit_s: seconds to load; None is `LOAD_S`. call_s: for one picture.

        Raises:
            ModelError: this is not Linux; the model cannot be loaded, takes too long or too much memory.
        """
        if sys.platform != "linux":
            raise ModelError("`untrusted_model` needs Linux, which alone limits the memory of one process")
        self._name, self._call_s = f"'{cleaned(request.model)}'", call_s
        limit_s = LOAD_S if limit_s is None else limit_s
        with ExitStack() as stack:  # what has been opened is closed where something fails
            control, theirs = socket.socketpair()
            self._control = stack.enter_context(control)
            with theirs:
                self._process = _started(theirs)
            stack.callback(_end, self._process)
            control.settimeout(limit_s)
            late = f"{self._name} did not load within {limit_s:g} s; give it longer with `load_timeout_s`"
            _send(control, {name: getattr(request, name) for name in Request.__dataclass_fields__})
            facts = self._answer(control, late)
            self._take(facts)
            self._memory, lanes = _lanes(control, self.streams, self.spec.height * self.spec.width * _PLANES)
            for lane in lanes:
                stack.callback(lane.close)
            self._lanes: queue.SimpleQueue[tuple[int, socket.socket]] = queue.SimpleQueue()
            for number, lane in enumerate(lanes):
                lane.settimeout(call_s)
                self._lanes.put((number, lane))
            self.close = weakref.finalize(self, stack.pop_all().close)
            """End the process; also done when the backend is no longer used."""

    def _take(self, facts: Any) -> None:
        try:
            self.spec = ModelSpec.from_json(facts["spec"], self._name)
            self.device = f"{cleaned(str(facts['device']))} apart"
            self.streams = min(max(1, int(facts["streams"])), 64)  # as many lanes as any engine asks for, not more
            self.notes: Sequence[str] = tuple(cleaned(str(note)) for note in facts["notes"])
            reason = facts["reason"]
            self.choice = None if reason is None else Choice(cleaned(str(reason)), bool(facts["fresh"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{self._name} was loaded by a process that does not answer as it should") from error
        self.unknown = UnknownLabels()

    def infer(self, batch: Image) -> Image:
        """See `Backend.infer`."""
        return np.concatenate([self._run(picture, confidence=False)[0] for picture in batch])

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """See `Backend.infer_with_confidence`."""
        labels, confidence = zip(*(self._run(picture, confidence=True) for picture in batch), strict=True)
        return np.concatenate(labels), np.concatenate(confidence)

    def give_up(self) -> None:
        """End the process, and with it every call."""
        self._process.kill()

    def _run(self, picture: Image, *, confidence: bool) -> tuple[Image, Image]:
        """Labels and confidence of a picture, each (1, height, width); the second is of no meaning if not asked for."""
        pixels = self.spec.height * self.spec.width
        number, lane = place = self._lanes.get()
        try:
            here = np.frombuffer(self._memory, np.uint8, _PLANES * pixels, number * _PLANES * pixels)
            here[: 3 * pixels] = picture.reshape(-1)
            _send(lane, {"confidence": confidence})
            answer = self._answer(lane, f"{self._name} took more than {self._call_s:g} s for a picture")
            shape = answer.get("shape")
            if not _is_picture(shape, pixels):
                raise ModelError(f"{self._name} gives labels of shape {cleaned(str(shape))[:40]} for one picture")
            size = shape[0] * shape[1]
            self._count(answer)
            # Copied, as the next picture of this lane is answered in the same place.
            return tuple(  # type: ignore[return-value]  # of two
                here[start : start + size].reshape(1, *shape).copy() for start in (3 * pixels, 4 * pixels)
            )
        finally:
            self._lanes.put(place)

    def _count(self, answer: Any) -> None:
        unknown = answer.get("unknown")
        if isinstance(unknown, dict) and unknown:
            counted = {cleaned(str(what))[:40]: count for what, count in unknown.items() if isinstance(count, int)}
            self.unknown.add(Counter(counted), 1)

    def _answer(self, sender: socket.socket, late: str) -> Any:
        """The next message. Raises ModelError for one that says so, for none in time, for a process that ended."""
        try:
            answer = _received(sender)
        except TimeoutError as error:
            self._process.kill()  # nothing else ends what the library is doing
            raise ModelError(late) from error
        except (OSError, ValueError) as error:
            raise ModelError(f"{self._name} was {_ended(self._process)}") from error
        if not isinstance(answer, dict) or "error" in answer:
            said = cleaned(str(answer.get("error") if isinstance(answer, dict) else answer))
            raise ModelError(" ".join(said.split())[:400])  # as long as errors of engines are
        return answer


def _started(control: socket.socket) -> subprocess.Popen[bytes]:
    """The process; control: its end of a pair of sockets, whose end tells it that nobody wants it any more."""
    # With this program's own list of folders, so that it finds the same streamseg and the same libraries.
    code = _START.format(path=sys.path, control=control.fileno(), memory=MEMORY)
    hidden = {"CUDA_VISIBLE_DEVICES": "-1"}  # nothing limits what is taken of a GPU
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | hidden,
        pass_fds=[control.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # this program's may be a video
        stderr=subprocess.DEVNULL,  # libraries write lines of a stranger's choice
        start_new_session=True,  # Ctrl-C is for this program, which ends the other
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _ended(process: subprocess.Popen[bytes]) -> str:
    """In words, what became of a process that answers no more."""
    code = process.wait()  # a socket that ends, ends with it
    if code == -signal.SIGKILL:
        return "ended with its process, which was killed; the machine may lack the memory"
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"too much for its process ({how}), which may allocate {MEMORY >> 30} GB"


def _lanes(control: socket.socket, count: int, size: int) -> tuple[mmap.mmap, list[socket.socket]]:
    """Memory that both processes have, with `size` bytes for each lane, and this end of the lanes."""
    import fcntl

    descriptor = os.memfd_create("streamseg-apart", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    pairs: list[tuple[socket.socket, socket.socket]] = []
    try:
        os.ftruncate(descriptor, count * size)
        # If the other side could shrink it, reading here would end in SIGBUS.
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        shared = mmap.mmap(descriptor, count * size)
        pairs = [socket.socketpair() for _ in range(count)]
        theirs = [descriptor, *(there.fileno() for _, there in pairs)]
        socket.send_fds(control, [json.dumps({"lanes": count, "bytes": size}).encode()], theirs)
    finally:
        os.close(descriptor)
        for _, there in pairs:
            there.close()
    return shared, [here for here, _ in pairs]


def _is_picture(shape: Any, most: int) -> bool:
    """Whether this is (height, width) of labels that have room in a lane."""
    whole = isinstance(shape, list) and len(shape) == 2 and all(isinstance(side, int) and side > 0 for side in shape)
    return whole and shape[0] * shape[1] <= most


def _send(receiver: socket.socket, message: Any) -> None:
    try:
        receiver.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        return  # the process has ended, which is told where its answer is awaited


def _received(sender: socket.socket) -> Any:
    """A message, one line. Raises OSError where the other side has ended, ValueError where it is none."""
    line = b""
    while not line.endswith(b"\n"):
        part = sender.recv(65536)
        line += part
        if not part or len(line) > _LONGEST:
            raise ConnectionError("the other side has ended, or says too much")
    return json.loads(line)
