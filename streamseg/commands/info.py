"""`streamseg info`: what a model file says of itself, or which tracks a recording has."""

from __future__ import annotations

import json
from pathlib import Path

import click

from streamseg.backends import DEFAULT_MODEL, find_model
from streamseg.backends.model_file import MODEL_ENDS
from streamseg.backends.sizes import offered_sizes
from streamseg.commands.saying import say
from streamseg.errors import ModelError
from streamseg.sources.suffixes import VIDEOS
from streamseg.spec import ModelSpec


def info_command(model: str | None, *, as_json: bool) -> int:
    """Print the description of a model, or the tracks of a recording. Returns: the exit code.

    Raises:
        ModelError: there is no such model, or its description contradicts the graph.
        SourceError: a recording that cannot be read.
    """
    if model is not None and _is_recording(model):
        return _print_tracks(model, as_json=as_json)
    from streamseg.backends.tensors import check_graph, read_spec

    path = find_model(model or DEFAULT_MODEL)
    spec = read_spec(path)
    check_graph(path, spec)  # a description that no run would accept is not shown as if it were one
    sizes = _sizes(path, spec)
    if as_json:
        facts = {"file": str(path), "bytes": path.stat().st_size} | spec.to_dict() | {"sizes": sizes}
        click.echo(json.dumps(facts, indent=2))
    else:
        click.echo("\n".join(_lines(spec, sizes)))
        say(f"file        {path} ({path.stat().st_size / 1e6:.1f} MB)")
    for doubt in spec.doubts:
        say(f"note: {doubt}", err=True)
    return 0


def _is_recording(word: str) -> bool:
    """Whether it names a file that does not end as models do, or ends as recordings do and is not there."""
    path = Path(word)
    return path.suffix.lower() in VIDEOS or (path.suffix.lower() not in MODEL_ENDS and path.is_file())


def _print_tracks(address: str, *, as_json: bool) -> int:
    from streamseg.sources.contents import listed_tracks

    tracks = listed_tracks(address)
    if as_json:
        click.echo(json.dumps({"file": address, "tracks": [track.to_dict() for track in tracks]}, indent=2))
    else:
        say("\n".join(track.line() for track in tracks))
    return 0


def _sizes(path: Path, spec: ModelSpec) -> list[str]:
    """What `--size` takes for the model, its own included, as WIDTHxHEIGHT."""
    try:
        sizes = list(offered_sizes(path))
    except ModelError:  # of another file beside this one, which a run at the model's own size never looks at
        sizes = [(spec.height, spec.width), *spec.sizes]
    return [f"{width}x{height}" for height, width in sizes]


def _lines(spec: ModelSpec, sizes: list[str]) -> list[str]:
    clahe = f"clip limit {spec.clahe.clip_limit:g}, tiles {spec.clahe.tiles}" if spec.clahe else "none"
    lines = [
        f"name        {spec.name}",
        f"input       {spec.width}x{spec.height} {spec.channel_order.upper()}, resize {spec.resize}",
        f"sizes       {', '.join(sizes)}",
        f"clahe       {clahe}",
        f"licence     {spec.licence or 'not said'}",
    ]
    lines += [f"output      {head.output_name}: {', '.join(filter(None, head.classes))}" for head in spec.heads]
    lines += [f"{key:<11} {_short(value)}" for key, value in spec.training.items()]
    lines.append("classes")
    for each in spec.classes:
        red, green, blue = each.color_rgb
        swatch = click.style("  ", bg=each.color_rgb)
        lines.append(f"  {each.id:>3}  {swatch} {each.name:<16} #{red:02x}{green:02x}{blue:02x}")
    return lines


def _short(value: object) -> str:
    """Nested facts on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_short(inner) for inner in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
