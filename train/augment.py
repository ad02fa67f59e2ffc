"""Random changes to pictures: what weather, cameras and cars do to them. Labels move with the picture.

Every function takes a numpy Generator and returns new arrays. Pictures are (h, w, 3) uint8 BGR, codes (h, w) uint8
with 0 = void.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from streamseg.frame import Size
from streamseg.preprocess import resize_picture
from train.label_sets import VOID_CODE

if TYPE_CHECKING:
    from streamseg.frame import Image

    Pair = tuple[Image, Image]

Random = np.random.Generator


@dataclass(frozen=True)
class Augmentation:
    """How much of each change. The numbers are chances 0..1 unless said otherwise.

    flip: mirror left and right.
    scale: smallest and largest enlargement.
    stretch: largest change of width against height, 0.15 = 15 %.
    rotation_deg: largest, either way.
    color: brightness, contrast, saturation and tint change.
    night: darkened as at night, with the lamps left bright.
    blur: focus or motion blur.
    noise: sensor noise.
    jpeg: compressed hard.
    reflection: something bright from inside shines in the windscreen.
    caption: date, speed or a maker's name burnt in.
    bonnet: the own car's bonnet or dashboard covers the lower edge.
    letterbox: bars above and below or at the sides.
    """

    flip: float = 0.5
    scale: tuple[float, float] = (0.7, 1.7)
    stretch: float = 0.15
    rotation_deg: float = 4.0
    color: float = 0.8
    night: float = 0.06
    blur: float = 0.12
    noise: float = 0.12
    jpeg: float = 0.15
    reflection: float = 0.08
    caption: float = 0.08
    bonnet: float = 0.1
    letterbox: float = 0.04


class Drawn(NamedTuple):
    """The codes of what is drawn over a picture."""

    own_car: int
    bar: int


def augmented(
    random: Random, picture: Image, codes: Image, base: Size, crop: Size, how: Augmentation, drawn: Drawn
) -> Pair:
    """One training sample.

    base: (height, width) that the runtime would resize the whole picture to; scale 1 is that.
    crop: (height, width) of the result.

    Returns: picture (*crop, 3) uint8 BGR, codes (*crop,) uint8.
    """
    picture, codes = moved(random, picture, codes, base, crop, how)
    if random.random() < how.reflection:
        picture = reflected(random, picture)
    if random.random() < how.bonnet:
        picture, codes = with_bonnet(random, picture, codes, drawn.own_car)
    picture = seen_by_a_camera(random, picture, how)
    if random.random() < how.letterbox:
        picture, codes = with_bars(random, picture, codes, drawn.bar)
    if random.random() < how.caption:
        picture = captioned(random, picture)
    return picture, codes


def moved(random: Random, picture: Image, codes: Image, base: Size, crop: Size, how: Augmentation) -> Pair:
    """Scale, stretch, rotate, mirror and crop; what lies outside the picture is grey and void."""
    scale = np.exp(random.uniform(*np.log(how.scale)))
    stretch = np.exp(random.uniform(-how.stretch, how.stretch) / 2)
    size = max(8, round(base[0] * scale / stretch)), max(8, round(base[1] * scale * stretch))
    picture = resize_picture(picture, size)
    codes = cv2.resize(codes, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)  # type: ignore[assignment]
    if how.rotation_deg:
        picture, codes = rotated(picture, codes, random.uniform(-how.rotation_deg, how.rotation_deg))
    picture, codes = cropped(random, picture, codes, crop)
    if random.random() < how.flip:
        picture, codes = picture[:, ::-1], codes[:, ::-1]
    return np.ascontiguousarray(picture), np.ascontiguousarray(codes)


def rotated(picture: Image, codes: Image, degrees: float) -> Pair:
    """Turned about the middle, counter-clockwise."""
    height, width = codes.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    turned_codes = cv2.warpAffine(codes, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=VOID_CODE)
    return turned, turned_codes  # type: ignore[return-value]


def cropped(random: Random, picture: Image, codes: Image, crop: Size) -> Pair:
    """A window of size `crop` at a random place, padded where the picture is smaller."""
    pad = [max(0, want - have) for want, have in zip(crop, codes.shape, strict=True)]
    if any(pad):
        top, left = random.integers(0, pad[0] + 1), random.integers(0, pad[1] + 1)
        borders = (int(top), int(pad[0] - top), int(left), int(pad[1] - left))
        picture = cv2.copyMakeBorder(picture, *borders, cv2.BORDER_CONSTANT, value=(114, 114, 114))  # type: ignore[assignment]
        codes = cv2.copyMakeBorder(codes, *borders, cv2.BORDER_CONSTANT, value=(VOID_CODE,))  # type: ignore[assignment]
    top, left = (int(random.integers(0, have - want + 1)) for have, want in zip(codes.shape, crop, strict=True))
    window = slice(top, top + crop[0]), slice(left, left + crop[1])
    return picture[window], codes[window]


def seen_by_a_camera(random: Random, picture: Image, how: Augmentation) -> Image:
    """Light, colour, blur, noise and compression; nothing moves."""
    if random.random() < how.color:
        picture = recolored(random, picture)
    if random.random() < how.night:
        picture = darkened(random, picture)
    if random.random() < how.blur:
        picture = blurred(random, picture)
    if random.random() < how.noise:
        spread = random.uniform(2, 12)
        grain = random.standard_normal(picture.shape[:2], np.float32)[..., None] * spread
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    if random.random() < how.jpeg:
        quality = int(random.integers(12, 60))
        _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = cv2.imdecode(packed, cv2.IMREAD_COLOR)  # type: ignore[assignment]
    return picture


def recolored(random: Random, picture: Image) -> Image:
    """Brightness, contrast, gamma, saturation and white balance, all through one table and one blend."""
    gamma = np.exp(random.uniform(-0.45, 0.45))
    gain, offset = random.uniform(0.7, 1.35), random.uniform(-25, 25)
    balance = np.exp(random.uniform(-0.1, 0.1, 3))
    ramp = (np.arange(256) / 255.0) ** gamma * 255.0
    table = np.clip(ramp[:, None] * gain * balance + offset, 0, 255).astype(np.uint8)
    picture = cv2.LUT(picture, table[None])  # type: ignore[assignment]
    saturation = random.uniform(0.4, 1.4)
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return cv2.addWeighted(picture, saturation, grey, 1 - saturation, 0)  # type: ignore[return-value]


def darkened(random: Random, picture: Image) -> Image:
    """As at night: a steep curve that keeps lamps, less light far from the road ahead, a warm or cold cast."""
    height, width = picture.shape[:2]
    y, x = np.ogrid[0:height, 0:width]
    middle = random.uniform(0.35, 0.65) * width
    beam = np.exp(-(((x - middle) / (0.45 * width)) ** 2) - ((y - 0.85 * height) / (0.4 * height)) ** 2)
    light = random.uniform(0.1, 0.3) + random.uniform(0.2, 0.6) * beam
    cast = np.exp(random.uniform(-0.25, 0.25, 3))
    value = (picture / 255.0) ** random.uniform(1.1, 1.8)
    dark: Image = np.clip(value * light[..., None] * cast * 255, 0, 255).astype(np.uint8)
    return dark


def blurred(random: Random, picture: Image) -> Image:
    """Out of focus, or smeared along a line as by motion."""
    if random.random() < 0.5:
        return cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 1.8))  # type: ignore[return-value]
    length = int(random.integers(3, 9))
    kernel = np.zeros((length, length), np.float32)
    start = (0, int(random.integers(0, length)))
    cv2.line(kernel, start, (length - 1, length - 1 - start[1]), 1.0)
    return cv2.filter2D(picture, -1, kernel / kernel.sum())  # type: ignore[return-value]


def reflected(random: Random, picture: Image) -> Image:
    """Soft bright patches over the lower half, as of papers and vents mirrored in the windscreen."""
    height, width = picture.shape[:2]
    sheen = np.zeros((height, width), np.float32)
    for _ in range(int(random.integers(1, 5))):
        center = int(random.integers(0, width)), int(random.integers(height // 2, height))
        axes = int(random.integers(width // 12, width // 3)), int(random.integers(4, height // 6))
        cv2.ellipse(sheen, center, axes, random.uniform(-25, 25), 0, 360, float(random.uniform(0.2, 0.5)), -1)
    sheen = cv2.GaussianBlur(sheen, (0, 0), random.uniform(2, 10))[..., None]  # type: ignore[assignment]
    color = random.uniform(90, 255, 3)
    return (picture * (1 - sheen) + color * sheen).astype(np.uint8)


def captioned(random: Random, picture: Image) -> Image:
    """One or two lines of writing near the upper or lower edge, as dashcams burn in; the labels below it stay."""
    height, width = picture.shape[:2]
    picture = picture.copy()
    signs = np.array(list("0123456789:-/. KMHNEW"))
    color = [(255, 255, 255), (60, 230, 255), (90, 255, 120), (20, 20, 20)][int(random.integers(0, 4))]
    size = random.uniform(0.0011, 0.0024) * height
    baseline = int(height * (random.uniform(0.04, 0.1) if random.random() < 0.4 else random.uniform(0.9, 0.98)))
    for _ in range(int(random.integers(1, 3))):
        text = "".join(random.choice(signs, int(random.integers(6, 28))))
        left = int(random.uniform(0, 0.7) * width)
        cv2.putText(picture, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, size, color, 1, cv2.LINE_AA)
    return picture


def with_bonnet(random: Random, picture: Image, codes: Image, own_car: int) -> Pair:
    """An own car at the lower edge: a curved bonnet or a flat dashboard, shaded, sharp or out of focus."""
    height, width = codes.shape
    top = height * (1 - random.uniform(0.05, 0.3))
    sag = height * random.uniform(0.0, 0.12)
    across = np.linspace(-1, 1, 33)
    tilt = random.uniform(-0.04, 0.04) * height
    edge = top + sag * np.abs(across) ** random.uniform(1.5, 4) + tilt * across
    outline = np.stack([(across + 1) / 2 * width, edge], axis=1)
    outline = np.concatenate([outline, [[width, height], [0, height]]]).round().astype(np.int32)
    mask = cv2.fillPoly(np.zeros((height, width), np.uint8), [outline], 255)
    shade = np.linspace(random.uniform(0.6, 1.5), random.uniform(0.4, 1.2), height)[:, None, None]
    body = np.clip(random.uniform(5, 200, 3) * shade + random.normal(0, 3, (height, width, 1)), 0, 255)
    if random.random() < 0.4:  # a polished bonnet mirrors the scene
        mirror = cv2.GaussianBlur(picture[::-1], (0, 0), 3)
        body = body * 0.6 + mirror * 0.4
    soft = cv2.GaussianBlur(mask, (0, 0), random.uniform(0.4, 2.5))[..., None] / 255.0
    covered = (picture * (1 - soft) + body * soft).astype(np.uint8)
    return covered, np.where(mask > 0, np.uint8(own_car), codes)


def with_bars(random: Random, picture: Image, codes: Image, bar_code: int) -> Pair:
    """Black bars above and below, or left and right. No class fits them, but nobody drives on them."""
    picture, codes = picture.copy(), codes.copy()
    axis = int(random.integers(0, 2))
    bar = int(codes.shape[axis] * random.uniform(0.03, 0.2))
    for edge in (slice(0, bar), slice(codes.shape[axis] - bar, None)):
        where = (edge, slice(None)) if axis == 0 else (slice(None), edge)
        picture[where], codes[where] = int(random.integers(0, 20)), bar_code
    return picture, codes
