"""`python -m train folder`: what labelling tools write is read, and what no training should begin with is refused."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from streamseg.errors import UsageError
from streamseg.palettes import palette
from train.classes import CAMVID_CLASSES
from train.commands.folder import prepared, told
from train.datasets import open_dataset
from train.own_pictures import Counts, Meaning, check, found, meaning, split

SIZE = (40, 60)
ROWS = np.repeat([0, 1, 2, 255], 10)[:, None].repeat(SIZE[1], 1).astype(np.uint8)
"""Road, pavement, tree and void, ten rows each."""
COLORS = {0: (255, 0, 0), 1: (0, 255, 0), 2: (0, 0, 255), 255: (0, 0, 0)}
TOML = "[classes]\nroad = [1, 2, 3]\npavement = []\ntree = []\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Three pictures, and a folder for masks."""
    for name in ("pictures", "masks"):
        (tmp_path / name).mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / "pictures" / f"p{number}.jpg"), np.full((*SIZE, 3), 90, np.uint8))
    (tmp_path / "classes.toml").write_text(TOML)
    return tmp_path


def painted(rows: np.ndarray) -> np.ndarray:
    """In red, green, blue."""
    return np.array([COLORS[int(value)] for value in rows[:, 0]], np.uint8)[:, None].repeat(SIZE[1], 1)


def wrote(mine: Path, how: str) -> Path | None:
    """Masks of all pictures in one of the forms. Returns: the file of classes; None where there is none."""
    colors = '[labels]\n"#ff0000" = "road"\n"00ff00" = "pavement"\n"#0000ff" = "tree"\n"#000000" = []\n'
    for number in range(3):
        path = mine / "masks" / f"p{number}.png"
        if how in ("colours", "labelmap"):
            Image.fromarray(painted(ROWS)).save(path)
        elif how == "palette":
            picture = Image.frombytes("P", SIZE[::-1], ROWS.tobytes())
            picture.putpalette([each for value in range(256) for each in COLORS.get(value, (9, 9, 9))])
            picture.save(path)
        elif how == "labelme":
            shapes = [
                {"label": name, "shape_type": "polygon", "points": box(top)}
                for name, top in (("road", 0), ("pavement", 10), ("tree", 20))
            ]
            path.with_suffix(".json").write_text(json.dumps({"shapes": shapes}))
        elif how == "numbers":
            cv2.imwrite(str(path), ROWS)
    if how == "labelmap":
        lines = ["# label:color_rgb:parts:actions", "background:0,0,0::", "road:255,0,0::", "pavement:0,255,0::"]
        (mine / "masks" / "labelmap.txt").write_text("\n".join([*lines, "tree:0,0,255::"]))
    if how == "coco":
        (mine / "coco.json").write_text(json.dumps(coco()))
    if how == "colours":
        (mine / "classes.toml").write_text(TOML + colors)
    return None if how in ("labelme", "coco", "labelmap") else mine / "classes.toml"


def box(top: int) -> list[list[float]]:
    """Ten rows from `top` on, as a closed line through their pixels."""
    return [[0, top], [SIZE[1] - 1, top], [SIZE[1] - 1, top + 9], [0, top + 9]]


def coco() -> dict[str, object]:
    """The same, as COCO has it."""
    categories = [{"id": 7 + place, "name": name} for place, name in enumerate(("road", "pavement", "tree"))]
    return {
        "categories": categories,
        "images": [{"id": number, "file_name": f"p{number}.jpg"} for number in range(3)],
        "annotations": [
            {"image_id": number, "category_id": each["id"], "segmentation": [np.ravel(box(10 * place)).tolist()]}
            for number in range(3)
            for place, each in enumerate(categories)
        ],
    }


def read(mine: Path, classes: Path | None, labels: Path) -> tuple[Counts, Meaning]:
    """As the command does."""
    samples = found(mine / "pictures", labels)
    what = meaning(classes, labels, samples)
    return prepared(samples, what, mine / "data"), what


@pytest.mark.parametrize("how", ["numbers", "palette", "colours", "labelmap", "labelme", "coco"])
def test_what_labelling_tools_write_becomes_the_same_labels(mine, how):
    """Pixel by pixel; and the folder that is made is the data set "folder"."""
    classes = wrote(mine, how)
    counts, what = read(mine, classes, mine / "coco.json" if how == "coco" else mine / "masks")
    check(counts, what, 0.5)
    assert [each.name for each in what.classes] == ["road", "pavement", "tree"]
    assert what.classes[0].color_rgb == ((1, 2, 3) if classes else dict(palette("safe"))["road"])
    data = open_dataset("folder", mine / "data", what.classes)
    assert data.names == ["p0", "p1", "p2"]
    picture, labels = data.load(1)
    assert np.array_equal(labels, ROWS)
    assert picture.shape == (*SIZE, 3)
    assert "road       25.0%" in told(counts, what, (["p0", "p1"], ["p2"]))


