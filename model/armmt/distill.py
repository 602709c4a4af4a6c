"""Teachers -> student: listwise KL on per-list z-scored scores, a margin term, and the logged clicks themselves.

L = (1 - alpha) L_hard + alpha L_KL + 0.3 L_margin. The first steps see hard labels only, then alpha rises to its value. The teachers saw
every list whole, lists without a click too; the student sees lists with things withheld, and learns to come as close as what is left
allows.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from armmt.data import Lists, withhold
from armmt.fit import FitOptions, Fitted, Scored, Trained, optimiser_of
from armmt.losses import listwise_kl, margin, standardise
from armmt.run import device, progress
from armmt.student import StudentRanker


@dataclass(frozen=True)
class DistilOptions:
    """How much the teachers' word counts against the log's."""

    fit: FitOptions = field(default_factory=lambda: FitOptions(rate=4e-3, withhold=True))
    alpha: float = 0.8
    margin: float = 0.3
    temperature: float = 1.0
    hard_only: float = 0.05  # share of steps on hard labels alone
    ramp: float = 0.15  # share of steps by which alpha has risen

    def alpha_at(self, done: float) -> float:
        """alpha after a share `done` of the steps"""
        return self.alpha * min(1.0, max(0.0, (done - self.hard_only) / (self.ramp - self.hard_only)))


def ensemble(scores: list[NDArray[np.float32]], lengths: Tensor) -> NDArray[np.float32]:
    """Scores of several teachers, each [N, K] -> mean of the per-list z-scores, zero where padded"""
    mask = (torch.arange(scores[0].shape[1]) < lengths.unsqueeze(1)).float()
    mean = torch.stack([standardise(torch.from_numpy(score), mask) for score in scores]).mean(0)
    result: NDArray[np.float32] = mean.numpy()
    return result


def distil(
    ranker: StudentRanker, lists: Lists, held: Lists, targets: NDArray[np.float32], options: DistilOptions, label: str = "Student"
) -> Fitted:
    """Trains the student in place towards `targets` [N, K], the ensemble's scores of the same lists. `held` is only looked at."""
    where = device()
    generator = torch.Generator().manual_seed(options.fit.seed)
    trained = Trained(ranker, options.fit).to(where)
    log_gap = nn.Parameter(torch.tensor(0.0, device=where))  # how wide the student's gaps are against the teachers'
    trained.register_parameter("log_gap", log_gap)
    wanted = torch.from_numpy(targets).to(where)
    steps = max(1, round(options.fit.epochs * math.ceil(len(lists) / options.fit.batch)))
    optimiser, schedule = optimiser_of(trained, options.fit, steps)
    bar = progress(steps, label)
    started = time.monotonic()
    history: list[dict[str, float]] = []
    trained.train()
    done = 0
    while done < steps:
        for rows in lists.epoch(options.fit.batch, generator):
            if done == steps:
                break
            alpha = options.alpha_at(done / steps)
            batch, labels = lists.batch(rows)
            target = standardise(wanted[rows, : batch.mask.shape[1]], batch.mask)
            given = withhold(batch, generator) if options.fit.withhold else batch
            predictions = ranker.predict(given)
            loss = (1 - alpha) * trained.terms(predictions, given, labels)["loss"]
            if alpha > 0:
                loss = loss + alpha * listwise_kl(predictions.click, target, batch.mask, options.temperature)
                loss = loss + options.margin * margin(predictions.click, target, batch.mask, log_gap.exp())
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            bar.update()
        history.append({"step": done, "loss": round(float(loss.detach()), 5)})
    bar.close()
    return Fitted(trained.examination, history, time.monotonic() - started)


def agreement(student: Scored, targets: NDArray[np.float32], lengths: Tensor) -> dict[str, float]:
    """Share of pairs that the student orders as the teachers do, and of their top ten that both have"""
    pairs = agreed = top = 0.0
    for row, length in enumerate(lengths.tolist()):
        ours, theirs = student.score[row, :length], targets[row, :length]
        above = theirs[:, None] > theirs[None, :]
        pairs += above.sum()
        agreed += (above & (ours[:, None] > ours[None, :])).sum()
        k = min(10, length)
        top += len(set(np.argsort(-ours)[:k].tolist()) & set(np.argsort(-theirs)[:k].tolist())) / k
    return {"pairs": float(agreed / max(pairs, 1.0)), "top10": top / max(len(lengths), 1)}
