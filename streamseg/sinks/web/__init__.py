"""The live overlay as a page in a browser. Importing this loads aiohttp; nothing else in streamseg does."""

from streamseg.sinks.web.address import Address, parse_address
from streamseg.sinks.web.sink import WebSink

__all__ = ["Address", "WebSink", "parse_address"]
