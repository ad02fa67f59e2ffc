"""`python -m train kitti-scene`: the built-in scene in KITTI road's own layout, to train on without any data."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from streamseg.errors import SinkError, UsageError
from train.classes import CAMVID_CLASSES, ids
from train.contact_sheet import write_picture
from train.datasets.kitti_road import MAGENTA, RED
from train.datasets.synthetic import scene_views
from train.size import SizeType, shown_size

if TYPE_CHECKING:
    from streamseg.pixels import Image, Size

VIEWS = 8  # pictures of one scene; building it takes longer than drawing all of these
NOTE = "scene.json"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(min=1, max=999_999), default=300, show_default=True, help="Pictures.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Chooses the scenes.")
@click.option("--size", type=SizeType(), default="1242x375", show_default=True,
              help="Width and height; KITTI's own by default.")  # fmt: skip
def main(folder: Path, count: int, seed: int, size: Size) -> None:
    """Write COUNT pictures of the built-in scene as FOLDER/kitti_road/training/{image_2,gt_image_2}.

    FOLDER is then a data root for the data set kitti-road. Started again, the command goes on where it was stopped; a
    larger --count adds pictures.
    """
    from tqdm import tqdm

    base = folder / "kitti_road"
    scene_views(_scene_seed(seed, 0), size, ())  # a size that cannot be drawn is refused before anything is written
    _claim(base, {"seed": seed, "size": list(size)})
    bar = tqdm(total=count, unit=" pictures", disable=not sys.stderr.isatty(), dynamic_ncols=True, leave=False)
    with bar:
        for pictures in _written(base / "training", count, seed, size):
            bar.update(pictures)
    click.echo(f"{base}: {count} pictures {shown_size(size)}; train on them with --data {folder}")


def _claim(base: Path, settings: dict[str, Any]) -> None:
    """Note what the folder holds. Raises UsageError when that is something else: nothing is ever mixed in."""
    note = base / NOTE
    try:
        if note.is_file():
            if json.loads(note.read_text("utf-8")) != settings:
                raise UsageError(
                    f"{note}: the pictures here have another --seed or --size; give the same, or another FOLDER"
                )
        elif base.exists():
            raise UsageError(f"{base}: holds other pictures (no {NOTE} in it); give another FOLDER")
        base.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(settings) + "\n", "utf-8")
    except (OSError, json.JSONDecodeError) as error:
        raise SinkError(f"{note}: cannot read or write this note ({error}); give another FOLDER") from error


def _written(base: Path, count: int, seed: int, size: Size) -> Iterator[int]:
    """Writes what is missing, scene by scene. Yields: how many more pictures there are."""
    for first in range(0, count, VIEWS):
        wanted = range(first, min(first + VIEWS, count))
        missing = [number for number in wanted if not all(path.is_file() for path in _paths(base, number))]
        yield len(wanted) - len(missing)
        if missing:
            views = scene_views(_scene_seed(seed, first), size, [number - first for number in missing])
            for number, (picture, labels) in zip(missing, views, strict=True):
                for path, array in zip(_paths(base, number), (picture, road_mask(labels)), strict=True):
                    write_picture(path, array)
                yield 1


def _scene_seed(seed: int, number: int) -> int:
    """Of the scene that picture `number` shows: never the same for two --seed (counts end at a million), and never
    one of the demo's or of the data set synthetic's, which stay unseen."""
    return (seed + 1) * 1_000_000 + number // VIEWS


def _paths(base: Path, number: int) -> tuple[Path, Path]:
    return base / "image_2" / f"um_{number:06}.png", base / "gt_image_2" / f"um_road_{number:06}.png"


def road_mask(labels: Image) -> Image:
    """KITTI's colours: magenta on the road, red elsewhere.

    labels: (h, w) uint8 with the ids of `CAMVID_CLASSES`.

    Returns: (h, w, 3) uint8 BGR.
    """
    (road,) = ids(CAMVID_CLASSES, "road")
    # sky too is "not road" to KITTI: void is only what nobody labelled
    table = np.tile(np.array(RED[::-1], np.uint8), (256, 1))
    table[road] = MAGENTA[::-1]
    return table[labels]
