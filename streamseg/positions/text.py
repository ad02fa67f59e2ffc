"""Positions in text, as cameras and drones write it under their pictures.

| wording                                                        | who writes it                                  |
|----------------------------------------------------------------|------------------------------------------------|
| $GPRMC,...*6A and $GPGGA,...*47, of any receiver               | NMEA 0183: Thinkware, BlackVue, Garmin, Nextbase |
| [latitude: 48.1] [longitude: 11.5] ... [abs_alt: 515.3]        | DJI; "longtitude" in older ones                |
| GPS (11.5, 48.1, 16), ... H.S 2.10m/s                          | older DJI: longitude first                     |
| N:48.1371 E:11.5761, 48.1371N 11.5761E                         | many dashcams                                  |
| Lat: 48.1 Lon: 11.5, latitude=48.1, longitude=11.5             | the same                                       |
| GPS 48.1,11.5; 48.137154, 11.576124                            | the same: latitude first                       |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from streamseg.positions import Position

_NMEA = re.compile(r"\$[A-Z]{2}(?:RMC|GGA),[^$*\r\n\0]*(?:\*[0-9A-Fa-f]{2})?")
_NUMBER = r"([-+]?\d{1,3}(?:\.\d+)?)"
_DECIMAL = r"([-+]?\d{1,3}\.\d+)"  # whole numbers beside a letter are a course, or how many satellites there are
_EXACT = r"([-+]?\d{1,3}\.\d{4,})"  # with so many digits, two numbers alone are a place: 0.0001 degrees are 11 m
_GAP = r"[\s,;/|\]\[]*"
_NAMED = re.compile(
    rf"\blat(?:itude)?\s*[:=]?\s*{_NUMBER}\s*([NS]?)°?{_GAP}(?:lon(?:g(?:t?itude)?)?|lng)\s*[:=]?\s*{_NUMBER}\s*([EW]?)",
    re.IGNORECASE,
)
_LONGITUDE_FIRST = re.compile(rf"\bGPS\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}", re.IGNORECASE)
_LETTER_FIRST = re.compile(rf"\b([NS])\s*[:=]?\s*{_DECIMAL}°?{_GAP}([EW])\s*[:=]?\s*{_DECIMAL}")
_LETTER_LAST = re.compile(rf"{_DECIMAL}\s*°?\s*([NS])\b{_GAP}{_DECIMAL}\s*°?\s*([EW])\b")
_PLAIN = re.compile(rf"\bGPS\s*[:=]?\s*{_DECIMAL}\s*[,;\s]\s*{_DECIMAL}", re.IGNORECASE)
_ALONE = re.compile(rf"(?<![\d.]){_EXACT}\s*[,;\s]\s*{_EXACT}(?![\d.])")
_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*(km/?h|kph|mph|mi/h|knots|kn|kt|m/s)\b", re.IGNORECASE)
_ALTITUDE = re.compile(r"\b(?:abs_alt|alt(?:itude)?)\s*[:=]?\s*([-+]?\d+(?:\.\d+)?)", re.IGNORECASE)
_KNOT_KMH = 1.852  # by definition
_TO_KMH = {"mph": 1.609344, "mi/h": 1.609344, "knots": _KNOT_KMH, "kn": _KNOT_KMH, "kt": _KNOT_KMH, "m/s": 3.6}


def position_in(text: str, time_s: float) -> Position | None:
    """The position that a text names; None where it names none that can be.

    time_s: when the text is shown, on the recording's clock.
    """
    place = _by_sentences(text, time_s) or _by_wording(text, time_s)
    return place if place is not None and place.possible else None


def _by_wording(text: str, time_s: float) -> Position | None:
    found = _degrees(text)
    if found is None:
        return None
    altitude = _ALTITUDE.search(text)
    return Position(time_s, *found, altitude_m=float(altitude[1]) if altitude else None, speed_kmh=_speed(text))


def _degrees(text: str) -> tuple[float, float] | None:
    """Latitude and longitude. What says most of itself is looked for first."""
    if named := _NAMED.search(text):
        return _signed(named[1], named[2]), _signed(named[3], named[4])
    if first := _LONGITUDE_FIRST.search(text):
        return float(first[2]), float(first[1])
    if letters := _LETTER_FIRST.search(text):
        return _signed(letters[2], letters[1]), _signed(letters[4], letters[3])
    if letters := _LETTER_LAST.search(text):
        return _signed(letters[1], letters[2]), _signed(letters[3], letters[4])
    if pair := _PLAIN.search(text) or _ALONE.search(text):
        return float(pair[1]), float(pair[2])
    return None


def _signed(number: str, letter: str) -> float:
    """South and west are below 0, also where a camera writes both the letter and the sign."""
    return -abs(float(number)) if letter.upper() in ("S", "W") else float(number)


def _speed(text: str) -> float | None:
    found = _SPEED.search(text)
    return None if found is None else float(found[1]) * _TO_KMH.get(found[2].lower(), 1.0)


def _by_sentences(text: str, time_s: float) -> Position | None:
    sentences = {str(each.msgID): each for each in _sentences(text)}  # of each kind the last
    place = sentences.get("RMC") or sentences.get("GGA")
    if place is None:
        return None
    height, knots = getattr(sentences.get("GGA"), "alt", None), getattr(place, "spd", None)
    return Position(
        time_s,
        place.lat,
        place.lon,
        altitude_m=height if isinstance(height, float) else None,
        speed_kmh=knots * _KNOT_KMH if isinstance(knots, float) else None,
        utc=_utc(place),
    )


def _sentences(text: str) -> Iterator[Any]:
    """Those that name a place, decoded."""
    written = [found[0] for found in _NMEA.finditer(text)]
    if not written:
        return
    # Only now, as few recordings have any.
    from pynmeagps import NMEAMessageError, NMEAParseError, NMEAReader, NMEATypeError

    for each in written:
        try:
            sentence = NMEAReader.parse(each if "*" in each else f"{each}*{_checksum(each)}")
        except (NMEAParseError, NMEAMessageError, NMEATypeError, ValueError):  # cut off, or garbled on the way
            continue
        # An empty field is empty text, and one that was cut off is not there.
        if all(isinstance(getattr(sentence, name, None), float) for name in ("lat", "lon")) and _valid(sentence):
            yield sentence


def _valid(sentence: Any) -> bool:
    """Whether the receiver vouches for it: status A, or a quality above 0."""
    return bool(getattr(sentence, "status", "A") == "A" and getattr(sentence, "quality", 1))


def _checksum(sentence: str) -> str:
    """As NMEA 0183 has it: all characters between $ and *, exclusive or."""
    return f"{reduce(lambda total, each: total ^ each, sentence[1:].encode(), 0):02X}"


def _utc(sentence: Any) -> datetime | None:
    """GGA has no date, and without one the time says little."""
    try:
        return datetime.combine(sentence.date, sentence.time, UTC)
    except (AttributeError, TypeError):
        return None
