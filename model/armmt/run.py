"""What every training stage does first and last: fixed seeds, a known number of threads, JSON on disk."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

THREADS = 2  # fixed: another number of threads gives other last bits, and so another model


def prepare(seed: int) -> torch.Generator:
    """Seeds torch, fixes the threads, warns of a slow matrix library, and returns a generator for everything drawn by hand."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(seed)
    a = torch.randn(512, 512)
    a @ a
    started = time.perf_counter()
    for _ in range(5):
        a @ a
    rate = 5 * 2 * 512**3 / (time.perf_counter() - started) / 1e9
    if rate < 20:
        print(f"Note: matrix products run at {rate:.0f} GFLOP/s with {THREADS} threads; training will be slow on this machine")
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def progress(total: int, label: str) -> tqdm[Any]:
    """A bar on a terminal; elsewhere a line now and then"""
    return tqdm(total=total, desc=label, unit="step", mininterval=2 if sys.stderr.isatty() else 20)


def write_json(path: Path, value: Any) -> None:
    """Indented, with a line feed at the end"""
    path.write_text(json.dumps(value, indent=2) + "\n")
