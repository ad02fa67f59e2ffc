"""A sink of one's own: says when the road is covered for long, as behind another car.

python examples/own_sink.py my_clip.mp4
"""

import sys

from streamseg import Pipeline, Segmentation, Segmenter, Sink, load_backend, open_source


class LittleRoad(Sink):
    """Prints from when to when the road covers less than `least` of the picture.

    The pipeline calls `write` with each result, on one thread and in order, and `close` once at the end.
    """

    stage = "watch the road"  # its name in the report's times

    def __init__(self, least: float = 0.1) -> None:
        """least: share of the picture, 0 to 1."""
        self._least = least
        self._since_s: float | None = None
        self.found = 0

    def write(self, segmentation: Segmentation) -> None:
        """Look at one result. Returning False would end the run, as a closed window does."""
        time_s = segmentation.frame.time_s
        little = segmentation.mask("road", segmentation.labels.shape).mean() < self._least
        if little and self._since_s is None:
            self._since_s = time_s
        elif not little and self._since_s is not None:
            self._say(time_s)

    def close(self, outcome: str) -> None:
        """outcome: "complete", "cut" or "failed"."""
        if self._since_s is not None:
            print(f"little road from {self._since_s:.2f} s to the end, which was {outcome}")

    def _say(self, until_s: float) -> None:
        print(f"little road from {self._since_s:.2f} s to {until_s:.2f} s")
        self._since_s = None
        self.found += 1


def main(address: str) -> None:
    """Run over all frames; several sinks may stand in one list."""
    report = Pipeline(open_source(address), Segmenter(load_backend()), [LittleRoad()]).run()
    print(report.frames_out, "frames looked at,", f"{report.stages['watch the road']['mean']:.3f} ms each")


if __name__ == "__main__":
    main(sys.argv[1])
