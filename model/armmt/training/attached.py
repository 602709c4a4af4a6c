"""Runs a module of this package for as long as the process that started it lives: `python -m armmt.training.attached <module> <args>`.

Standard input is a pipe that nobody writes to. It ends with the process that holds the other end, however that one ends, and then this one
ends too: a run that was killed leaves nobody behind who would write into the folder of the next.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def end_with_input() -> None:
    """Waits for the end of standard input"""
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    threading.Thread(target=end_with_input, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
