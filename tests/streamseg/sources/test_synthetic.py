"""`synthetic:` as a source of frames and of exact labels."""

from __future__ import annotations

import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.scene.weather import WEATHERS
from streamseg.sources.synthetic import SyntheticScene, SyntheticSource, parse_synthetic
from tests.waiting import PATIENCE_S

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST, VOID = *range(11), 255


@pytest.fixture(scope="module")
def scene():
    return SyntheticScene(180, 320)


def test_the_same_moment_is_the_same_bytes_in_any_order(scene):
    """Rendering keeps no state: a moment looks the same before, between and after others, and in a new scene."""
    first = [scene.render(t) for t in (0.0, 7.5, 3.25)]
    again = [scene.render(t) for t in (7.5, 0.0)]
    fresh = SyntheticScene(180, 320).render(3.25)
    for one, other in ((first[0], again[1]), (first[1], again[0]), (first[2], fresh)):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])


def test_another_process_renders_the_same_bytes(scene):
    """Nothing depends on hash seeds or on what else a process has done."""
    program = (
        "import zlib; from streamseg.sources.synthetic import SyntheticScene;"
        "image, labels = SyntheticScene(180, 320).render(2.0);"
        "print(zlib.crc32(image.tobytes()), zlib.crc32(labels.tobytes()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    image, labels = scene.render(2.0)
    assert said.stdout.split() == [str(zlib.crc32(image.tobytes())), str(zlib.crc32(labels.tobytes()))]


def test_threads_can_share_a_scene(scene):
    """Rendering from several threads at once gives what one thread gives."""
    times = [0.5 * k for k in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(SyntheticScene(180, 320).render, times))
    for time_s, (image, labels) in zip(times, together, strict=True):
        alone = scene.render(time_s)
        assert np.array_equal(image, alone[0])
        assert np.array_equal(labels, alone[1])


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 101), (360, 640), (481, 333), (200, 1601)])
def test_any_size_is_rendered(height, width):
    """Odd, tiny, tall and wide sizes give pictures and labels of exactly that size."""
    image, labels = SyntheticScene(height, width, seed=5).render(1.0)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert labels.shape == (height, width)
    assert labels.dtype == np.uint8


@pytest.mark.slow
def test_the_largest_size_is_rendered():
    """3840x2160 works, and shows road at the bottom."""
    _, labels = SyntheticScene(2160, 3840, seed=1).render(0.0)
    assert (labels[-200:] == ROAD).mean() > 0.3


@pytest.mark.slow
def test_only_known_classes_appear_and_all_of_them_do():
    """Ids are CamVid's eleven and 255, and over a few worlds every class is there."""
    seen = set()
    for seed in range(4):
        scene = SyntheticScene(180, 320, seed)
        for time_s in (0.0, 4.0, 9.0):
            seen |= set(np.unique(scene.render(time_s)[1]).tolist())
    assert seen == {*range(11), VOID}


@pytest.mark.slow
def test_classes_lie_where_a_dashcam_sees_them():
    """Sky only in the upper part, road only in the lower, and both in every world."""
    for seed in range(4):
        _, labels = SyntheticScene(180, 320, seed).render(4.0)
        assert not (labels[130:] == SKY).any()
        assert not (labels[:60] == ROAD).any()
        assert (labels == SKY).mean() > 0.02
        assert (labels[120:] == ROAD).mean() > 0.25


@pytest.mark.slow
def test_no_class_fills_the_picture_everywhere():
    """Over several worlds road, building, sky and the rest have shares as street pictures have."""
    labels = np.stack([SyntheticScene(120, 160, seed).render(5.0)[1] for seed in range(7)])
    share = np.bincount(labels.ravel(), minlength=256) / labels.size
    assert 0.15 < share[ROAD] < 0.5
    assert 0.1 < share[BUILDING] < 0.5
    assert 0.05 < share[SKY] < 0.4
    assert 0.01 < share[CAR] < 0.25
    assert share[VOID] < 0.15


