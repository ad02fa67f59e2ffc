"""Made clips are what they say."""

import av
import pytest

from benchmarks.clips import made_clip, repeated_clip


def test_a_made_clip_has_the_frames_and_the_sound_it_was_asked_for(tmp_path):
    """H.264 at 30 fps from time 0, AAC of the same length, and made once."""
    path = made_clip("128x96", 0.5, tmp_path)
    with av.open(str(path)) as clip:
        video, audio = clip.streams.video[0], clip.streams.audio[0]
        times = [float(frame.pts * video.time_base) for frame in clip.decode(video)]
        assert (video.width, video.height, video.codec_context.name) == (128, 96, "h264")
        assert audio.codec_context.name == "aac"
        assert abs(float(audio.duration * audio.time_base) - 0.5) < 0.05
    assert [round(30 * time) for time in times] == list(range(15))
    before = path.stat().st_mtime_ns
    assert made_clip("128x96", 0.5, tmp_path) == path
    assert path.stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_repeated_clip_has_as_many_frames_as_asked_for_at_an_even_pace(tmp_path):
    """Also where the last turn is cut short."""
    path = repeated_clip(40, "128x96", 0.5, tmp_path)
    with av.open(str(path)) as clip:
        video = clip.streams.video[0]
        assert [round(30 * frame.pts * video.time_base) for frame in clip.decode(video)] == list(range(40))
