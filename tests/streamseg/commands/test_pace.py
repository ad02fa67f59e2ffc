"""What a run is told of its pace, and how far a resumed one goes back."""

from __future__ import annotations

import pytest

from streamseg.commands.pace import pace_of


@pytest.mark.parametrize(
    ("every", "steady", "chosen"), [(1, None, True), (4, None, True), (3, None, False), (1, 2, False)]
)
def test_a_resumed_run_begins_where_the_network_ran_and_all_that_votes_is_seen(
    every: int, steady: int | None, chosen: bool
):
    """However many frames are there: so many before them that labels look back at, and the network in step."""
    pace = pace_of(every, steady, chosen=chosen)
    for frames in range(200):
        begins = frames - pace.lead(frames)
        assert begins >= 0
        assert begins % pace.period == 0
        assert pace.lead(frames) >= min(frames, pace.back)


def test_what_repeats_labels_has_no_stage_and_what_is_live_waits_for_nothing():
    """`--steady off`; and a camera, of which no frame may leave later than it would otherwise."""
    assert pace_of(3, 0).steady is None
    assert pace_of(1).steady is None
    assert pace_of(1, chosen=True, live=True).steady._ahead == 0
