"""`streamseg info` says what a model file says."""

import json

from streamseg.spec import ModelSpec


def test_the_bundled_model_is_described_by_default(streamseg):
    """Eleven CamVid classes and the own car, an input size, a licence, in words and in JSON."""
    done = streamseg("info", "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    names = [each["name"] for each in facts["classes"]]
    camvid = "sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, bicyclist"
    assert ", ".join(names) == f"{camvid}, ego vehicle"
    assert [each["id"] for each in facts["classes"]] == list(range(12))
    assert all(len(each["color"]) == 3 for each in facts["classes"])
    assert facts["height"] > 0
    assert facts["width"] > 0
    assert "non-commercial" in facts["licence"]
    assert facts["bytes"] <= 8_000_000
    assert facts["sizes"] == ["672x384", "512x288", "320x192"]
    text = streamseg("info").out
    assert facts["name"] in text
    assert "bicyclist" in text
    assert "sizes       672x384, 512x288, 320x192\n" in text


def test_the_json_of_a_model_reads_back_as_its_description(streamseg, model):
    """Beside the file's name and size it is exactly the ModelSpec."""
    facts = json.loads(streamseg("info", model, "--json").out)
    assert facts.pop("file") == str(model)
    assert facts.pop("bytes") == model.stat().st_size
    assert ModelSpec.from_dict(facts).name == "threshold"


def test_a_file_that_is_no_model_is_one_line(streamseg, clip):
    """Exit code 4."""
    done = streamseg("info", clip)
    assert done.code == 4
    assert done.err.count("\n") == 1