def test_labels_follow_the_pixels(scene):
    """Where labels say sky the picture is brighter and bluer than where they say road, as by day."""
    image, labels = scene.render(0.0)
    sky, road = image[labels == SKY].mean(0), image[labels == ROAD].mean(0)
    assert sky.mean() > road.mean() + 30
    assert sky[0] > sky[2]
    assert np.ptp(road) < 25  # asphalt is grey


def test_label_edges_are_edges_of_the_picture(scene):
    """The picture changes more across a border of labels than elsewhere: labels are not shifted against it."""
    image, labels = SyntheticScene(360, 640, weather="overcast").render(1.0)
    change = np.abs(np.diff(image.astype(int), axis=1)).sum(2)
    border = np.diff(labels.astype(int), axis=1) != 0

    def contrast(shift: int) -> float:
        return float(change[:, 8:-8][np.roll(border, shift, axis=1)[:, 8:-8]].mean())

    assert contrast(0) > 3 * change[~border].mean()
    assert contrast(0) > 1.3 * max(contrast(-4), contrast(4))


def test_twice_the_rate_shows_the_same_places():
    """Frame 2k at 60 frames a second has the labels of frame k at 30."""
    slow, fast = SyntheticSource(120, 160), SyntheticSource(120, 160, fps=Fraction(60))
    for index in (0, 7, 100):
        assert np.array_equal(slow.labels(index), fast.labels(2 * index))


@pytest.mark.slow
def test_twice_the_size_shows_the_same_scene():
    """Labels of a picture half as large agree nearly everywhere: size changes detail, not what is there."""
    for seed in (0, 3):
        large = SyntheticScene(360, 640, seed).render(2.0)[1][::2, ::2]
        small = SyntheticScene(180, 320, seed).render(2.0)[1]
        assert (large == small).mean() > 0.93


@pytest.mark.slow
def test_seeds_are_different_worlds():
    """No two seeds look alike."""
    views = [SyntheticScene(90, 160, seed).render(0.0)[1] for seed in range(4)]
    for number, one in enumerate(views):
        for other in views[:number]:
            assert (one != other).mean() > 0.1


def test_the_scene_moves():
    """A second later much of the picture has changed."""
    scene = SyntheticScene(90, 160, weather="clear")
    assert (scene.render(0.0)[1] != scene.render(1.0)[1]).mean() > 0.03


@pytest.mark.parametrize("weather", WEATHERS)
def test_weather_changes_the_light_and_not_the_things(weather, scene):
    """Each named weather gives other pixels and exactly the same labels."""
    image, labels = SyntheticScene(180, 320, weather=weather).render(0.0)
    assert np.array_equal(labels, scene.render(0.0)[1])
    if weather != "clear":
        assert np.abs(image.astype(int) - scene.render(0.0)[0]).mean() > 5


@pytest.mark.slow
def test_night_is_dark_and_fog_is_pale():
    """Weather looks as its name says."""
    mean = {w: SyntheticScene(180, 320, weather=w).render(0.0)[0].mean() for w in ("clear", "night", "fog")}
    deviation = {w: SyntheticScene(180, 320, weather=w).render(0.0)[0].std() for w in ("clear", "fog")}
    assert mean["night"] < 0.5 * mean["clear"]
    assert deviation["fog"] < deviation["clear"]


@pytest.mark.slow
def test_the_weather_changes_with_time_when_it_has_no_name():
    """Within a few minutes of one world there is brighter and darker weather."""
    scene = SyntheticScene(64, 64, seed=2)
    means = [scene.render(40.0 * k)[0].mean() for k in range(8)]
    assert max(means) - min(means) > 25


