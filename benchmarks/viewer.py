"""Looks at a page as a browser does, but for drawing: takes each picture, decodes it, acknowledges it and notes when.

    python -m benchmarks.viewer http://127.0.0.1:8080/ shown.txt

A line for each picture: when its frame was captured and when it was decoded here, seconds of `time.perf_counter`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
from pathlib import Path
from typing import TextIO

import aiohttp
import cv2
import numpy as np

from streamseg.sinks.web.messages import HEADER, clock_ms


async def look(url: str, log: TextIO) -> None:
    """Until the page's server ends. url: of the page, ending in a slash."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}live", origin=url.rstrip("/"), max_msg_size=0, compress=0) as socket,
    ):
        async for received in socket:
            if received.type is aiohttp.WSMsgType.TEXT:
                if json.loads(received.data)["type"] == "state":
                    await socket.send_str(json.dumps({"type": "heard"}))
                continue
            number, captured_ms, sent_ms = HEADER.unpack_from(received.data)
            cv2.imdecode(np.frombuffer(received.data, np.uint8, offset=HEADER.size), cv2.IMREAD_COLOR)
            shown_ms = clock_ms()
            lag_ms, age_ms = shown_ms - sent_ms, shown_ms - captured_ms
            told = {"number": number, "lag_ms": lag_ms, "age_ms": None if math.isnan(age_ms) else age_ms, "rtt_ms": 0.0}
            await socket.send_str(json.dumps({"type": "shown", **told}))
            log.write(f"{captured_ms / 1000:.6f} {shown_ms / 1000:.6f}\n")


def main() -> None:
    """Parse the command line, look."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewer", description=__doc__.splitlines()[0])
    parser.add_argument("url", help="of the page, without a token")
    parser.add_argument("log", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)  # so that it takes little from what is measured
    with options.log.open("w", buffering=1, encoding="utf-8") as log:
        asyncio.run(look(options.url, log))


if __name__ == "__main__":
    main()
