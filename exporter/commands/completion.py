"""Print a script for your shell that completes commands and options with Tab.

Examples:
  eval "$(drs-exporter completion bash)"         now; or this line in ~/.bashrc
  drs-exporter completion zsh > ~/.zfunc/_drs-exporter
                          with fpath+=~/.zfunc before compinit in ~/.zshrc
  drs-exporter completion fish > ~/.config/fish/completions/drs-exporter.fish
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import shtab

from exporter.commands import COMMANDS
from exporter.commands.main import parser
from exporter.commands.options import Parser, add_log
from exporter.commands.outcome import Outcome

if TYPE_CHECKING:
    import argparse

_SHELLS = ("bash", "zsh", "fish")


def add_options(command: Parser) -> None:
    add_log(command)
    command.add_argument("shell", metavar="SHELL", choices=_SHELLS, help=f"your shell: {', '.join(_SHELLS)}")


def run(options: argparse.Namespace) -> Outcome:
    return Outcome(0, shtab.complete(parser(COMMANDS), options.shell))
