"""An open container whose file plays at every moment, so that a run that is killed loses a fraction of a second.

FFmpeg writes MP4 and MOV as fragments, each of which plays as soon as it is there, and turns them into an ordinary file
when it is closed. But it writes none until every track has begun, as only then it knows when each begins: sound that
comes late, or never, would keep all pictures in memory. So the beginning is held back here until it is known which of
the two it is. Where a track does not come in time, fragments are written without waiting for it; only a file that was
killed then shows such a track too early.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.packet import Packet

from streamseg.sinks.formats import FileFormat

_PROMPT_S = Fraction(3, 10)  # as much film as a fragment holds


class OutputFile:
    """What PyAV calls a container: tracks are added to it, then packets. All methods may raise what PyAV raises.

    mp4_family: whether it is MP4 or MOV.
    """

    def __init__(self, path: Path | str, file_format: FileFormat, time_base: Fraction) -> None:
        """
        path: of the file; a text is an address of FFmpeg.
        time_base: of the pictures, seconds per tick.
        """
        # An absolute path, since FFmpeg takes "name:rest" for a protocol.
        self._container: Any = av.open(
            str(path.absolute()) if isinstance(path, Path) else path,
            "w",
            format=file_format.muxer,
            container_options=file_format.muxer_options(time_base),
        )
        self.mp4_family = file_format.mp4_family
        self._filters: dict[int, BitStreamFilterContext | None] = {}  # by stream
        self._held: list[Packet[Any]] | None = [] if file_format.mp4_family else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def mux(self, packets: Packet[Any] | Iterable[Packet[Any]]) -> None:
        """Write one packet or several."""
        for packet in [packets] if isinstance(packets, Packet) else packets:
            self._mux(self._without_adts(packet) if self.mp4_family else packet)

    def _mux(self, packet: Packet[Any]) -> None:
        if self._held is None:
            self._container.mux(packet)
        else:
            self._held.append(packet)
            self._begin_if_known()

    def _without_adts(self, packet: Packet[Any]) -> Packet[Any]:
        """AAC as transport streams have it, each packet with a header, as MP4 has it; anything else as it is.

        FFmpeg's muxer does so by itself only where it writes no fragments.
        """
        index = packet.stream_index
        if index not in self._filters:
            codec = packet.stream.codec_context  # none where FFmpeg knows no codec for what is only passed on
            # What stands in each header stands in front of the track otherwise. One packet alone may be damaged.
            adts = codec is not None and codec.codec.canonical_name == "aac" and not codec.extradata
            self._filters[index] = BitStreamFilterContext("aac_adtstoasc", packet.stream) if adts else None
        if (adts_filter := self._filters[index]) is None:
            return packet
        stream, time_base = packet.stream, packet.time_base
        (filtered,) = adts_filter.filter(packet)
        filtered.stream, filtered.time_base = stream, time_base
        return filtered

    def close(self) -> None:
        """Complete the file; once and for all, also where that fails."""
        try:
            self._release()
        finally:
            self._container.close()

    def _begin_if_known(self) -> None:
        held = self._held or []
        begun = {packet.stream_index for packet in held}
        times = [
            packet.pts * packet.time_base
            for packet in held
            if packet.stream.type == "video" and packet.pts is not None and packet.time_base
        ]
        if len(begun) == len(self._container.streams):
            self._release()
        elif times and max(times) - min(times) > _PROMPT_S:
            options = self._container.container_options
            options["movflags"] = options["movflags"].replace("delay_moov", "empty_moov")
            options["use_editlist"] = "1"  # of the finished file; without it, all tracks are moved to begin at 0
            self._release()

    def _release(self) -> None:
        held, self._held = self._held, None
        for packet in held or []:
            self._container.mux(packet)
