"""Teachers -> student: listwise KL on per-list z-scored scores, a margin term, and the logged clicks themselves.

L = (1 - alpha) L_hard + alpha L_KL + 0.3 L_margin. The first steps see hard labels only, then alpha rises to its value. The teachers saw
every list whole, lists without a click too; the student sees lists under modality dropout.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from armmt.model.ranker import Ranker, ranking_score
from armmt.training.data import Lists
from armmt.training.fit import FitOptions, Fitted, Scored, Step, Trained, minimise
from armmt.training.losses import listwise_kl, margin, standardise
from armmt.training.runtime import device


@dataclass(frozen=True)
class DistilOptions:
    """Weights of the teachers' scores against the logged labels."""

    fit: FitOptions = field(default_factory=lambda: FitOptions(rate=4e-3, dropout=True))
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
    ranker: Ranker, lists: Lists, validation: Lists, targets: NDArray[np.float32], options: DistilOptions, label: str = "Student"
) -> Fitted:
    """Trains a student, or a baseline as one, in place towards `targets` [N, K], the ensemble's scores of the same lists."""
    trained = Trained(ranker, options.fit).to(device())
    log_gap = nn.Parameter(torch.tensor(0.0, device=device()))  # scale of the student's score gaps relative to the teachers'
    trained.register_parameter("log_gap", log_gap)
    wanted = torch.from_numpy(targets).to(device())

    def loss(step: Step) -> Tensor:
        mask = step.batch.mask
        alpha = options.alpha_at(step.done)
        predictions = ranker.predict(step.batch, step.labels.prior)
        hard = (1 - alpha) * trained.terms(predictions, step.batch, step.labels)["loss"]
        if alpha == 0:
            return hard
        target = standardise(wanted[step.rows, : mask.shape[1]], mask)
        score = ranking_score(predictions)
        soft = alpha * listwise_kl(score, target, mask, options.temperature)
        return hard + soft + options.margin * margin(score, target, mask, log_gap.exp())

    return minimise(loss, trained, lists, validation, label)


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
