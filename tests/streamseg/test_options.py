"""What a run is asked for is checked once, where it is made, and named for whoever reads the message."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields

import click
import pytest

from streamseg.cli import command_line
from streamseg.commands import flags
from streamseg.errors import UsageError
from streamseg.options import ModelOptions, OutputOptions, SourceOptions


@pytest.mark.parametrize("kind", [SourceOptions, ModelOptions, OutputOptions])
def test_what_is_not_given_has_a_value_that_is_right_for_every_run(kind):
    """And none can be changed on the way from one room to the next."""
    options = kind()
    with pytest.raises(FrozenInstanceError):
        setattr(options, fields(kind)[0].name, "other")


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        (SourceOptions, {"reader": "ffmpeg"}, "`reader` must be one of pyav, opencv, got 'ffmpeg'"),
        (SourceOptions, {"decoder": "qsv"}, "`decoder` must be one of cpu, auto, cuda, vaapi, videotoolbox, got 'qsv'"),
        (SourceOptions, {"decoder": "cuda", "reader": "opencv"}, "`decoder` is for video files read by PyAV"),
        (SourceOptions, {"start_s": -1}, "`start_s` must be 0 or more seconds, got -1"),
        (SourceOptions, {"start_s": math.nan}, "`start_s` must be 0 or more seconds, got nan"),
        (SourceOptions, {"start_s": "1:30"}, "`start_s` must be 0 or more seconds, got '1:30'"),
        (SourceOptions, {"duration_s": 0}, "`duration_s` must be more than 0 seconds, got 0"),
        (SourceOptions, {"max_frames": 0}, "`max_frames` must be a whole number, 1 or more, got 0"),
        (SourceOptions, {"max_frames": 2.5}, "`max_frames` must be a whole number, 1 or more, got 2.5"),
        (SourceOptions, {"threads": True}, "`threads` must be a whole number, from 1 to 1024, got True"),
        (SourceOptions, {"fps": 0}, "`fps` must be more than 0 frames a second, got 0"),
        (SourceOptions, {"camera_size": "1280x720"}, "`camera_size` must be two whole numbers from 1 on"),
        (SourceOptions, {"camera_size": (0, 720)}, "`camera_size` must be two whole numbers from 1 on"),
        (SourceOptions, {"camera_fps": -30}, "`camera_fps` must be more than 0 frames a second, got -30"),
        (SourceOptions, {"reconnect": "no"}, "`reconnect` must be True or False, got 'no'"),
        (SourceOptions, {"open_timeout_s": math.inf}, "`open_timeout_s` must be more than 0 seconds, got inf"),
        (ModelOptions, {"clahe": True}, "`clahe` must be one of on, off, auto, got True"),
        (ModelOptions, {"threads": 0}, "`threads` must be a whole number, from 1 to 1024, got 0"),
        (ModelOptions, {"steady": 31}, "`steady` must be a whole number, from 0 to 30, got 31"),
        (ModelOptions, {"target_fps": 0}, "`target_fps` must be more than 0 frames a second, got 0"),
        (ModelOptions, {"target_fps": 30, "every": 2}, "`target_fps` finds out on which frames the network runs"),
        (OutputOptions, {"segment_s": 0}, "`segment_s` must be more than 0 seconds, got 0"),
        (OutputOptions, {"alpha": 2}, "`alpha` must be from 0 (invisible) to 1 (opaque), got 2"),
        (OutputOptions, {"encoder": "qsv"}, "`encoder` must be one of auto, x264, nvenc, videotoolbox, vaapi"),
        (OutputOptions, {"view": "split"}, "`view` must be one of overlay, mask, side, wipe"),
        (OutputOptions, {"overwrite": 1}, "`overwrite` must be True or False, got 1"),
        (OutputOptions, {"classes": "road,car"}, "`classes` must be names in a tuple or list, got 'road,car'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line_that_names_the_parameter(kind, values, said):
    """With what was expected and what came."""
    with pytest.raises(UsageError) as caught:
        kind(**values)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_every_option_of_run_has_its_room():
    """None is passed by: each flag is a field of one of the three, and each field has a flag."""
    named = {
        each.name for each in command_line.commands["run"].params if isinstance(each, click.Option) and not each.hidden
    }
    known = [each.name for kind in (SourceOptions, ModelOptions, OutputOptions) for each in fields(kind)]
    assert named == {*known, "source_file"}, "words out of a file are words"
    assert sorted(known).count("threads") == 2, "of the decoder, which no flag sets, and of the network"


def test_the_three_are_made_of_the_values_of_the_command_by_name():
    """Minutes have become seconds by then, and names a tuple."""
    arguments = "clip.mp4 -o out.mkv --start 1:30 --segment 10 --classes road,,car --threads 3 --no-reconnect --every 2"
    context = command_line.commands["run"].make_context("run", arguments.split())
    values = context.params
    assert flags.source_options(values) == SourceOptions(start_s=90.0, reconnect=False)
    assert flags.model_options(values) == ModelOptions(threads=3, every=2)
    assert flags.output_options(values) == OutputOptions(output="out.mkv", segment_s=600.0, classes=("road", "car"))


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ("`start_s` must be 0 or more seconds, got -1", "--start must be 0 or more seconds, got -1"),
        ("choose another name or add `overwrite=True`", "choose another name or add --overwrite"),
        ('use `encoder="x264"`', "use --encoder x264"),
        ("leave out `reconnect=False`", "leave out --no-reconnect"),
        ("`length_s` must be more than 0", "--segment must be more than 0"),
        ("choose another with `address`", "choose another with --serve"),
        ("see `streamseg doctor`, or `streamseg info`", "see `streamseg doctor`, or `streamseg info`"),
        ("there is no file 'open_timeout_s'", "there is no file 'open_timeout_s'"),
        ("`unknown` is none", "`unknown` is none"),
    ],
)
def test_messages_of_the_library_name_flags_at_the_command_line(message, read):
    """Only what is in backticks and has a flag; commands and names of files stay as they are."""
    assert flags.in_flags(message, command_line) == read


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("run {clip} null: --decoder cuda --reader opencv", 2, "streamseg: --decoder is for video files read by PyAV"),
        ("run {clip} null: --target-fps 30 --every 2", 2, "streamseg: --target-fps finds out on which frames"),
        ("run {clip} null: --allow-host cam", 2, "streamseg: --allow-host is for the page in a browser; add --serve"),
        ("run {clip} null: --segment 1", 2, "streamseg: --segment cuts a recording into segments"),
        ("run {clip} out.png", 5, "streamseg: cannot write 'out.png'"),
        ("run {clip} {clip}.mkv --overwrite --encoder nvenc --segment 1", 2, "streamseg: segments are for live"),
    ],
)
def test_a_refusal_at_the_command_line_speaks_of_flags_and_has_its_exit_code(
    streamseg, clip, model, arguments, code, said
):
    """As before the library had names of its own."""
    done = streamseg(*arguments.format(clip=clip).split(), "--model", model, "--device", "cpu")
    assert done.code == code, done.err
    assert done.err.startswith(said)
    assert "`" not in done.err
