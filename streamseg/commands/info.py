"""`streamseg info`: what a model file says of itself."""

from __future__ import annotations

import json

import click

from streamseg.backends import DEFAULT_MODEL, find_model
from streamseg.spec import ModelSpec


def info_command(model: str | None, *, as_json: bool) -> int:
    """Print the description of a model. Raises ModelError when there is none, or when it contradicts the graph."""
    from streamseg.backends.tensors import check_graph, read_spec

    path = find_model(model or DEFAULT_MODEL)
    spec = read_spec(path)
    check_graph(path, spec)  # a description that no run would accept is not shown as if it were one
    if as_json:
        click.echo(json.dumps({"file": str(path), "bytes": path.stat().st_size} | spec.to_dict(), indent=2))
    else:
        click.echo("\n".join(_lines(spec)))
        click.echo(f"file        {path} ({path.stat().st_size / 1e6:.1f} MB)")
    for doubt in spec.doubts:
        click.echo(f"note: {doubt}", err=True)
    return 0


def _lines(spec: ModelSpec) -> list[str]:
    clahe = f"clip limit {spec.clahe.clip_limit:g}, tiles {spec.clahe.tiles}" if spec.clahe else "none"
    lines = [
        f"name        {spec.name}",
        f"input       {spec.width}x{spec.height} {spec.channel_order.upper()}, resize {spec.resize}",
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
