"""`streamseg describe`: a description drafted for a model that has none."""

from __future__ import annotations

from streamseg.backends import find_model
from streamseg.commands.saying import say


def describe_command(model: str) -> int:
    """Print the TOML to put beside a model. Raises ModelError when it is no segmentation network, or cannot be read."""
    from streamseg.backends.draft import draft

    say(draft(find_model(model)).rstrip("\n"))
    return 0
