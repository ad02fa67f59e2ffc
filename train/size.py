"""Sizes as a person types and reads them: WIDTHxHEIGHT, as cameras, players and `streamseg` itself have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streamseg.pixels import Size


class SizeType(click.ParamType["Size"]):
    """WIDTHxHEIGHT, such as 512x288. Inside the code sizes are (height, width), as arrays have them."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        """(height, width). Fails in click's way unless both are whole numbers from 1 on."""
        if isinstance(value, tuple):  # a default, which the code writes in its own order
            return value
        parts = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", str(value))
        if parts is None:
            self.fail(f"expected WIDTHxHEIGHT such as 512x288, got '{value}'", param, ctx)
        return int(parts[2]), int(parts[1])


def shown_size(size: Size) -> str:
    """(height, width) as a person reads it, such as "512x288"."""
    height, width = size
    return f"{width}x{height}"
