"""The simulated cloud with many tasks, in a process of its own: `python -m tests.bench.cloud TASKS`."""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import uvicorn

from tests.bench.fleet import cloud_of


def main() -> None:
    """Serve until killed."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # or asyncio leaves Nagle on
    listener.bind(("127.0.0.1", 0))
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]} \n")
    sys.stdout.flush()
    app = cloud_of(int(sys.argv[1]), time.time)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main()
