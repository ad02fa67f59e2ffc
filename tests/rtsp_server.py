"""A real RTSP server in a process of its own: what it plays begins anew for each client, at its own pace.

Run by the system's Python, which has the bindings of GStreamer.
"""

from __future__ import annotations

import argparse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

USER = "me"


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("launch", help="a GStreamer pipeline that ends in a payloader named pay0")
    parser.add_argument("port")
    parser.add_argument("--password", help=f"ask for the user {USER} and this")
    parser.add_argument("--udp", action="store_true", help="refuse to send over TCP")
    wanted = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(wanted.port)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(f"( {wanted.launch} )")
    if wanted.udp:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if wanted.password:
        ask_for_password(server, factory, wanted.password)
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


if __name__ == "__main__":
    main()
