"""``python -m exporter.simulator --listen 127.0.0.1:9000``: the demo cloud over TCP."""

from __future__ import annotations

import argparse
import asyncio
import socket

import uvicorn

from exporter.simulator.demo import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, demo_cloud


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m exporter.simulator", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:10827", metavar="HOST:PORT", help="port 0 takes a free one")
    parser.add_argument("--speed", type=float, default=60.0, help="life seconds in a second (default: 60)")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    listener = socket.create_server((host, int(port)))
    url = f"http://{host}:{listener.getsockname()[1]}"
    projects = ", ".join(f"{region} {project}" for region, _, project in DEMO_PROJECTS)
    print(f"simulated cloud on {url}, keys {DEMO_ACCESS_KEY} / {DEMO_SECRET_KEY}, projects {projects}", flush=True)  # noqa: T201
    server = uvicorn.Server(uvicorn.Config(demo_cloud(speed=options.speed), log_level="warning"))
    asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main()
