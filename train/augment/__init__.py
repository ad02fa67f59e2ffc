"""Random changes to pictures: what weather, cameras and cars do to them. Labels move with the picture.

Every function takes a numpy Generator and returns new arrays. Pictures are (h, w, 3) uint8 BGR, codes (h, w) uint8
with 0 = void.
"""

from train.augment.geometry import moved
from train.augment.sample import augmented, borrowed, changed
from train.augment.settings import Augmentation, Drawn

__all__ = ["Augmentation", "Drawn", "augmented", "borrowed", "changed", "moved"]
