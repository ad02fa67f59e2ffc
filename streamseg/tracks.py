"""What a recording holds beside its pictures: sound, subtitles and data, on their way from the reader to the sinks.

One reader reads all of it. What comes beside the pictures is put into a queue for each sink that asked for it before
the first frame was read, already on the clock of the frames; nobody asking, nothing is kept.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

Kind: TypeAlias = Literal["audio", "subtitle", "data"]


class Track:
    """One track beside the pictures.

    stream: PyAV's, a template for `add_stream_from_template` until every `Subscription` is closed.
    kind: of what it holds.
    time_base: seconds per tick of the times of its packets.
    """

    def __init__(self, stream: Stream, kind: Kind) -> None:
        self.stream = stream
        self.kind = kind
        self.time_base: Fraction = stream.time_base or Fraction(1, 1_000_000)  # FFmpeg's own where a stream has none
        self._decoder: Any = stream.codec_context  # outlives the file
        self._lock = threading.Lock()  # a decoder has a memory, and sinks may be finished on another thread

    def decoded(self, packet: TrackPacket) -> list[Any]:
        """What the packet holds: `av.AudioFrame`s, with times on the clock of the frames. Decoded once for all sinks.

        Raises:
            av.FFmpegError: it is damaged.
        """
        with self._lock:
            if packet.content is None:
                packet.content = []  # of a damaged one there is no more to be had the second time
                packet.data.pts, packet.data.time_base = packet.pts, self.time_base
                packet.content = self._decoder.decode(packet.data)
            return packet.content


@dataclass(slots=True)
class TrackPacket:
    """A piece of a track.

    pts: when it is to be heard or shown, ticks of `track.time_base` from the start of the recording. Sinks go by this:
        whoever writes `data` to a file gives it times of its own.
    duration: ticks; 0 where it is not known.
    content: of `Track.decoded`; None until somebody asked for it.
    """

    track: Track
    pts: int
    duration: int
    data: Packet[Stream]
    content: list[Any] | None = field(default=None, repr=False)

    @property
    def begin_s(self) -> float:
        """When it is to be heard or shown, seconds from the start of the recording."""
        return self.pts * self.track.time_base.numerator / self.track.time_base.denominator


class Tracks:
    """The tracks of one recording, with the sinks that want them.

    notes: what is wrong with tracks, a line each; may grow while the recording is read.
    """

    def __init__(self, tracks: Sequence[Track], notes: Sequence[str] = ()) -> None:
        self.notes: list[str] = list(notes)
        self._tracks = tuple(tracks)
        self._early: list[TrackPacket] | None = []  # read before the first frame was asked for; None from then on
        self._subscriptions: tuple[Subscription, ...] = ()  # replaced, never changed: the reader goes through it
        self._let_go: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def of(self, *kinds: Kind) -> tuple[Track, ...]:
        """Those of these kinds, in the order of the file."""
        return tuple(track for track in self._tracks if track.kind in kinds)

    def subscribe(self, *kinds: Kind) -> Subscription:
        """Whatever comes of these kinds from here on; before the first frame is read, that is everything."""
        subscription = Subscription(self, self.of(*kinds))
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def wanted(self, track: Track) -> bool:
        """Whether somebody subscribed to it."""
        return any(track in each.tracks for each in self._subscriptions)

    def put(self, packet: TrackPacket) -> None:
        """Called by the reader."""
        if self._early is not None:
            self._early.append(packet)
            return
        for each in self._subscriptions:
            each.put(packet)

    def begin(self) -> None:
        """Called by the reader when the first frame is asked for: whoever wants tracks has said so by now."""
        early, self._early = self._early or [], None
        for packet in early:
            self.put(packet)

    def forget(self) -> None:
        """Called by a reader that begins anew elsewhere in the file."""
        if self._early is not None:
            self._early.clear()

    def when_let_go(self, then: Callable[[], None]) -> None:
        """Calls `then` once no subscription is open, at once where none is: templates live until then."""
        with self._lock:
            self._let_go = then
        self._settle()

    def close(self, subscription: Subscription) -> None:
        """Called by a subscription that ends."""
        with self._lock:
            self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)
        self._settle()

    def _settle(self) -> None:
        with self._lock:
            if self._subscriptions or self._let_go is None:
                return
            then, self._let_go = self._let_go, None
            self._tracks = ()  # whoever asks from now on finds nothing, and no template that is gone
        then()


class WithoutSound(Tracks):
    """The tracks of a recording but those of sound, for sinks that are not to have it."""

    def __init__(self, tracks: Tracks) -> None:
        super().__init__(())
        self._whole = tracks
        self.notes = tracks.notes  # one list: it may grow while the recording is read

    def of(self, *kinds: Kind) -> tuple[Track, ...]:
        """See `Tracks`."""
        return self._whole.of(*(kind for kind in kinds if kind != "audio"))

    def subscribe(self, *kinds: Kind) -> Subscription:
        """See `Tracks`: with the reader of the recording, who puts packets there."""
        return self._whole.subscribe(*(kind for kind in kinds if kind != "audio"))


class Subscription:
    """What came of the tracks that one sink wants and was not taken yet.

    tracks: in the order of the file.
    notes: see `Tracks`.
    """

    def __init__(self, tracks: Tracks, wanted: tuple[Track, ...]) -> None:
        self.tracks = wanted
        self.notes = tracks.notes
        self._of = tracks
        self._waiting: dict[Track, deque[TrackPacket]] = {track: deque() for track in wanted}

    def put(self, packet: TrackPacket) -> None:
        """Called by the reader, on a thread of its own."""
        queue = self._waiting.get(packet.track)
        if queue is not None:
            queue.append(packet)

    def take(self, until_s: float) -> Iterator[TrackPacket]:
        """What is there and begins before `until_s`, seconds from the start of the recording, each packet once."""
        for queue in self._waiting.values():
            while queue and queue[0].begin_s < until_s:
                yield queue.popleft()

    def close(self) -> None:
        """Take no more. Closing twice is fine."""
        self._waiting = {}
        self._of.close(self)
