"""Any text that a stranger hands in gives a value or an error of streamseg's own, never another exception."""

import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from streamseg.errors import StreamsegError
from streamseg.sources.synthetic import parse_synthetic
from streamseg.spec import ModelSpec
from streamseg.web_address import parse_address, parse_host

# 60 keep the whole file to seconds; STREAMSEG_FUZZ asks for more, and then for new ones in each run.
_MORE = int(os.environ.get("STREAMSEG_FUZZ", "0"))
_bounded = settings(
    max_examples=_MORE or 60,
    derandomize=not _MORE,
    database=None,  # nothing is left in the folder the tests run in
    deadline=None,  # no test passes or fails by the clock
    suppress_health_check=[HealthCheck.too_slow],
)

# More digits than Python turns into a number, and more brackets than its parsers follow.
_DIGITS, _BRACKETS = "9" * 5000, "[" * 100_000

_FIELDS = st.sampled_from(["name", "input", "output", "classes", "format_version", "size", "mean", "std", "x"])
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FIELDS | st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("read", [ModelSpec.from_json, ModelSpec.from_toml])
@_bounded
@given(text=st.text() | _PLAIN.map(json.dumps))
@example(text=_BRACKETS)
@example(text=f"x = {_BRACKETS}")
@example(text=_DIGITS)
@example(text=f"x = {_DIGITS}")
def test_any_text_as_a_description_is_read_or_refused(read: Callable[[str], Any], text: str) -> None:
    """A description is a ModelSpec or an error of streamseg's own."""
    with contextlib.suppress(StreamsegError):
        assert isinstance(read(text), ModelSpec)


@_bounded
@given(plain=_PLAIN)
def test_any_data_as_a_description_is_read_or_refused(plain: Any) -> None:
    """So is plain data, with nan, infinity and numbers of any length in it."""
    with contextlib.suppress(StreamsegError):
        assert isinstance(ModelSpec.from_dict(plain), ModelSpec)


@pytest.mark.parametrize("read", [parse_address, parse_host])
@_bounded
@given(text=st.text() | st.from_regex(r"\[?[0-9a-f:.]*\]?:?\d*"))
@example(text=f"host:{_DIGITS}")
@example(text=f"[::1%{_DIGITS}]")
def test_any_text_as_a_place_of_the_page_is_read_or_refused(read: Callable[[str], Any], text: str) -> None:
    """A place or host is read or refused."""
    with contextlib.suppress(StreamsegError):
        read(text)


@_bounded
@given(text=st.text() | st.from_regex(r"(\d+x\d+)?,(fps|seed|frames|weather)=[\d/.e-]*"))
@example(text=f"{_DIGITS}x48")
@example(text=f"seed={_DIGITS}")
@example(text=f"fps={_DIGITS}")
@example(text="fps=1/0")
def test_any_text_as_a_size_or_rate_of_a_synthetic_source_is_read_or_refused(text: str) -> None:
    """The sizes, rates and counts in the address of a synthetic source are read or refused."""
    with contextlib.suppress(StreamsegError):
        parse_synthetic(f"synthetic:{text}")
