"""The program `drs-exporter`, also as `python -m exporter`."""

import signal
import sys


def main() -> int:
    """Run the command of this process; return its exit code.

    SIGHUP and SIGINT wait until the command line is imported, which takes most of a second, and can handle them.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT})
    from exporter.commands import main as cli  # noqa: PLC0415 - with the signals blocked

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