def test_a_source_gives_the_frames_it_promises():
    """Count, size, index, pts and times are those of the stream information."""
    source = SyntheticSource(64, 96, fps=Fraction(30000, 1001), frames=3, start_s=2.0)
    frames = list(source)
    assert source.read() is None
    assert [frame.index for frame in frames] == [frame.pts for frame in frames] == [0, 1, 2]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 1001 / 30000, 2002 / 30000])
    assert all(frame.size == source.info.size == (64, 96) for frame in frames)
    assert (source.info.kind, source.info.frame_count, source.info.codec) == ("synthetic", 3, None)
    assert source.info.time_base == Fraction(1001, 30000)
    assert source.info.duration_s == pytest.approx(3 * 1001 / 30000)


def test_labels_of_a_frame_are_those_of_its_moment():
    """`labels` can be asked for any frame, and starts where the source starts."""
    source = SyntheticSource(64, 96, start_s=3.0)
    image, labels = SyntheticScene(64, 96).render(3.0 + 10 / 30)
    assert np.array_equal(source.labels(10), labels)
    frames = iter(source)
    for _ in range(10):
        next(frames)
    assert np.array_equal(next(frames).bgr(), image)


def test_an_endless_source_has_no_length():
    """frames=None promises no count and keeps going."""
    source = SyntheticSource(64, 64, frames=None)
    assert source.info.frame_count is None
    assert source.info.duration_s is None
    assert source.read() is not None


def test_a_long_drive_keeps_its_caches_bounded():
    """An hour later the road is still there, and what was made for it in between has been let go of."""
    scene = SyntheticScene(64, 64, seed=4)
    for hour in range(16):
        assert (scene.render(225.0 * hour)[1] == ROAD).mean() > 0.1
    assert scene.cached_blocks <= 64


@pytest.mark.parametrize(
    ("address", "arguments"),
    [
        ("synthetic:", {}),
        ("synthetic:1920x1080", {"width": 1920, "height": 1080}),
        ("synthetic:fps=30000/1001", {"fps": Fraction(30000, 1001)}),
        ("synthetic:frames=0,seed=7", {"frames": None, "seed": 7}),
        (
            "synthetic:640x360,fps=60,seed=3,frames=20000,weather=night",
            {"width": 640, "height": 360, "fps": Fraction(60), "seed": 3, "frames": 20000, "weather": "night"},
        ),
    ],
)
def test_an_address_says_what_to_render(address, arguments):
    """Size as WIDTHxHEIGHT, then names and values; what is left out is left to the source."""
    assert parse_synthetic(address) == arguments


def test_a_source_names_itself_by_an_address_that_makes_it_again():
    """The address in the stream information is complete."""
    source = SyntheticSource(64, 96, fps=Fraction(25), seed=9, frames=None, weather="fog")
    assert parse_synthetic(source.info.address) == {
        "width": 96, "height": 64, "fps": Fraction(25), "seed": 9, "frames": None, "weather": "fog",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("synthetic:1920", "WIDTHxHEIGHT"),
        ("synthetic:speed=3", "fps, seed, frames and weather"),
        ("synthetic:fps=0", "above 0"),
        ("synthetic:fps=1/0", "above 0"),
        ("synthetic:seed=-1", "whole number"),
        ("synthetic:frames=many", "0 for endless"),
        ("synthetic:weather=snow", "overcast"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_in_one_line(address, words):
    """The message names what is wrong and what is accepted."""
    with pytest.raises(UsageError, match=words) as error:
        parse_synthetic(address)
    assert "\n" not in str(error.value)
    assert address in str(error.value)


@pytest.mark.parametrize(
    "arguments",
    [{"height": 63}, {"width": 4000}, {"seed": -1}, {"fps": Fraction(0)}, {"frames": 0}, {"weather": "snow"}],
)
def test_arguments_that_cannot_be_are_refused_in_one_line(arguments):
    """The constructor checks what the address parser lets through."""
    with pytest.raises(UsageError) as error:
        SyntheticSource(**arguments)
    assert "\n" not in str(error.value)
