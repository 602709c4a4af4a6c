"""Shared by all training stages: seeds and threads, device, worker processes, JSON on disk."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

Tensors = TypeVar("Tensors", bound=tuple[Tensor, ...])


def device() -> torch.device:
    """A GPU when there is one. ARMMT_DEVICE=cpu keeps it out, for instance to make the committed model again bit for bit."""
    wanted = os.environ.get("ARMMT_DEVICE")
    return torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))


def prepare(seed: int, threads: int) -> None:
    """Seeds torch, fixes the threads (another number gives other last bits, and so another model), warns of a slow matrix library."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    a = torch.randn(512, 512)
    a @ a
    started = time.perf_counter()
    for _ in range(5):
        a @ a
    rate = 5 * 2 * 512**3 / (time.perf_counter() - started) / 1e9
    if rate < 10 * threads:
        print(
            f"Note: matrix products run at {rate:.0f} GFLOP/s with {threads} threads; training will be slow on this machine",
            file=sys.stderr,
        )
    torch.manual_seed(seed)


@dataclass(frozen=True)
class Workers:
    """The processes that train one model together: one, or as many as torchrun started."""

    rank: int
    count: int

    def wrap(self, module: nn.Module) -> nn.Module:
        """Averages gradients over the processes"""
        return module if self.count == 1 else DistributedDataParallel(module)

    def share(self, *parts: Tensors) -> tuple[Tensors, ...]:
        """This process's rows of a batch. A batch that does not divide evenly keeps as many rows as do, so that all weigh the same."""
        if self.count == 1:
            return parts
        each = len(parts[0][0]) // self.count
        rows = slice(self.rank * each, (self.rank + 1) * each)
        return tuple(type(part)(*(tensor[rows] for tensor in part)) for part in parts)


def alone() -> Workers:
    return Workers(0, 1)


def join_workers() -> Workers:
    """The processes that torchrun started (gloo on CPUs, nccl on GPUs); one when there is no torchrun"""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return alone()
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    return Workers(distributed.get_rank(), count)


def in_processes(work: Callable[..., None], calls: Sequence[tuple[Any, ...]], workers: int) -> None:
    """Runs work(*call) for each call, at most `workers` side by side, each in a fresh process; on a GPU one after another."""
    at_once = 1 if device().type == "cuda" else max(1, min(workers, len(calls)))
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for future in as_completed([pool.submit(work, *call) for call in calls]):
            future.result()


def count_trainable(module: nn.Module) -> int:
    """Numbers that training moves"""
    return sum(p.numel() for p in module.parameters())


def progress(total: int, label: str, quiet: bool = False) -> tqdm[Any]:
    """A bar on a terminal; elsewhere a line now and then"""
    return tqdm(total=total, desc=label, unit="step", mininterval=2 if sys.stderr.isatty() else 20, disable=quiet)


def write_json(path: Path, value: Any) -> None:
    """Indented, with a line feed at the end"""
    path.write_text(json.dumps(value, indent=2) + "\n")
