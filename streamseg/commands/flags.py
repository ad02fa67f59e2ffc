"""Between the command line and the library: its flags become options, and options become flags again in messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import click

from streamseg.options import ModelOptions, OutputOptions, SourceOptions

Options = TypeVar("Options", SourceOptions, ModelOptions, OutputOptions)

# What a part of the library calls a value that the command line passes on under another name.
_OTHER_NAMES = {"length_s": "segment_s", "address": "serve", "allowed_hosts": "allow_host", "selected": "classes"}
_PARAMETER = re.compile(r"`(\w+)(?:=([^`]+))?`")


def source_options(values: Mapping[str, Any]) -> SourceOptions:
    """Those among the values of a command, by name."""
    # --threads are those of the network; the decoder chooses for itself.
    return _taken(SourceOptions, {name: value for name, value in values.items() if name != "threads"})


def model_options(values: Mapping[str, Any]) -> ModelOptions:
    """Those among the values of a command, by name."""
    return _taken(ModelOptions, values)


def output_options(values: Mapping[str, Any]) -> OutputOptions:
    """Those among the values of a command, by name."""
    return _taken(OutputOptions, values)


def _taken(kind: type[Options], values: Mapping[str, Any]) -> Options:
    return kind(**{each.name: values[each.name] for each in fields(kind) if each.name in values})


def in_flags(message: str, group: click.Group) -> str:
    """A message of the library as somebody at the command line understands it.

    Parameters, which it names in backticks, become the flags of the group's commands: `start_s` is --start,
    `overwrite=True` is --overwrite, `reconnect=False` is --no-reconnect, `encoder="x264"` is --encoder x264. Whatever
    else is in backticks stays, such as commands to run.
    """
    flags = {
        parameter.name: parameter
        for command in group.commands.values()
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name
    }

    def flag(found: re.Match[str]) -> str:
        name, value = found.groups()
        option = flags.get(_OTHER_NAMES.get(name, name))
        if option is None:
            return found[0]
        if value == "False" and option.secondary_opts:
            return option.secondary_opts[-1]
        longest = max(option.opts, key=len)
        return longest if value is None or option.is_flag else f"{longest} {value.strip(chr(34))}"

    return _PARAMETER.sub(flag, message)
