"""`streamseg describe`: a description drafted for a model that has none."""

from __future__ import annotations

import click

from streamseg.backends import find_model


def describe_command(model: str) -> int:
    """Print the TOML to put beside a model. Raises ModelError when it is no segmentation network, or cannot be read."""
    from streamseg.backends.draft import draft

    click.echo(draft(find_model(model)), nl=False)
    return 0
