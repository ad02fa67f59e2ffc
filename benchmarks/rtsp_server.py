"""A real RTSP server in a process of its own: what it plays begins anew for each client, at its own pace.

Run by the system's Python, which has the bindings of GStreamer.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

USER = "me"
PACE = "pace"
"""Name of the element in the pipeline behind which pictures are on their way, such as `identity sync=true`."""


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("launch", help="a GStreamer pipeline that ends in a payloader named pay0")
    parser.add_argument("port")
    parser.add_argument("--password", help=f"ask for the user {USER} and this")
    parser.add_argument("--udp", action="store_true", help="refuse to send over TCP")
    parser.add_argument("--log", type=Path, help=f"note in this file when each picture left the element named {PACE}")
    wanted = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")  # nobody else's business
    server.set_service(wanted.port)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(f"( {wanted.launch} )")
    if wanted.udp:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if wanted.password:
        ask_for_password(server, factory, wanted.password)
    if wanted.log:
        factory.connect("media-configure", note_times, wanted.log)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        raise SystemExit(f"port {wanted.port} is taken")
    GLib.MainLoop().run()


def ask_for_password(server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, password: str) -> None:
    """Let in nobody but USER with this password."""
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken.new()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, USER)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(USER, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions.new()
    for what in (
        GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS,
        GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
    ):
        permissions.add_permission_for_role(USER, what, True)
    factory.set_permissions(permissions)


def note_times(_factory: Any, media: GstRtspServer.RTSPMedia, log: Path) -> None:
    """A line for each picture: its time in the recording and that of `time.perf_counter`, seconds."""
    lines = log.open("a", buffering=1, encoding="utf-8")  # line by line: the server ends by being killed

    def note(_pad: Any, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        lines.write(f"{info.get_buffer().pts / Gst.SECOND:.6f} {time.perf_counter():.6f}\n")
        return Gst.PadProbeReturn.OK

    pad = media.get_element().get_by_name(PACE).get_static_pad("src")
    pad.add_probe(Gst.PadProbeType.BUFFER, note)


if __name__ == "__main__":
    main()