def binary(mine: Path, bits: int) -> None:
    """A third of each mask is 255, or 1 where it has one bit."""
    for number in range(3):
        mask = np.where(ROWS == 1, 255, 0).astype(np.uint8)
        picture = Image.fromarray(mask)
        (picture.convert("1") if bits == 1 else picture).save(mine / "masks" / f"p{number}.png")


@pytest.mark.parametrize("bits", [1, 8])
def test_black_and_white_masks_are_refused_until_white_means_a_class(mine, bits):
    """Before, white was void, and a mean IoU of 1.0 came of black alone. Class, value, share and file are named."""
    binary(mine, bits)
    (mine / "classes.toml").write_text("[classes]\nrest = []\nroad = []\n")
    counts, what = read(mine, mine / "classes.toml", mine / "masks")
    with pytest.raises(UsageError) as raised:
        check(counts, what, 0.5)
    assert str(raised.value) == (
        f"{mine / 'classes.toml'}: no mask contains the class 'road' (value 1): rest 75.0%, road 0.0%, void 25.0%; "
        '255 is void: if it means a class, write 255 = "road" below [labels]. Take the class out, or label some of it'
    )
    (mine / "classes.toml").write_text('[classes]\nrest = []\nroad = []\n[labels]\n0 = "rest"\n255 = "road"\n')
    counts, what = read(mine, mine / "classes.toml", mine / "masks")
    check(counts, what, 0.5)
    assert (counts.pixels[1], counts.pixels[255]) == (3 * 600, 0)


def test_masks_that_nothing_explains_are_answered_with_what_is_in_them(mine):
    """Values as they would be written into the file of classes."""
    binary(mine, 8)
    with pytest.raises(UsageError, match=r"what the 2 values in the masks mean \(0, 255\); .*\(0 = ...; 255 = ...\)"):
        read(mine, None, mine / "masks")


def test_a_value_that_is_no_class_is_named_with_its_file(mine):
    """And how much of the mask it is."""
    wrote(mine, "numbers")
    cv2.imwrite(str(mine / "masks" / "p1.png"), np.where(ROWS == 2, 7, ROWS))
    with pytest.raises(
        UsageError, match=r"p1\.png: the value 7, 25\.0% of it, is no class; .*classes\.toml knows 0, 1"
    ):
        read(mine, mine / "classes.toml", mine / "masks")


def test_too_much_void_is_refused(mine):
    """With each class's share and a file; somebody who knows may allow more."""
    wrote(mine, "numbers")
    counts, what = read(mine, mine / "classes.toml", mine / "masks")
    with pytest.raises(UsageError, match=r"25% of all pixels are void, such as in 'p0', more than 20%: road 25\.0%, "):
        check(counts, what, 0.2)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda mine: cv2.imwrite(str(mine / "masks/p1.png"), ROWS[:20]), "the mask is 60x20, its picture 60x40"),
        (lambda mine: (mine / "pictures/p1.jpg").unlink(), "there is no picture 'p1' in"),
        (lambda mine: (mine / "masks/p1.png").write_text("no"), "not a readable mask"),
        (lambda mine: cv2.imwrite(str(mine / "masks/p1.png"), ROWS.astype(np.uint16)), "16 bits for each pixel"),
        (
            lambda mine: (mine / "classes.toml").write_text(TOML + "[labels]\n999 = []"),
            "stand numbers 0..255 or colours",
        ),
        (
            lambda mine: (mine / "classes.toml").write_text(TOML + "[labels]\n0 = 'sea'"),
            "which is none of \\[classes\\]",
        ),
    ],
)
def test_what_cannot_be_labels_is_refused_in_one_line(mine, spoil, said):
    """With the file's name."""
    wrote(mine, "numbers")
    spoil(mine)
    with pytest.raises(UsageError, match=said) as raised:
        read(mine, mine / "classes.toml", mine / "masks")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_learned_and_scored_where_two_pictures_have_it(seed):
    """Whatever the seed; what one picture alone has is learned."""
    names, counts = [f"p{number}" for number in range(20)], Counts()
    for number, name in enumerate(names):
        rare = 1 if number in (3, 17) else 2 if number == 5 else 0
        counts.add(name, np.array([[0, rare]], np.uint8))
    what = Meaning(CAMVID_CLASSES[:3], {}, Path("x"))
    learned, scored = split(counts, names, what, 0.2, seed)
    assert sorted([*learned, *scored]) == sorted(names)
    assert len({"p3", "p17"} & set(learned)) == 1
    assert "p5" in learned
    assert 3 <= len(scored) <= 5
