"""Classes of well-known data sets: how many there are, in which order, and the colours that they are known by."""

import pytest

from streamseg.errors import ModelError
from streamseg.palettes import palette, palette_names
from streamseg.spec import ModelSpec

KNOWN = {
    "ade20k": (150, {0: ("wall", (120, 120, 120)), 6: ("road", (140, 140, 140)), 20: ("car", (0, 102, 200)),
                     136: ("traffic light", (41, 0, 255)), 149: ("flag", (92, 0, 255))}),
    "bdd100k": (19, {0: ("road", (128, 64, 128)), 10: ("sky", (70, 130, 180)), 18: ("bicycle", (119, 11, 32))}),
    "camvid": (11, {0: ("sky", (128, 128, 128)), 3: ("road", (128, 64, 128)), 10: ("bicyclist", (0, 128, 192))}),
    "camvid-32": (32, {0: ("Animal", (64, 128, 64)), 17: ("Road", (128, 64, 128)), 31: ("Wall", (64, 192, 0))}),
    "cityscapes": (19, {0: ("road", (128, 64, 128)), 7: ("traffic sign", (220, 220, 0)),
                        13: ("car", (0, 0, 142)), 18: ("bicycle", (119, 11, 32))}),
    "mapillary": (65, {0: ("Bird", (165, 42, 42)), 13: ("Road", (128, 64, 128)), 55: ("Car", (0, 0, 142)),
                       64: ("Ego Vehicle", (120, 10, 10))}),
    "mapillary-66": (66, {13: ("Road", (128, 64, 128)), 65: ("Unlabeled", (0, 0, 0))}),
    "safe": (20, {0: ("sky", (92, 195, 238)), 9: ("pedestrian", (246, 30, 3)), 19: ("bicycle", (132, 46, 77))}),
    "voc": (21, {0: ("background", (0, 0, 0)), 7: ("car", (128, 128, 128)), 15: ("person", (192, 128, 128)),
                 20: ("tv monitor", (0, 64, 128))}),
}  # fmt: skip


def test_all_palettes_are_known_here():
    """A new one gets its counts and colours into this table."""
    assert palette_names() == sorted(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_a_palette_has_its_classes_in_order(name):
    """As many as its data set, some looked at one by one."""
    count, some = KNOWN[name]
    classes = palette(name)
    assert len(classes) == count
    assert {place: classes[place] for place in some} == some


@pytest.mark.parametrize("name", KNOWN)
def test_a_palette_alone_is_a_list_of_classes(name):
    """Names that differ, colours in range: a description can be made of it."""
    spec = ModelSpec.from_toml(f'name = "m"\nheight = 64\nwidth = 64\npalette = "{name}"')
    assert [(each.name, each.color_rgb) for each in spec.classes] == list(palette(name))


@pytest.mark.parametrize("name", ["nowhere", "../palettes/voc", "", "voc.toml"])
def test_a_palette_that_does_not_exist_is_told_from_those_that_do(name):
    """And no name leads out of the folder."""
    with pytest.raises(ModelError, match="there is no palette"):
        palette(name)
