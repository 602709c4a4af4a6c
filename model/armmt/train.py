"""Trains the teacher on logged clicks and purchases."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from armmt.data import Lists, withhold
from armmt.run import prepare, progress, write_json
from armmt.teacher import Teacher, examined_share, teacher_loss


def validation(teacher: Teacher, lists: Lists, size: int = 64) -> dict[str, float]:
    """Mean loss terms over a split, nothing withheld"""
    teacher.eval()
    sums: dict[str, float] = {}
    with torch.no_grad():
        for rows in torch.split(torch.arange(len(lists)), size):
            for name, value in teacher_loss(teacher, *lists.batch(rows)).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(rows)
    teacher.train()
    return {name: value / len(lists) for name, value in sums.items()}


def train(folder: Path, out: Path, epochs: int, size: int, width: int, depth: int, seed: int) -> Teacher:
    """Trains for a fixed number of epochs, writes teacher.pt and teacher.json, and returns the teacher."""
    generator = prepare(seed)
    lists, held = Lists(folder, "train"), Lists(folder, "validation")
    teacher = Teacher(torch.from_numpy(np.load(folder / "tokens.npy")), width=width, depth=depth)
    optimiser = torch.optim.AdamW(teacher.parameters(), lr=1e-3, weight_decay=1e-2, fused=True)
    steps = epochs * math.ceil(len(lists) / size) + epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=0.15)
    bar = progress(steps, "Teacher")
    history = []
    for epoch in range(epochs):
        for rows in lists.epoch(size, generator):
            batch, labels = lists.batch(rows)
            terms = teacher_loss(teacher, withhold(batch, generator), labels)
            optimiser.zero_grad(set_to_none=True)
            terms["loss"].backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            bar.update()
            bar.set_postfix(loss=f"{float(terms['loss'].detach()):.3f}", refresh=False)
        history.append({"epoch": epoch + 1, **{name: round(value, 4) for name, value in validation(teacher, held).items()}})
        bar.write(json.dumps(history[-1]))
    bar.close()
    torch.save({"state": teacher.state_dict(), "width": width, "depth": depth}, out / "teacher.pt")
    parameters = sum(p.numel() for p in teacher.parameters())
    write_json(
        out / "teacher.json", {"lists": len(lists), "parameters": parameters, "examination": examined_share(teacher), "validation": history}
    )
    return teacher


def load_teacher(path: Path, token_vectors: Tensor) -> Teacher:
    """A teacher written by `train`, ready to be asked"""
    saved = torch.load(path, weights_only=True)
    teacher = Teacher(token_vectors, width=saved["width"], depth=saved["depth"])
    teacher.load_state_dict(saved["state"])
    return teacher.eval()


def main() -> None:
    """Command line"""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    train(a.lists, a.out, a.epochs, a.batch, a.width, a.depth, a.seed)


if __name__ == "__main__":
    main()
