"""How good labels are that move and vote: on the exact labels of the built-in scene, in three weathers.

    python -m benchmarks.steady --frames 60 --plot docs/images/steady.png
    python -m benchmarks.steady --clips CLIP...

Prints the mean IoU of the network by itself and of what `streamseg run` makes of its labels, for files (a look ahead)
and live (the past alone), on every frame and on a part of them; how much of the picture keeps its class along the
motion, from frame to frame (`flow.TemporalConsistency`); and on what share of the frames the network ran. Exact labels
are the reference for the consistency. Of clips, nobody knows the exact labels: agreement with the network by itself on
every frame takes their place, and says how much changes, not how right it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from streamseg import Segmenter, load_backend, open_source
from streamseg.commands.quality import SETTINGS, Comparison, Quality, Setting
from streamseg.flow import TemporalConsistency, labels_at, luma_at
from streamseg.options import USUAL_STEADY
from streamseg.sources.synthetic import SyntheticSource

SCENES = (("clear", 1), ("night", 2), ("rain", 3))
"""Weather and seed: each another town."""

ALL_SETTINGS = (
    *SETTINGS,
    *(Setting(f"every {every}, repeated", every, steady=0) for every in (2, 3, 5)),
    Setting(f"every 1, steady {USUAL_STEADY}, live", steady=USUAL_STEADY, live=True),
    Setting("every 3, live", 3, live=True),
    Setting("every auto, live", chosen=True, live=True),
)

_SIZE = (360, 640)  # (height, width): more than the network sees, and drawn in a quarter of the time of 720p


def on_scene(weather: str, seed: int, frames: int, segment: Segmenter) -> tuple[dict[Setting, Quality], float]:
    """Each setting on a scene, and the consistency of its exact labels, 0..1."""
    source = SyntheticSource(*_SIZE, seed=seed, frames=frames, weather=weather)
    exact = TemporalConsistency()
    comparison = Comparison(ALL_SETTINGS, lambda frame: source.labels(frame.index))
    for frame in source:
        result = segment(frame)
        comparison.add(result)
        exact.add(luma_at(frame), labels_at(source.labels(frame.index), result.labels.shape))
    comparison.end()
    return comparison.qualities, exact.share


def on_clip(path: Path, frames: int, segment: Segmenter) -> dict[Setting, Quality]:
    """Each setting on the first frames of a clip."""
    comparison = Comparison(ALL_SETTINGS)
    with open_source(str(path), max_frames=frames) as source:
        for frame in source:
            comparison.add(segment(frame))
    comparison.end()
    return comparison.qualities


def main() -> None:
    """See the head of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=60, help="of each scene or clip; default: 60")
    parser.add_argument("--clips", type=Path, nargs="+", help="in place of the built-in scene")
    parser.add_argument("--plot", type=Path, help="a .png for mIoU over how often the network ran")
    wanted = parser.parse_args()
    segment = Segmenter(load_backend())
    if wanted.clips:
        _print(
            [each.stem[:16] for each in wanted.clips], [on_clip(each, wanted.frames, segment) for each in wanted.clips]
        )
        return
    made = [on_scene(weather, seed, wanted.frames, segment) for weather, seed in SCENES]
    exact = [share for _, share in made]
    means = _print([weather for weather, _ in SCENES], [qualities for qualities, _ in made], exact)
    if wanted.plot:
        _plot(means, wanted.plot)


def _print(
    names: Sequence[str], made: Sequence[dict[Setting, Quality]], exact: Sequence[float] = ()
) -> dict[Setting, tuple[float, float]]:
    """exact: consistency of the exact labels. Returns: of each setting the network's share and the mean IoU, 0..1."""
    print(
        f"{'mIoU (consistency) network on':<32}" + "".join(f"{name:>22}" for name in names) + f"{'mean':>9}{'gain':>8}"
    )
    if exact:
        print(f"{'exact labels':<32}" + "".join(f"{1:>9.4f} ({share:.4f})     " for share in exact))
    means: dict[Setting, tuple[float, float]] = {}
    for setting in ALL_SETTINGS:
        rows = [each[setting] for each in made]
        ious = [float(np.nanmean(row.ious)) for row in rows]
        shares = [row.runs / row.frames for row in rows]
        means[setting] = float(np.mean(shares)), float(np.mean(ious))
        cells = "".join(
            f"{iou:>9.4f} ({row.consistency.share:.4f}){share:>4.0%}"
            for iou, row, share in zip(ious, rows, shares, strict=True)
        )
        gain = 100 * (means[setting][1] - means[ALL_SETTINGS[0]][1])
        print(f"{setting.name:<32}{cells}{means[setting][1]:>9.4f}{gain:>+8.2f}", flush=True)
    return means


def _plot(means: dict[Setting, tuple[float, float]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")  # no display is needed for a file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for setting, (share, miou) in means.items():
        kind = "s" if setting.steady == 0 else "^" if setting.live else "o"
        axes.plot(100 * share, 100 * miou, kind, color={"s": "tab:gray", "^": "tab:orange", "o": "tab:blue"}[kind])
        # Beside the point, and where two lie close together one above and one below.
        right, below = share > 0.9, setting.chosen or setting.steady == 0
        axes.annotate(
            setting.name,
            (100 * share, 100 * miou),
            xytext=(-6 if right else 5, -10 if below else 5),
            textcoords="offset points",
            fontsize=7,
            ha="right" if right else "left",
        )
    axes.set(xlabel="network on % of the frames", ylabel="mean IoU, %", title="Labels that move, on the built-in scene")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
