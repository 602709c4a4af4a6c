"""Many trainings, few processes: each starts when what it needs is there, and a line says that it is done and how long the rest takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Any

from armmt.training.runtime import device


@dataclass(frozen=True)
class Task:
    """work(*given) in a process of its own; what it prints goes to `log`."""

    key: Hashable
    name: str
    group: str  # tasks of a group take about as long
    work: Callable[..., None]
    given: tuple[Any, ...]
    log: Path
    needs: frozenset[Hashable] = frozenset()


class StudyError(Exception):
    """Some tasks failed; the message names them and their logs."""


def end_with(parent: int) -> None:
    """Ends this process when its parent is gone: a study that was killed must not go on training in the background"""
    while os.getppid() == parent:
        time.sleep(2)
    os._exit(1)


def carry_out(task: Task) -> float:
    """In the process of the task. -> seconds"""
    os.environ["OMP_NUM_THREADS"] = "1"
    Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    task.log.parent.mkdir(parents=True, exist_ok=True)
    with task.log.open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    started = time.monotonic()
    task.work(*task.given)
    return time.monotonic() - started


class Schedule:
    """Tasks that wait, run, are done or have failed."""

    def __init__(self, tasks: Sequence[Task], workers: int, say: Callable[[str], None]) -> None:
        self.waiting = list(tasks)
        self.total = len(tasks)
        self.at_once = 1 if device().type == "cuda" else max(1, workers)
        self.say = say
        self.running: dict[Future[float], Task] = {}
        self.undone: set[Hashable] = {task.key for task in tasks}
        self.failures: list[str] = []
        self.took: dict[str, list[float]] = {}

    def ready(self) -> Task | None:
        """The first task that lacks nothing"""
        return next((task for task in self.waiting if not task.needs & self.undone), None)

    def eta(self) -> str:
        """Minutes that the rest will take, by what tasks of the same group took"""
        everything = [seconds for each in self.took.values() for seconds in each]
        usual = sum(everything) / max(len(everything), 1)
        left = 0.0
        for task in [*self.waiting, *self.running.values()]:
            known = self.took.get(task.group)
            left += sum(known) / len(known) if known else usual
        return f"about {left / self.at_once / 60:.0f} min left"

    def finish(self, future: Future[float]) -> None:
        """Books one task"""
        task = self.running.pop(future)
        error = future.exception()
        if error is not None:
            self.failures.append(f"{task.name}: {type(error).__name__}: {error} (see {task.log})")
            self.say(f"failed: {self.failures[-1]}")
            return
        self.undone.discard(task.key)
        self.took.setdefault(task.group, []).append(future.result())
        done = sum(len(each) for each in self.took.values())
        self.say(f"[{done}/{self.total}] {task.name}: {future.result():.0f} s, {self.eta()}")

    def run(self) -> None:
        """Runs all tasks. What needs a failed task is left out. Throws StudyError at the end when something failed."""
        with ProcessPoolExecutor(self.at_once, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
            while True:
                while len(self.running) < self.at_once and (task := self.ready()) is not None:
                    self.waiting.remove(task)
                    self.running[pool.submit(carry_out, task)] = task
                if not self.running:
                    break
                for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                    self.finish(future)
        if self.failures:
            left_out = f"; {len(self.waiting)} more need them and were left out" if self.waiting else ""
            raise StudyError("; ".join(self.failures) + left_out)
