"""Decoded frames to planar YUV 4:2:0: views on the decoder's own memory where that is its form already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter

from streamseg.errors import SourceError
from streamseg.pixels import Yuv420, YuvColor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.sidedata.sidedata import SideData
    from av.video.plane import VideoPlane

    from streamseg.pixels import Image, Size

_HIGH_DEFINITION_ROWS = 720  # from here on players take untagged colours for BT.709
_MATRIX: dict[int, Literal["bt601", "bt709", "bt2020"]] = {  # by number in ITU-T H.273
    1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 7: "bt709", 9: "bt2020", 10: "bt2020",
}  # fmt: skip
_NOT_SAID = 2  # in H.273, of anything
_SWSCALE_MATRIX = {"bt601": 5, "bt709": 1, "bt2020": 9}  # the names swscale has for them


@dataclass(frozen=True, slots=True)
class Orientation:
    """How to turn stored pixels upright: exchange rows and columns if `transpose`, then mirror."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Orientation:
        """From the frame's display matrix, rounded to quarter turns; upright when it has none.

        The matrix (FFmpeg's libavutil/display.h) maps stored (x, y) to (a x + c y, b x + d y) on the screen.
        """
        try:
            side_data = cast("Iterable[SideData]", frame.side_data)  # its type stub calls it a mapping
        except ValueError:
            # PyAV refuses all side data where one kind of it is new to it, as is the EXIF of a JPEG. What it says of
            # turns comes another way, without mirrors.
            return _QUARTER_TURNS[round(frame.rotation / 90) % 4]
        matrices = [data for data in side_data if data.type == SideDataType.DISPLAYMATRIX]
        if not matrices:
            return cls()
        a, b, _, c, d = np.frombuffer(bytes(matrices[0]), np.int32)[:5].tolist()
        if abs(b) > abs(a):
            return cls(transpose=True, flip_rows=b < 0, flip_columns=c < 0)
        return cls(transpose=False, flip_rows=d < 0, flip_columns=a < 0)

    def upright(self, layer: Image) -> Image:
        """(h, w) uint8 as stored to (height, width) uint8 as shown; the same array when nothing is to do."""
        turned = cv2.transpose(layer) if self.transpose else layer
        if self.flip_rows or self.flip_columns:
            how = -1 if self.flip_rows and self.flip_columns else 0 if self.flip_rows else 1
            turned = cv2.flip(turned, how)
        return cast("Image", turned)


# By quarter turns counterclockwise.
_QUARTER_TURNS = (
    Orientation(),
    Orientation(transpose=True, flip_rows=True),
    Orientation(flip_rows=True, flip_columns=True),
    Orientation(transpose=True, flip_columns=True),
)


class PlaneReader:
    """Makes every frame of a stream the size, orientation and colour description of its first one."""

    def __init__(self, first: VideoFrame, part: tuple[slice, slice] | None = None) -> None:
        """part: rows and columns of the stored picture that are shown, from even numbers on; None is all of it."""
        self._width, self._height = first.width, first.height
        self._part = part
        self._orientation = Orientation.of(first)
        self._reformatter = VideoReformatter()
        self.color = _color_of(first)
        # (matrix, primaries, transfer) as ITU-T H.273 numbers them; RGB gets a matrix here, and keeps the rest.
        self.tags = (_NOT_SAID if _is_rgb(first) else int(first.colorspace), first.color_primaries, first.color_trc)

    @property
    def transposed(self) -> bool:
        """Rows and columns change places on the way upright."""
        return self._orientation.transpose

    @property
    def size(self) -> Size:
        """(height, width) of the upright picture."""
        height, width = self._height, self._width
        if self._part is not None:
            height, width = (each.stop - each.start for each in self._part)
        return (width, height) if self.transposed else (height, width)

    def planes(self, frame: VideoFrame) -> Yuv420:
        """The upright picture. A frame of another size than the first is scaled to it.

        Raises:
            SourceError: FFmpeg cannot convert the pixel format.
        """
        planes = [_view(plane) for plane in self._as_yuv420(frame).planes]
        if self._part is not None:
            chroma = tuple(slice(each.start // 2, (each.stop + 1) // 2) for each in self._part)
            planes = [plane[part] for plane, part in zip(planes, (self._part, chroma, chroma), strict=True)]
        y, u, v = (self._orientation.upright(plane) for plane in planes)
        return Yuv420(y, u, v, self.color)

    def _as_yuv420(self, frame: VideoFrame) -> VideoFrame:
        right_size = (frame.width, frame.height) == (self._width, self._height)
        # Rows that lie upside down in memory have a negative distance, which NumPy would need another start for.
        upwards = all(plane.line_size > 0 for plane in frame.planes)
        if right_size and frame.format.name in ("yuv420p", "yuvj420p") and upwards:
            return frame
        color_range = ColorRange.JPEG if self.color.full_range else ColorRange.MPEG
        from_rgb = _is_rgb(frame)
        try:
            return self._reformatter.reformat(
                frame,
                width=self._width,
                height=self._height,
                format="yuv420p",
                src_colorspace=None if from_rgb else _SWSCALE_MATRIX[self.color.matrix],
                dst_colorspace=_SWSCALE_MATRIX[self.color.matrix],
                src_color_range=ColorRange.JPEG if from_rgb else color_range,
                dst_color_range=color_range,
                threads=1,
            )
        except av.FFmpegError as error:
            raise SourceError(
                f"pictures in the pixel format {frame.format.name} cannot be converted; convert the file to yuv420p"
            ) from error


def _view(plane: VideoPlane) -> Image:
    """(height, width) uint8 on the plane's memory, which lives as long as the array does."""
    rows: Image = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    rows.flags.writeable = False  # the decoder still predicts from it
    return rows


def _color_of(frame: VideoFrame) -> YuvColor:
    """As tagged; without tags BT.709 from 720 rows on and BT.601 below, video range, as players assume."""
    if _is_rgb(frame):
        return YuvColor("bt601", full_range=False)
    guess: Literal["bt601", "bt709"] = "bt709" if frame.height >= _HIGH_DEFINITION_ROWS else "bt601"
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return YuvColor(_MATRIX.get(int(frame.colorspace), guess), full_range=full)


def _is_rgb(frame: VideoFrame) -> bool:
    return frame.format.is_rgb or frame.format.has_palette
