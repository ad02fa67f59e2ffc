"""What a run did, as its pipeline counted and measured it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streamseg.sinks.base import Outcome


@dataclass
class RunReport:
    """What a run did. Times in seconds unless the name says otherwise.

    outcome: "complete", "cut" (stopped early: Ctrl-C, a closed window), "broken" (the source broke off) or "failed".
    frames_in: that the source had; frames_out: taken by all sinks; dropped: too old to be shown (live only), some of
        them by the source itself.
    damaged: frames out that the decoder marked as damaged.
    seconds: from the first read until all frames are written. What then brings files to the disk is not in it.
    fps: frames out by seconds.
    video_s: how much film that is, by the frames' own times, 0.0 before the first one.
    latency_ms: hand-over by the source to taken by all sinks; mean, p50, p95, p99, max.
    age_ms: hand-over by the source to seen on a screen, same figures; empty where nothing was shown.
    stages: self time of each stage per frame, same figures; "wait" is time in which a live source had nothing new.
    slowest: the stage with the most time per frame, waiting left out.
    device: what really ran the network; "" where `segment` does not say.
    live: of a live source, how often and how long it was lost, see `LiveStatus`; None for others.
    network_runs: how often the network ran.
    network_share: of the frames that were labelled, on how many it ran, 0 to 1.
    consistency: share of the pixels that keep their class from frame to frame along the picture's motion, "before" and
        "after" labels were held steady; None where they were not.
    """

    device: str = ""
    outcome: Outcome = "complete"
    frames_in: int = 0
    frames_out: int = 0
    dropped: int = 0
    damaged: int = 0
    seconds: float = 0.0
    fps: float = 0.0
    video_s: float = 0.0
    latency_ms: dict[str, float] = field(default_factory=dict)
    age_ms: dict[str, float] = field(default_factory=dict)
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    slowest: str | None = None
    live: dict[str, Any] | None = None
    network_runs: int = 0
    network_share: float = 1.0
    consistency: dict[str, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(self.__dict__)
