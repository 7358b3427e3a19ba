"""What every part of the process uses: log, clocks, threads, signals, files, text."""
