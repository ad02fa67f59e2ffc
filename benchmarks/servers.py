"""Real servers of live streams on this machine's own loopback, which can be frozen, killed and started again."""

from __future__ import annotations

import functools
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

_SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's bindings of GStreamer are for this one
_RTSP_PROGRAM = Path(__file__).with_name("rtsp_server.py")
_RTSP_NEEDS = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert all(map(Gst.ElementFactory.find, ('qtdemux', 'h264parse', 'rtph264pay', 'rtpL16pay', 'jpegenc')))"
)
_START_S = 600  # seconds; a busy machine is slow, so only a hang is longer

NO_RTSP = (
    "the system's Python has no gst-rtsp-server; on Debian: apt-get install python3-gst-1.0 "
    "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)


@functools.cache
def rtsp_is_missing() -> bool:
    """Whether `rtsp_server` cannot run here; NO_RTSP says what helps."""
    try:
        done = subprocess.run([_SYSTEM_PYTHON, "-I", "-c", _RTSP_NEEDS], capture_output=True, check=False)
    except OSError:
        return True
    return done.returncode != 0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A program that serves on a port. Started by `with` or `start`; whatever its state, the end of `with` ends it."""

    def __init__(self, command: Callable[[int], list[str]], port: int | None = None, *, listens: bool = True) -> None:
        """
        command: what to run, given the port.
        port: None takes a free one.
        listens: wait until it does; programs that send UDP never do.
        """
        self.port = port or free_port()
        self._command = command(self.port)
        self._listens = listens
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Returns once it listens."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_S
        while self._listens and not self._is_listening(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {self._command}")
            time.sleep(0.02)
        return self

    def freeze(self) -> None:
        """Its sockets stay open and nobody is behind them."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """At once, without a goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self if self._process else self.start()

    def __exit__(self, *error: object) -> None:
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _is_listening(self, pid: int) -> bool:
        try:
            connections = psutil.Process(pid).net_connections(kind="tcp")
        except psutil.Error:
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == self.port for each in connections)


def rtsp_server(launch: str, port: int | None = None, *options: str) -> Server:
    """An RTSP server at rtsp://127.0.0.1:PORT/live. launch, options: see rtsp_server.py."""
    return Server(lambda port: [_SYSTEM_PYTHON, "-I", str(_RTSP_PROGRAM), launch, str(port), *options], port)


def h264_of(clip: Path, *, noted: bool = False) -> str:
    """What an RTSP server needs to hand on a clip's H.264 as it is. noted: for its option `--log`."""
    pace = "identity name=pace sync=true ! " if noted else ""
    return f"filesrc location={clip} ! qtdemux ! h264parse ! {pace}rtph264pay name=pay0 pt=96 config-interval=1"
