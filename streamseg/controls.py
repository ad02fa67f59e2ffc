"""What a person may change while a run goes on, by keys in the window and by the page alike."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeAlias

from streamseg import views
from streamseg.errors import UsageError
from streamseg.views import check_alpha, view_named

View: TypeAlias = str  # a name in `streamseg.views.VIEWS`
VIEWS: tuple[View, ...] = tuple(views.VIEWS)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the picture is shown at one moment. Never changed; `Controls.change` puts a new one in its place.

    view: "overlay" blends colours over the picture; "mask" shows colours alone; "side" puts picture and overlay
        side by side; "wipe" shows the picture left of the middle and the overlay right of it.
    alpha: strength of the colours, 0 to 1.
    clahe: contrast equalisation before the network.
    legend: list the colours in the picture.
    hud: show frame rate, age, drops and device in the picture.
    paused: the picture stands still. A live source is read on, and recorded on; a file waits.
    full_screen: of the window; a page has its own.

    Raises:
        UsageError: no such view, an alpha out of range, or a switch that is neither True nor False.
    """

    view: View = "overlay"
    alpha: float = 0.5
    clahe: bool = False
    legend: bool = True
    hud: bool = False
    paused: bool = False
    full_screen: bool = False

    def __post_init__(self) -> None:
        view_named(self.view)
        check_alpha(self.alpha)
        for name in SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise UsageError(f"{name} must be true or false, got {getattr(self, name)!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `Controls.change` takes them back."""
        return asdict(self)


SWITCHES = ("clahe", "legend", "hud", "paused", "full_screen")
"""The settings that are on or off."""


class Controls:
    """The settings of a run and what was asked of it. Every method may be called from any thread.

    Painter and segmenter look here once a frame, so a change shows with the next one.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """settings: to begin with; None is `Settings()`."""
        self._lock = threading.RLock()  # a step reads, and changes by another method
        self._settings = settings or Settings()
        self._version = 0
        self._quit = False
        self._snapshot = False

    @property
    def settings(self) -> Settings:
        """As they are now. Take it once where several must fit together."""
        return self._settings  # without the lock: what is there never changes, only which one is there

    @property
    def version(self) -> int:
        """Grows with every change of the settings; equal numbers mean equal settings."""
        return self._version

    def change(self, **values: Any) -> Settings:
        """Set some settings by name. Returns: all of them as they are now.

        Raises:
            UsageError: no such setting, or a value it cannot have; then nothing is changed.
        """
        unknown = values.keys() - {each.name for each in fields(Settings)}
        if unknown:
            known = ", ".join(each.name for each in fields(Settings))
            raise UsageError(f"there is no setting '{min(unknown)}'; choose from: {known}")
        with self._lock:
            changed = replace(self._settings, **values)
            # Only where something changed, since whoever shows pictures paints anew for each version.
            self._version += changed != self._settings
            self._settings = changed
            return changed

    def toggle(self, switch: str) -> Settings:
        """Turn one of SWITCHES over. Returns: all settings as they are now."""
        with self._lock:
            return self.change(**{switch: not getattr(self._settings, switch)})

    def next_view(self) -> Settings:
        """Go on to the view after this one, the first after the last. Returns: all settings as they are now."""
        with self._lock:
            place = VIEWS.index(self._settings.view) + 1
            return self.change(view=VIEWS[place % len(VIEWS)])

    def add_alpha(self, step: float) -> Settings:
        """Strengthen the colours, or weaken them (below 0), as far as that goes. Returns: all settings."""
        with self._lock:
            # rounded, so that as many steps down as up end where they began
            return self.change(alpha=min(1.0, max(0.0, round(self._settings.alpha + step, 3))))

    def request_quit(self) -> None:
        """Ask the run to end in good order."""
        self._quit = True  # one store, which needs no lock

    @property
    def quit_requested(self) -> bool:
        """Whether somebody asked for the end; stays so."""
        return self._quit

    def request_snapshot(self) -> None:
        """Ask the window to keep what it shows as a picture file."""
        with self._lock:
            self._snapshot = True

    def take_snapshot_request(self) -> bool:
        """Whether a snapshot was asked for since this was last called."""
        with self._lock:
            asked, self._snapshot = self._snapshot, False
            return asked
