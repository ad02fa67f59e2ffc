"""What goes over the WebSocket.

From the server:
    binary                      HEADER and a JPEG picture
    {"type": "hello", ...}      once: classes, source, what the page may do
    {"type": "state", ...}      a few times a second, once the one before was heard: all figures and settings
    {"type": "pong", "sent": page's clock, "server": server's clock}      both in milliseconds
    {"type": "camera", "on": bool, "reason": text or null}                whether the page's camera is the source now
    {"type": "taken", "count": so far}      camera pictures taken; another may come for each
    {"type": "error", "message": one line}
    {"type": "ended"}           the run is over

From the page:
    binary                      CAMERA_HEADER and a JPEG picture of its camera, once that is the source
    {"type": "ping", "sent": page's clock}
    {"type": "shown", "number": of the picture, "lag_ms", "age_ms": or null, "rtt_ms"}    an acknowledgement
    {"type": "heard"}                                                     the last state has arrived
    {"type": "watch", "on": bool}                                         false while the page cannot be seen
    {"type": "set", "view": ..., "alpha": ..., ...}                       any of PAGE_SETTINGS
    {"type": "camera", "on": bool}
    {"type": "quit"}

The server's clock is `time.perf_counter()` in milliseconds.
"""

from __future__ import annotations

import json
import struct
import time
from typing import Any

HEADER = struct.Struct("<Idd")
"""Number of the picture on this connection; when its frame was captured (NaN: do not reckon with it), and when it was
sent, milliseconds of the server's clock."""

CAMERA_HEADER = struct.Struct("<d")
"""When the picture was captured, milliseconds of the server's clock as the page knows it."""

PAGE_SETTINGS = ("view", "alpha", "clahe", "legend", "hud", "paused")
"""What a page may set. Full screen it has of its own."""

LARGEST_TEXT = 4096
"""Bytes of a text message from a page."""

LARGEST_PICTURE = 4 << 20
"""Bytes of a camera picture from a page, with its header."""


def clock_ms() -> float:
    """The server's clock."""
    return time.perf_counter() * 1000


def message(kind: str, **fields: Any) -> str:
    """A text message."""
    return json.dumps({"type": kind, **fields}, ensure_ascii=False)
