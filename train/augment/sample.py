"""One training sample: every change in the order in which the world makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from streamseg.pixels import Size
from train.augment.camera import blurred, compressed, noisy, posterized
from train.augment.chains import in_the_colors_of, mixed_chains
from train.augment.dashboard import with_dashboard
from train.augment.dashcam import captioned, with_bars, with_bonnet
from train.augment.geometry import moved
from train.augment.light import darkened, relit
from train.augment.motorcycle import with_motorcycle
from train.augment.settings import Augmentation, Drawn
from train.augment.windscreen import foggy, rained_on, reflected, snowed_on

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image


def augmented(
    random: np.random.Generator,
    picture: Image,
    codes: Image,
    base: Size,
    crop: Size,
    how: Augmentation,
    drawn: Drawn,
    donors: Donors | None = None,
) -> tuple[Image, Image]:
    """One training sample.

    picture: (h, w, 3) uint8 BGR, any size.
    codes: (h, w) uint8, 0 = void.
    base: (height, width) that the runtime would resize the whole picture to; scale 1 is that.
    crop: (height, width) of the result.
    drawn: the codes that what is drawn over the picture gets.
    donors: other pictures, for `paste` and `style`; without them nothing is taken from any.

    Returns: picture (*crop, 3) uint8 BGR, codes (*crop,) uint8.
    """
    if donors:
        picture, codes, _ = borrowed(random, picture, codes, how, donors)
    picture, (codes,) = moved(random, picture, [codes], base, crop, how)
    return changed(random, picture, codes, how, drawn)


class Donors(Protocol):
    """Other pictures that something is taken from."""

    def any_picture(self, random: np.random.Generator) -> Image:
        """(h, w, 3) uint8 BGR."""
        ...

    def paste(
        self, random: np.random.Generator, picture: Image, codes: Image
    ) -> tuple[Image, Image, NDArray[np.bool_]]:
        """Things of others over a picture and in its codes, and where they are, (h, w) bool."""
        ...


def borrowed(
    random: np.random.Generator, picture: Image, codes: Image, how: Augmentation, donors: Donors
) -> tuple[Image, Image, NDArray[np.bool_]]:
    """What is taken from other pictures, before anything moves: things that stand where they could, then colours.

    Returns: picture, codes, and where something was pasted, (h, w) bool.
    """
    where = np.zeros(codes.shape, bool)
    # a chance of 0 draws no number: the batches of configs without it stay what they were
    if how.paste and random.random() < how.paste:
        picture, codes, where = donors.paste(random, picture, codes)
    if how.style and random.random() < how.style:
        picture = in_the_colors_of(random, picture, donors.any_picture(random))
    return picture, codes, where


def changed(
    random: np.random.Generator, picture: Image, codes: Image, how: Augmentation, drawn: Drawn
) -> tuple[Image, Image]:
    """All that happens to a picture once its content lies where it will; see `augmented`.

    Codes differ from those given only where something is drawn over the picture.
    """

    def chosen(chance: float) -> bool:
        return bool(random.random() < chance)

    weather = (how.fog, foggy), (how.rain, rained_on), (how.snow, snowed_on), (how.reflection, reflected)
    for chance, change in weather:
        if chosen(chance):
            picture = change(random, picture)
    for chance, draw in ((how.bonnet, with_bonnet), (how.dashboard, with_dashboard)):
        if chosen(chance):
            picture, codes = draw(random, picture, codes, drawn.own_car)
    if how.motorcycle and chosen(how.motorcycle):
        picture, codes = with_motorcycle(random, picture, codes, drawn.own_car)
    if how.chains and chosen(how.chains):  # as in `borrowed`, 0 draws no number
        picture = mixed_chains(random, picture)
    picture = relit(
        random, picture, brightness=chosen(how.brightness), contrast=chosen(how.contrast), color=chosen(how.color)
    )
    for chance, change in ((how.night, darkened), (how.blur, blurred), (how.noise, noisy)):
        if chosen(chance):
            picture = change(random, picture)
    if chosen(how.letterbox):
        picture, codes = with_bars(random, picture, codes, drawn.bar)
    if chosen(how.caption):
        picture = captioned(random, picture)
    if chosen(how.jpeg):
        picture = compressed(random, picture)
    if chosen(how.posterize):
        picture = posterized(random, picture)
    return picture, codes
