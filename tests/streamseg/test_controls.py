"""What a person changes while a run goes on is valid, atomic and seen by everybody."""

import threading

import pytest

from streamseg.controls import SWITCHES, VIEWS, Controls, Settings
from streamseg.errors import UsageError


def test_a_change_is_seen_and_counted():
    """The version grows with each change, and only with a change."""
    controls = Controls()
    assert controls.change(view="mask", alpha=0.3).view == "mask"
    assert controls.settings == Settings(view="mask", alpha=0.3)
    assert controls.version == 1
    controls.change(view="mask")
    assert controls.version == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"view": "heat"}, "choose from: overlay, mask, side, wipe"),
        ({"alpha": 1.2}, "got 1.2"),
        ({"alpha": "strong"}, "got 'strong'"),
        ({"alpha": float("nan")}, "got nan"),
        ({"alpha": True}, "got True"),
        ({"legend": 1}, "legend must be true or false, got 1"),
        ({"colour": "red"}, "no setting 'colour'; choose from: view, alpha"),
        ({"hud": True, "view": None}, "no view 'None'"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_changes(values, said):
    """Values may come from a page: each is checked, and a change is made wholly or not at all."""
    controls = Controls()
    with pytest.raises(UsageError, match=said):
        controls.change(**values)
    assert controls.settings == Settings()
    assert controls.version == 0


def test_views_go_round():
    """After the last comes the first."""
    controls = Controls()
    assert [controls.next_view().view for _ in VIEWS] == [*VIEWS[1:], VIEWS[0]]


def test_strength_stops_at_its_ends():
    """Adding beyond opaque is opaque; rounding does not pile up."""
    controls = Controls(Settings(alpha=0.0))
    assert [controls.add_alpha(0.1).alpha for _ in range(12)] == [i / 10 for i in range(1, 11)] + [1.0, 1.0]
    assert controls.add_alpha(-5).alpha == 0.0


@pytest.mark.parametrize("switch", SWITCHES)
def test_switches_turn_over_and_back(switch):
    """Each of them."""
    controls = Controls()
    assert getattr(controls.toggle(switch), switch) is not getattr(Settings(), switch)
    assert controls.toggle(switch) == Settings()


def test_steps_from_many_threads_are_all_counted():
    """No step is lost between reading and writing."""
    controls = Controls()
    threads = [threading.Thread(target=lambda: [controls.toggle("legend") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert controls.version == 2000
    assert controls.settings == Settings()


def test_a_snapshot_is_taken_once_and_the_end_stays_asked_for():
    """One request, one picture; whoever looks sees that the end was asked for."""
    controls = Controls()
    assert not controls.take_snapshot_request()
    controls.request_snapshot()
    assert [controls.take_snapshot_request(), controls.take_snapshot_request()] == [True, False]
    assert not controls.quit_requested
    controls.request_quit()
    assert controls.quit_requested
    assert controls.quit_requested
