"""Teacher -> student: listwise KL on per-list z-scored logits, a margin term, and the logged clicks themselves. Then the export.

L = (1 - alpha) L_hard + alpha L_KL + 0.3 L_margin. The first steps see hard labels only, then alpha rises to its value. The teacher
sees every list whole; the student sees lists with things withheld, and learns to come as close as what is left allows.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from armmt.data import Lists, withhold
from armmt.export import export_student
from armmt.losses import examined_click, listwise_click, listwise_kl, margin, masked_log_softmax, standardise
from armmt.run import prepare, progress, write_json
from armmt.student import Student, count_parameters
from armmt.teacher import Teacher
from armmt.train import load_teacher

ALPHA = 0.8
MARGIN = 0.3
TEMPERATURE = 1.0
HARD_ONLY = 0.05  # share of steps on hard labels alone
RAMP = 0.15  # share of steps by which alpha has risen


class Calibration(nn.Module):
    """Two numbers used in training alone: the student's logit -> a click probability's logit, and how wide its gaps should be."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(-1.0))
        self.log_gap = nn.Parameter(torch.tensor(0.0))


def student_loss(
    student: Student, teacher: Teacher, calibration: Calibration, lists: Lists, rows: Tensor, generator: torch.Generator, alpha: float
) -> Tensor:
    """The weighted sum for one batch"""
    batch, labels = lists.batch(rows)
    with torch.no_grad():
        target = standardise(teacher.ranking(batch), batch.mask)
        examined = teacher.examination(labels.position)
    score = student(*withhold(batch, generator)).score
    shown = (labels.position > 0).float() * batch.mask
    hard = examined_click(score + calibration.shift, examined, labels.click, shown) + listwise_click(score, examined, labels.gain, shown)
    soft = listwise_kl(score, target, batch.mask, TEMPERATURE)
    gaps = margin(score, target, batch.mask, calibration.log_gap.exp())
    return (1 - alpha) * hard + alpha * soft + (MARGIN * gaps if alpha > 0 else 0.0)


def agreement(student: Student, teacher: Teacher, lists: Lists, size: int = 64) -> dict[str, float]:
    """On a split: KL to the teacher, share of pairs ordered as the teacher orders them, and the share of its top ten that both have"""
    student.eval()
    kl = pairs = agreed = top = 0.0
    with torch.no_grad():
        for rows in torch.split(torch.arange(len(lists)), size):
            batch, _ = lists.batch(rows)
            target = standardise(teacher.ranking(batch), batch.mask)
            score = student(*batch).score
            kl += float(listwise_kl(score, target, batch.mask, TEMPERATURE)) * len(rows)
            both = batch.mask.unsqueeze(2) * batch.mask.unsqueeze(1)
            above = ((target.unsqueeze(2) - target.unsqueeze(1)) > 0).float() * both
            agreed += float((((score.unsqueeze(2) - score.unsqueeze(1)) > 0).float() * above).sum())
            pairs += float(above.sum())
            k = min(10, score.shape[1])
            ours = masked_log_softmax(score, batch.mask).topk(k).indices
            theirs = masked_log_softmax(target, batch.mask).topk(k).indices
            top += float((ours.unsqueeze(2) == theirs.unsqueeze(1)).any(2).float().mean(1).sum())
    student.train()
    return {"kl": kl / len(lists), "pairs": agreed / max(pairs, 1.0), "top10": top / len(lists)}


def distil(folder: Path, out: Path, epochs: int, size: int, seed: int, version: str) -> Student:
    """Trains the student for a fixed number of epochs and writes student.pt, student.json and the exported model."""
    generator = prepare(seed)
    lists, held = Lists(folder, "train"), Lists(folder, "validation")
    token_vectors = torch.from_numpy(np.load(folder / "tokens.npy"))
    teacher = load_teacher(out / "teacher.pt", token_vectors)
    student, calibration = Student(token_vectors), Calibration()
    optimiser = torch.optim.AdamW([*student.parameters(), *calibration.parameters()], lr=1e-3, weight_decay=1e-2, fused=True)
    steps = epochs * math.ceil(len(lists) / size) + epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.15)
    bar = progress(steps, "Student")
    history: list[dict[str, float]] = []
    for epoch in range(epochs):
        for rows in lists.epoch(size, generator):
            done = bar.n / steps
            alpha = ALPHA * min(1.0, max(0.0, (done - HARD_ONLY) / (RAMP - HARD_ONLY)))
            loss = student_loss(student, teacher, calibration, lists, rows, generator, alpha)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            bar.update()
            bar.set_postfix(loss=f"{float(loss.detach()):.3f}", refresh=False)
        history.append({"epoch": epoch + 1, **{name: round(value, 4) for name, value in agreement(student, teacher, held).items()}})
        bar.write(json.dumps(history[-1]))
    bar.close()
    torch.save(student.state_dict(), out / "student.pt")
    total, table = count_parameters(student)
    write_json(out / "student.json", {"lists": len(lists), "parameters": total, "tokenTable": table, "validation": history})
    export_student(student, out, describe(lists.meta, len(lists), history[-1], version))
    return student


def describe(meta: dict[str, Any], lists: int, agreed: dict[str, float], version: str) -> dict[str, Any]:
    """The manifest's fields that training knows; `armmt model` adds the figures of the evaluation"""
    return {
        "version": version,
        "features": meta["features"],
        "imageEncoder": meta["identity"]["imageEncoder"],
        "textEncoder": meta["identity"]["textEncoder"],
        "trainedOn": f"simulated: {lists} lists of simulated shoppers in a drawn shop, no real person's data",
        "metrics": {"teacher agreement, pairs": agreed["pairs"], "teacher agreement, top 10": agreed["top10"]},
    }


def main() -> None:
    """Command line"""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", required=True)
    a = parser.parse_args()
    distil(a.lists, a.out, a.epochs, a.batch, a.seed, a.version)


if __name__ == "__main__":
    main()
