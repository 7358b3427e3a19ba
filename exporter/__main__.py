"""The program `drs-exporter`, also as `python -m exporter`."""

import gc
import signal
import sys


def main() -> int:
    """Run the command of this process; return its exit code.

    SIGHUP and SIGINT wait until the command line is imported, which takes half a second, and can handle them. The
    garbage collector is off until the command is imported: among modules it finds nothing, however often it looks.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT})
    gc.disable()
    try:
        from exporter.commands import main as cli  # noqa: PLC0415 - with the signals blocked

        return cli.main()
    finally:
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
