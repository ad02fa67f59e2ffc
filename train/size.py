"""Sizes as a person types them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streamseg.pixels import Size


class SizeType(click.ParamType["Size"]):
    """HEIGHTxWIDTH, such as 288x512: the order of every size in this project."""

    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        """(height, width). Fails in click's way unless both are whole numbers from 1 on."""
        if isinstance(value, tuple):
            return value
        parts = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", str(value))
        if parts is None:
            self.fail(f"expected HEIGHTxWIDTH such as 288x512, got '{value}'", param, ctx)
        return int(parts[1]), int(parts[2])
