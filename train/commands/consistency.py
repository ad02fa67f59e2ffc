"""`python -m train consistency`: how steady a network's labels are on clips, without anybody having labelled them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from streamseg.errors import SourceError
from streamseg.flow import TemporalConsistency
from train.datasets import VOID
from train.open_model import open_model
from train.predictors import ClaheMode, Predictor
from train.table import text_table

if TYPE_CHECKING:
    from streamseg.pixels import Image

REFERENCE = "exact labels of the built-in scene"
_REFERENCE_SIZE = (288, 512)  # (height, width), that of the bundled network's labels
_REFERENCE_FRAMES = 60  # two seconds: cars come towards, houses and trees pass by
_REFERENCE_FPS = 30


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("clips", nargs=-1, required=True, metavar="CLIP...")
@click.option("--frames", type=click.IntRange(min=2), help="Only the first N of each clip.  [default: all]")
@click.option("--clahe", type=click.Choice(["auto", "on", "off"]), default="auto", show_default=True,
              help="auto is as the model was trained.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(model: Path, clips: tuple[str, ...], frames: int | None, clahe: ClaheMode, as_json: bool) -> None:
    """Measure how many pixels of each CLIP keep their class from frame to frame, where the picture's own motion is
    known. MODEL is a training's folder or an .onnx file.

    docs/evaluation.md has the definition.
    """
    predictor, _ = open_model(model, clahe)
    figures = {clip: _figures(measured(_labelled(clip, predictor, frames)), clip) for clip in clips}
    # the worst first: a person remembers the clip that flickers, not the mean
    shares = [each["consistency"] for each in figures.values()]
    summary = {"worst": min(shares), "mean": round(fmean(shares), 4), "reference": round(reference(), 4)}
    if as_json:
        click.echo(json.dumps({"model": str(model), "clips": figures, **summary}))
    else:
        click.echo(_text(figures, summary))


def measured(frames: Iterable[tuple[Image, Image]], ignore: int | None = None) -> TemporalConsistency:
    """
    frames: (luma (h, w) uint8, labels (h, w) uint8), in order.
    ignore: a label that is no class.
    """
    consistency = TemporalConsistency(ignore)
    for luma, labels in frames:
        consistency.add(luma, labels)
    return consistency


def reference() -> float:
    """What exact labels reach: the error of the measure itself, as flow at borders of things is never exact."""
    from streamseg.frame import Frame
    from streamseg.scene.renderer import SyntheticScene

    scene = SyntheticScene(*_REFERENCE_SIZE, seed=1)

    def rendered() -> Iterator[tuple[Image, Image]]:
        for index in range(_REFERENCE_FRAMES):
            picture, labels = scene.render(index / _REFERENCE_FPS)
            yield Frame(index, index / _REFERENCE_FPS, picture).planes().y, labels

    return measured(rendered(), VOID).share


def _labelled(clip: str, predictor: Predictor, count: int | None) -> Iterator[tuple[Image, Image]]:
    """Luma and labels of a clip's frames."""
    from streamseg.sources import open_source

    with open_source(clip) as source:
        total = source.info.frame_count if count is None else count
        for frame in tqdm(islice(source, count), total=total, desc=Path(clip).name, leave=False, disable=None):
            yield frame.planes().y, predictor.of_frame(frame)


def _figures(found: TemporalConsistency, clip: str) -> dict[str, Any]:
    """Rounded to four places. Raises SourceError for a clip that has nothing to compare."""
    if not found.compared:
        raise SourceError(f"'{clip}': has no two frames of which one follows from the other; give a clip")
    return {
        "frames": found.pairs + 1,
        "consistency": round(found.share, 4),
        "worst_pair": round(found.worst, 4),
        "compared": round(found.coverage, 4),
    }


def _text(figures: dict[str, dict[str, Any]], summary: dict[str, float]) -> str:
    rows = [["clip", "frames", "same class", "worst pair", "pixels compared"]]
    rows += [
        [Path(clip).name, f"{each['frames']}", *(f"{each[k]:.4f}" for k in ("consistency", "worst_pair", "compared"))]
        for clip, each in figures.items()
    ]
    ends = [f"{name} {summary[name]:.4f}" for name in ("worst", "mean")]
    return f"{text_table(rows)}\n{', '.join(ends)}; {REFERENCE}: {summary['reference']:.4f}"
