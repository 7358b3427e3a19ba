"""Print a script for your shell that completes commands and options with Tab.

Examples:
  eval "$(drs-exporter completion bash)"         now; or this line in ~/.bashrc
  drs-exporter completion zsh > ~/.zfunc/_drs-exporter
                          with fpath+=~/.zfunc before compinit in ~/.zshrc
  drs-exporter completion fish > ~/.config/fish/completions/drs-exporter.fish
"""

from __future__ import annotations

import argparse

import shtab

from exporter.commands import COMMANDS
from exporter.commands.main import parser
from exporter.commands.options import Parser, add_log
from exporter.commands.outcome import Outcome
from exporter.commands.run import add_options as add_run_options

_SHELLS = ("bash", "zsh", "fish")
_BASH = """
# bash splits --option=VALUE at the "="; the generated function expects two words.
_drs_exporter() {
  local all=("${COMP_WORDS[@]}") last=$COMP_CWORD index
  local COMP_WORDS=() COMP_CWORD
  for ((index = 0; index < last; index++)); do
    [[ ${all[index]} == = ]] || COMP_WORDS+=("${all[index]}")
  done
  COMP_CWORD=${#COMP_WORDS[@]}
  COMP_WORDS+=("${all[last]#=}")
  _shtab_drs_exporter
}
complete -o bashdefault -o default -F _drs_exporter drs-exporter"""


def add_options(command: Parser) -> None:
    add_log(command)
    command.add_argument("shell", metavar="SHELL", choices=_SHELLS, help=f"your shell: {', '.join(_SHELLS)}")


def run(options: argparse.Namespace) -> Outcome:
    whole = parser(COMMANDS)
    add_run_options(whole)  # of the command that need not be named
    script = shtab.complete(whole, options.shell)
    return Outcome(0, script + _BASH if options.shell == "bash" else script)
