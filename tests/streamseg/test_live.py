"""What is said about a live source while it plays and while it does not."""

from __future__ import annotations

import json

from streamseg.live import LiveState, LiveStatus
from tests.waiting import ManualClock


def test_a_source_begins_by_connecting() -> None:
    """Nothing is lost yet."""
    clock = ManualClock()
    state = LiveState(clock)
    clock.advance(3)
    assert state.now() == LiveStatus("connecting", for_s=3)


def test_a_loss_is_counted_and_timed_until_frames_come_again() -> None:
    """With its reason, the tries, the next one, and the total over all losses."""
    clock = ManualClock()
    state = LiveState(clock)
    state.playing()
    for _ in range(2):
        state.lost("connection refused")
        state.waiting(5.0)
        clock.advance(2)
        waiting = state.now()
        assert (waiting.state, waiting.for_s) == ("reconnecting", 2)
        assert waiting.next_try_s == 3
        state.trying()
        assert state.now().next_try_s == 0.0
        state.playing()
    status = state.now()
    assert (status.state, status.losses, status.retries) == ("playing", 2, 2)
    assert status.reason == "connection refused"
    assert status.next_try_s is None
    assert status.reconnecting_s == 4
    clock.advance(1)
    assert state.now().reconnecting_s == 4
    assert state.now().for_s == 1


def test_another_reason_is_no_other_loss() -> None:
    """While reconnecting, tries fail in different ways."""
    state = LiveState()
    state.lost("the server ended the stream")
    state.lost("connection refused")
    assert (state.now().losses, state.now().reason) == (1, "connection refused")


def test_the_end_stays_the_end() -> None:
    """Whatever is noted after it; and why it ended is kept."""
    state = LiveState()
    state.ended("401 Unauthorized")
    state.playing()
    state.lost("silence")
    state.ended()
    assert state.state == "ended"
    assert state.now().next_try_s is None


def test_a_status_can_be_written_as_json() -> None:
    """For /stats and the page."""
    facts = json.loads(json.dumps(LiveState().now().to_dict()))
    assert facts["state"] == "connecting"
    assert facts["reconnecting_s"] == 0.0
