"""What runs in the process apart (`apart.py`): loads a network, then answers on each lane until the other side ends."""

from __future__ import annotations

import json
import mmap
import os
import resource
import socket
import threading
from typing import Any

import numpy as np

_LANES = 64  # descriptors in one message at most, and one for the memory


def main(control: int, memory: int) -> None:
    """
    control: descriptor of the socket on which everything begins. memory: bytes that may be allocated.
    """
    # RLIMIT_DATA: what is allocated, and not, as with RLIMIT_AS, what libraries reserve and never use.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # gigabytes on a disk, of a process that is expected to die
    with socket.socket(fileno=control) as side, side.makefile("rb") as lines:
        arguments = json.loads(lines.readline())
        serving = threading.Event()
        loading = threading.Thread(target=_load_and_serve, args=(side, arguments, serving), daemon=True)
        loading.start()
        serving.wait()
        side.recv(1)  # nothing is ever said here again: it returns when the other side has ended
    os._exit(0)  # whatever the library is doing


def _load_and_serve(side: socket.socket, arguments: dict[str, Any], serving: threading.Event) -> None:
    from streamseg.backends import load_backend
    from streamseg.errors import ModelError

    try:
        size = arguments.pop("size")
        backend = load_backend(**arguments, size=tuple(size) if size else None)
    except ModelError as error:
        _say(side, {"error": str(error)})
        os._exit(0)
    except MemoryError:
        _say(side, {"error": f"'{arguments['model']}' needs more memory than an untrusted model may have"})
        os._exit(0)
    choice = backend.choice
    facts = {
        "spec": backend.spec.to_json(),
        "device": backend.device,
        "streams": backend.streams,
        "notes": list(backend.notes),
        "reason": choice and choice.reason,
        "fresh": choice and choice.fresh,
    }
    _say(side, facts)
    message, descriptors, _, _ = socket.recv_fds(side, 1024, _LANES + 1)
    count, length = (json.loads(message)[name] for name in ("lanes", "bytes"))
    shared = mmap.mmap(descriptors[0], count * length)
    for number, descriptor in enumerate(descriptors[1:]):
        here = np.frombuffer(shared, np.uint8, length, number * length)
        lane = socket.socket(fileno=descriptor)
        threading.Thread(target=_answer, args=(lane, here, backend), daemon=True).start()
    serving.set()


def _answer(lane: socket.socket, here: Any, backend: Any) -> None:
    """Serve one caller; here: its part of the memory, for a picture, its labels and its confidence."""
    spec = backend.spec
    pixels = spec.height * spec.width
    picture = here[: 3 * pixels].reshape(1, spec.height, spec.width, 3)
    with lane.makefile("rb") as lines:
        for line in lines:
            try:
                if json.loads(line)["confidence"]:
                    results = backend.infer_with_confidence(picture)
                else:
                    results = (backend.infer(picture),)
                for start, result in zip((3 * pixels, 4 * pixels), results, strict=False):
                    here[start : start + result.size] = result.reshape(-1)
                _say(lane, {"shape": results[0].shape[1:], "unknown": backend.unknown.taken()})
            except Exception as error:  # ModelError, or a result that has no room
                _say(lane, {"error": str(error)})


def _say(receiver: socket.socket, message: Any) -> None:
    receiver.sendall(json.dumps(message).encode() + b"\n")
