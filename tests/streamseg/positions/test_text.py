"""Positions are found in what cameras write under their pictures, and nowhere else."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from streamseg.positions import Position
from streamseg.positions.text import position_in

RMC = "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A"
GGA = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"


@pytest.mark.parametrize(
    ("text", "latitude", "longitude", "speed_kmh", "altitude_m"),
    [
        ("GPS 48.1,11.5 50 km/h", 48.1, 11.5, 50, None),
        ("[latitude: 48.137154] [longitude: -11.5] [rel_alt: 1.2 abs_alt: 515.3]", 48.137154, -11.5, None, 515.3),
        ("[latitude : 48.1] [longtitude : 11.5] [altitude: 20.0]", 48.1, 11.5, None, 20),
        ("F/3.5, SS 1000, GPS (8.6499, 53.1665, 18), D 24.26m, H.S 2.10m/s, V.S 0.5m/s", 53.1665, 8.6499, 7.56, None),
        ("GPS(-0.0893,51.5,16) BAROMETER:1.9", 51.5, -0.0893, None, None),
        ("2026/03/01 10:11:12 N:48.137154 E:11.576124 50.5 km/h x:0.1", 48.137154, 11.576124, 50.5, None),
        ("S 33.8688 W 151.2093 30 mph", -33.8688, -151.2093, 48.28032, None),
        ("48.1371° N, 11.5761° E", 48.1371, 11.5761, None, None),
        ("Lat: -33.8 Lon: 151.2 40 knots", -33.8, 151.2, 74.08, None),
        ("latitude=33.8S, longitude=151.2E", -33.8, 151.2, None, None),
        ("cam1 2024-01-02 03:04:05 48.137154, 11.576124", 48.137154, 11.576124, None, None),
        (RMC, 48.1173, 11.516667, 41.4848, None),
        (f"{RMC}\r\n{GGA}", 48.1173, 11.516667, 41.4848, 545.4),
        (f"[1590000000000]{GGA}", 48.1173, 11.516667, None, 545.4),
        (RMC.partition("*")[0], 48.1173, 11.516667, 41.4848, None),
    ],
)
def test_usual_wordings_are_read(text: str, latitude: float, longitude: float, speed_kmh: float, altitude_m) -> None:
    """Degrees with the right sign, speed in km/h, height above the sea."""
    found = position_in(text, 1.5)
    assert found is not None
    assert (found.time_s, found.altitude_m) == (1.5, altitude_m)
    assert found.latitude == pytest.approx(latitude, abs=1e-6)
    assert found.longitude == pytest.approx(longitude, abs=1e-6)
    assert found.speed_kmh == (speed_kmh if speed_kmh is None else pytest.approx(speed_kmh))


def test_satellites_tell_the_time_of_day() -> None:
    """With the date, as RMC has it and GGA has not."""
    assert position_in(RMC, 0).utc == datetime(1994, 3, 23, 12, 35, 19, tzinfo=UTC)
    assert position_in(GGA, 0).utc is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Turn left in 200 m",
        "12:30 5 N 7 E",
        "GPS 12 30",
        "GPS 0.0,0.0",
        "Lat: 95.0 Lon: 11.0",
        RMC.replace(",A,", ",V,").replace("*6A", "*7D"),  # the receiver sees no satellites
        RMC.replace("4807", "4808"),  # garbled: the checksum is another
        "$GPRMC,,,,,,*",
    ],
)
def test_what_is_no_place_gives_none(text: str) -> None:
    """Words, courses, numbers of satellites, receivers without a fix, and sentences that were garbled."""
    assert position_in(text, 0) is None


def test_garbled_sentences_raise_nothing() -> None:
    """Whatever comes out of a camera."""
    chance = random.Random(1)
    for _ in range(300):
        letters = list(RMC)
        for _ in range(chance.randint(1, 6)):
            letters[chance.randrange(1, len(letters))] = chance.choice(",.0123456789ANSEWV-x$*")
        assert isinstance(position_in("".join(letters), 0), Position | None)
