"""How much of each change a training wants."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from streamseg.errors import UsageError

AMOUNTS = ("scale", "shift", "stretch", "rotation_deg")
"""The fields of `Augmentation` that are amounts; the others are chances."""


@dataclass(frozen=True)
class Augmentation:
    """How much of each change. The numbers are chances 0..1 unless said otherwise.

    flip: mirror left and right.
    scale: smallest and largest enlargement.
    shift: largest move up, down, left and right, 0.05 = 5 % of the height and of the width.
    stretch: largest change of width against height, 0.15 = 15 %.
    rotation_deg: largest, either way.
    portrait: only a narrow part of the picture, stretched to the whole, as clips of an upright phone come in.
    wide: only a low part of the picture, stretched to the whole, as panoramic dashcams come in.
    fog: haze that thickens towards the horizon.
    rain: drops on the windscreen, and what wipers leave of them.
    snow: flakes in the air, and snow on the ground.
    reflection: something bright from inside shines in the windscreen.
    bonnet: the own car's bonnet covers the lower edge.
    dashboard: the own car's dashboard covers it, out of focus, at times with a steering wheel or a pillar.
    motorcycle: the own vehicle is a motorcycle, whose tank, bar, instruments and mirrors are in view.
    paste: poles, signs, people, cyclists or an own car's front of other pictures put into this one; which, says
        `Experiment.pasted`. 0 reads no second picture.
    style: the colours of another picture. 0 reads no second picture.
    chains: mixed chains of simple changes to light, colour and sharpness, as in AugMix.
    brightness: brighter or darker.
    contrast: harder or softer.
    color: saturation and tint change.
    night: darkened as at night, with the lamps left bright.
    blur: focus or motion blur.
    noise: sensor noise.
    letterbox: bars above and below or at the sides.
    caption: date, speed or a maker's name burnt in.
    jpeg: compressed hard, as in low-rate video.
    posterize: few colours, as in a GIF.

    Raises:
        UsageError: a number is out of its range; the message names the field.
    """

    flip: float = 0.5
    scale: tuple[float, float] = (0.7, 1.7)
    shift: float = 0.02
    stretch: float = 0.15
    rotation_deg: float = 4.0
    portrait: float = 0.04
    wide: float = 0.0
    fog: float = 0.04
    rain: float = 0.04
    snow: float = 0.0
    reflection: float = 0.08
    bonnet: float = 0.1
    dashboard: float = 0.05
    motorcycle: float = 0.0
    paste: float = 0.0
    style: float = 0.0
    chains: float = 0.0
    brightness: float = 0.7
    contrast: float = 0.7
    color: float = 0.8
    night: float = 0.06
    blur: float = 0.12
    noise: float = 0.12
    letterbox: float = 0.04
    caption: float = 0.08
    jpeg: float = 0.15
    posterize: float = 0.03

    def __post_init__(self) -> None:
        smallest, largest = self.scale
        if not 0 < smallest <= largest:
            raise UsageError(f"augmentation: scale must be two numbers, 0 < smallest <= largest, got {self.scale}")
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in AMOUNTS[1:] and value < 0:
                raise UsageError(f"augmentation: {each.name} must be 0 or more, got {value}")
            if each.name not in AMOUNTS and not 0 <= value <= 1:
                raise UsageError(f"augmentation: {each.name} is a chance and must be from 0 to 1, got {value}")

    @classmethod
    def none(cls) -> Augmentation:
        """Nothing changes but the size."""
        return cls(**{each.name: 0.0 for each in fields(cls)} | {"scale": (1.0, 1.0)})  # type: ignore[arg-type]

    @classmethod
    def only(cls, name: str) -> Augmentation:
        """One change alone: an amount as by default, anything else for sure."""
        value = getattr(cls(), name) if name in AMOUNTS else 1.0
        change: dict[str, Any] = {name: value}
        return replace(cls.none(), **change)

    def nothing_drawn(self) -> Augmentation:
        """The same without what hides or lights a part of the picture, which would not move as the scene does."""
        weather, own = ("fog", "rain", "snow", "reflection", "night"), ("bonnet", "dashboard", "motorcycle")
        return replace(self, **dict.fromkeys((*weather, *own, "letterbox", "caption"), 0.0))  # type: ignore[arg-type]

    @property
    def needs_donors(self) -> bool:
        """Whether other pictures are wanted beside the one that is changed."""
        return self.paste > 0 or self.style > 0


class Drawn(NamedTuple):
    """The codes of what is drawn over a picture."""

    own_car: int
    bar: int
