"""What is said about a live source while it plays and while it does not."""

from __future__ import annotations

import json

from streamseg.live import LiveState, LiveStatus
from tests.waiting import ManualClock


def test_a_source_begins_by_connecting() -> None:
    """Nothing is lost yet."""
    status = LiveState().now()
    assert status == LiveStatus("connecting", status.for_s)


def test_a_loss_is_counted_and_timed_until_frames_come_again() -> None:
    """With its reason, the tries, the next one, and the total over all losses."""
    now_s = [100.0]
    state = LiveState(lambda: now_s[0])
    state.playing()
    for loss in range(2):
        state.lost("connection refused")
        state.waiting(5.0)
        now_s[0] += 2.0
        assert state.now() == LiveStatus(
            "reconnecting", 2.0, loss + 1, loss, 6.0 * loss + 2.0, "connection refused", next_try_s=3.0
        )
        now_s[0] += 4.0
        assert state.now().next_try_s == 0.0
        state.trying()
        assert state.now().next_try_s == 0.0
        state.playing()
    now_s[0] += 7.0
    assert state.now() == LiveStatus("playing", 7.0, 2, 2, 12.0, "connection refused", next_try_s=None)


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


def test_each_loss_and_each_return_is_told_once():
    """With the first reason and the whole time away, however often it was tried; whoever is told may ask."""
    clock, told = ManualClock(), []
    state = LiveState(clock)
    state.subscribe(
        lambda reason: told.append((reason, state.now().state)), lambda away_s: told.append((away_s, state.now().state))
    )
    state.playing()
    state.lost("no answer for 5 s")
    state.waiting(1.0)
    clock.advance(7.0)
    state.trying()
    state.lost("connection refused")
    clock.advance(5.0)
    state.playing()
    state.playing()
    assert told == [("no answer for 5 s", "reconnecting"), (12.0, "playing")]
