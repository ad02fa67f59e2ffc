"""The live overlay as a page in a browser. Importing this loads aiohttp; nothing else in streamseg does."""

from streamseg.sinks.web.address import USUAL_PORT, Address, parse_address, parse_host
from streamseg.sinks.web.sink import WebSink

__all__ = ["USUAL_PORT", "Address", "WebSink", "parse_address", "parse_host"]
