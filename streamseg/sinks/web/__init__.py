"""The live overlay as a page in a browser. Importing this loads aiohttp; nothing else in streamseg does."""

from streamseg.sinks.web.sink import WebSink
from streamseg.web_address import USUAL_PORT, Address, parse_address, parse_host

__all__ = ["USUAL_PORT", "Address", "WebSink", "parse_address", "parse_host"]
