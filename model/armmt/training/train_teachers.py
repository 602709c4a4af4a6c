"""Trains teachers on logged clicks and purchases, one per seed, and has each score the lists it was trained on (for the student).

Several seeds run side by side, one thread each. Under torchrun all processes train one teacher together:
    cd model && .venv/bin/torchrun --nproc-per-node 2 -m armmt.training.train_teachers --lists <folder> --out <folder> --seeds 1
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from armmt.model.teacher import DEPTH, WIDTH, Teacher
from armmt.training.data import Lists
from armmt.training.fit import FitOptions, fit, score
from armmt.training.runtime import Workers, alone, count_trainable, device, in_processes, join_workers, prepare, write_json


def train(folder: Path, out: Path, options: FitOptions, width: int = WIDTH, depth: int = DEPTH, workers: Workers | None = None) -> Teacher:
    """Trains one teacher; writes teacher-<seed>.pt, teacher-<seed>.json, and its scores: targets-<seed>.npy of the training lists,
    validation-<seed>.npy of the validation lists."""
    workers = workers or alone()
    prepare(options.seed, threads=1)
    where = device()
    lists, validation = Lists(folder, "train", where=where), Lists(folder, "validation", where=where)
    teacher = Teacher(torch.from_numpy(np.load(folder / "tokens.npy")), width=width, depth=depth)
    fitted = fit(teacher, lists, validation, options, workers, label=f"Teacher {options.seed}")
    if workers.rank > 0:
        return teacher
    np.save(out / f"targets-{options.seed}.npy", score(teacher, lists).score)
    np.save(out / f"validation-{options.seed}.npy", score(teacher, validation).score)
    torch.save({"state": teacher.state_dict(), "width": width, "depth": depth}, out / f"teacher-{options.seed}.pt")
    write_json(
        out / f"teacher-{options.seed}.json",
        {
            "lists": len(lists),
            "parameters": count_trainable(teacher),
            "seconds": round(fitted.seconds, 1),
            "examination": fitted.examination.curve(),
            "validation": fitted.history,
        },
    )
    return teacher


def train_quietly(folder: Path, out: Path, options: FitOptions, width: int, depth: int) -> None:
    """`train` for another process: leaves files and returns nothing"""
    train(folder, out, options, width, depth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, required=True, help="folder that `armmt lists` wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one teacher each")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--depth", type=int, default=DEPTH)
    parser.add_argument("--workers", type=int, default=2, help="teachers trained side by side")
    a = parser.parse_args()
    options = [FitOptions(epochs=a.epochs, batch=a.batch, seed=seed) for seed in a.seeds]
    a.out.mkdir(parents=True, exist_ok=True)
    together = join_workers()
    if together.count > 1:
        for each in options:
            train(a.lists, a.out, each, a.width, a.depth, together)
        return
    if len(options) == 1:
        train_quietly(a.lists, a.out, options[0], a.width, a.depth)
        return
    in_processes(train_quietly, [(a.lists, a.out, each, a.width, a.depth) for each in options], a.workers)


if __name__ == "__main__":
    main()
