"""`python -m train pseudo-labels`: masks of what several models are sure of together, to train on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from tqdm import tqdm

from streamseg.atomic import write_whole
from streamseg.errors import SinkError, UsageError
from train.contact_sheet import write_picture
from train.datasets.folder import TOML
from train.segmenters import open_segmenter
from train.soft_targets import soft_target, write_names, write_soft
from train.sure_rule import SureRule, default_rule, read_rule
from train.table import text_table
from train.teachers import Judged, Teachers

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from train.probabilities import Probabilities

PICTURES, MASKS, SOFT, TABLE = "pictures", "masks", "soft", "agreement.tsv"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="MODEL...")
@click.option("--source", "sources", multiple=True, required=True, metavar="FOLDER|CLIP",
              help="Pictures or a video.  May be repeated.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="A new or empty folder.")
@click.option("--every", type=click.IntRange(min=1), default=10, show_default=True,
              help="Of a video, only every Nth frame: its neighbours show the same.")  # fmt: skip
@click.option("--rule", type=click.Path(path_type=Path), metavar="TOML",
              help="When they are sure.  [default: one of train/rules, by the number of models]")  # fmt: skip
@click.option("--soft", is_flag=True,
              help="Keep the probabilities of the first model too, and of those with the same classes.")  # fmt: skip
def main(
    models: tuple[Path, ...], sources: tuple[str, ...], out: Path, every: int, rule: Path | None, soft: bool
) -> None:
    """Run each MODEL over pictures and their mirror images, and write what they are sure of together as index masks.

    MODEL is a training's folder, an ONNX file or an OpenVINO IR (.xml), the last two with a TOML description beside
    them where they do not describe themselves. DIR is then a data set `folder`: pictures, masks and classes.toml. It
    also holds agreement.tsv, a line for every picture looked at.
    """
    chosen = read_rule(rule) if rule else default_rule(len(models))
    teachers = Teachers([open_segmenter(each) for each in models], chosen)
    # after the models are open: what is wrong with them leaves no folder behind
    _claim(out)
    table: list[Row] = []
    try:
        for name, picture in _pictures(sources, every):
            judged = teachers.judge(picture)
            table.append(Row(name, judged.kept, judged.shares(teachers.values)))
            if judged.kept:
                _write(out, name, picture, judged, teachers.soft(judged) if soft else None)
    finally:
        if table:
            _finish(out, chosen, table, teachers.classes if soft else None)
    click.echo(_summary(table))
    click.echo(f"{out}: {sum(each.kept for each in table)} of {len(table)} pictures kept; see {out / TABLE}")


class Row(NamedTuple):
    """A line of the table: a picture, whether it was kept, and `Judged.shares`."""

    name: str
    kept: bool
    shares: dict[str, float]


def _claim(out: Path) -> None:
    """Raises UsageError for a folder with something in it: nothing is ever mixed in or replaced."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: holds something already; give a new folder with --out")


def _pictures(sources: Sequence[str], every: int) -> Iterator[tuple[str, Image]]:
    """Name and (h, w, 3) uint8 BGR of each picture to label. Raises UsageError when two have one name."""
    from streamseg.sources import open_source

    seen: set[str] = set()
    for address in sources:
        with open_source(address) as source:
            # a folder of pictures was chosen by somebody; the frames of a video were not
            step = 1 if source.info.kind == "pictures" else every
            count = source.info.frame_count
            total = None if count is None else -(-count // step)
            for frame in tqdm(_each_nth(source, step), total=total, desc=Path(address).name, leave=False, disable=None):
                name = frame.name or f"{Path(address).stem}_{frame.index:06}"
                if name in seen:
                    raise UsageError(f"{address}: another source has a picture '{name}' too; label them apart")
                seen.add(name)
                yield name, frame.bgr()


def _each_nth(frames: Any, step: int) -> Iterator[Any]:
    return (frame for place, frame in enumerate(frames) if place % step == 0)


def _write(out: Path, name: str, picture: Image, judged: Judged, soft: Probabilities | None) -> None:
    write_picture(out / PICTURES / f"{name}.jpg", picture)  # OpenCV's quality is 95: nothing of it can be seen
    write_picture(out / MASKS / f"{name}.png", judged.mask)
    if soft is not None:
        write_soft(out / SOFT / f"{name}.png", soft_target(soft))


def _finish(out: Path, rule: SureRule, table: Sequence[Row], soft_classes: Sequence[str] | None) -> None:
    """The files that are about all pictures. Raises SinkError."""
    meanings = "".join(f"{each.value} = {json.dumps(each.means)}\n" for each in rule.labels)  # JSON's texts are TOML's
    lines = [["picture", "kept", *table[0].shares]]
    lines += [[row.name, "yes" if row.kept else "no", *(f"{v:.4f}" for v in row.shares.values())] for row in table]
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / TOML, f"[labels]\n{meanings}".encode())
        write_whole(out / TABLE, "".join("\t".join(line) + "\n" for line in lines).encode())
        if soft_classes:
            write_names(out / SOFT, soft_classes)
    except OSError as error:
        raise SinkError(f"{out}: cannot write there ({error.strerror}); give another --out") from error


def _summary(table: Sequence[Row]) -> str:
    """Means over all pictures. Raises UsageError when there were none."""
    if not table:
        raise UsageError("the sources have no pictures; give others with --source")
    means = {name: fmean(row.shares[name] for row in table) for name in table[0].shares}
    return text_table([["mean share of pixels", ""], *([name, f"{mean:.4f}"] for name, mean in means.items())])
