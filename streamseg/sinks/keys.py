"""What the keys of the window do: each changes the controls, and says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamseg.controls import Controls

_STEP = 0.1  # of the strength of the colours
_TAB, _ESCAPE = 9, 27


def press(controls: Controls, key: int) -> str | None:
    """Do what a key stands for.

    key: its code as OpenCV gives it, -1 for none.

    Returns: what was done, for the person to read; None for keys without a meaning.
    """
    action = _KEYS.get(key)
    return action(controls) if action else None


def _quit(controls: Controls) -> str:
    controls.request_quit()
    return "end"


def _snapshot(controls: Controls) -> str:
    controls.request_snapshot()
    return "snapshot"


def _next_view(controls: Controls) -> str:
    return f"view: {controls.next_view().view}"


def _alpha(step: float) -> Callable[[Controls], str]:
    return lambda controls: f"colours {controls.add_alpha(step).alpha:.0%}"


def _switch(name: str, said: str) -> Callable[[Controls], str]:
    return lambda controls: f"{said} {'on' if getattr(controls.toggle(name), name) else 'off'}"


_KEYS: Mapping[int, Callable[[Controls], str]] = {
    ord("q"): _quit,
    _ESCAPE: _quit,
    ord(" "): _switch("paused", "pause"),
    _TAB: _next_view,
    ord("+"): _alpha(_STEP),
    ord("="): _alpha(_STEP),  # where plus needs Shift
    ord("-"): _alpha(-_STEP),
    ord("c"): _switch("clahe", "CLAHE"),
    ord("l"): _switch("legend", "legend"),
    ord("h"): _switch("hud", "figures"),
    ord("s"): _snapshot,
    ord("f"): _switch("full_screen", "full screen"),
}
