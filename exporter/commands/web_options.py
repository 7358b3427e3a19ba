"""What the command line says about the web server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exporter.web.settings import WebFile


def file_path(text: str) -> Path:
    """Return the value of an option that names a file; raises `ArgumentTypeError` if it is empty."""
    if not text:
        raise argparse.ArgumentTypeError("expected the path of a file, not an empty text")
    return Path(text)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for TLS, passwords and what may be asked for."""
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=file_path,
        metavar="FILE",
        help="TLS, client certificates, passwords and response headers, in YAML, in the format of Prometheus' "
        "exporter-toolkit; deploy/web-config.example.yml explains every key; read again when it changes",
    )
    parser.add_argument(
        "--web.health-without-auth",
        dest="web_health_without_auth",
        action="store_true",
        help="/-/healthy and /-/ready need no password",
    )
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="web_enable_lifecycle",
        action="store_true",
        help="POST /-/reload reads the configuration again, as SIGHUP always does",
    )


def web_file(options: argparse.Namespace) -> WebFile:
    """The web configuration that the options name.

    Raises:
        ConfigError: all that is wrong with it.
    """
    from exporter.web.auth import HEALTH_PATHS  # noqa: PLC0415 - only what serves needs TLS and hashes of passwords
    from exporter.web.settings import WebFile  # noqa: PLC0415

    return WebFile(options.web_config_file, open_paths=HEALTH_PATHS if options.web_health_without_auth else ())
