"""What names of files end in, in small letters."""

from __future__ import annotations

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
"""What OpenCV decodes on every system."""

VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".gif", ".3gp")
"""By which a file on a web server is told from a stream; files here need no name."""

ANIMATIONS = (".webp", ".png", ".apng")
"""Of pictures that may move."""
