"""The teacher: the student's path, wider and deeper, with heads for clicks and purchases, an examination tower and the auxiliary task.

Only its ranking is handed on; it never runs at the edge.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.contract import ListBatch
from armmt.data import Labels
from armmt.losses import examined_click, listwise_click, purchase_given_click
from armmt.trunk import Trunk

PAGE = 64  # positions past this share one examination logit
PURCHASE_SHARE = 0.25  # of the purchase logit in the score that is handed on
AUXILIARY = 0.2  # weight of the auxiliary task (lambda)
LISTWISE = 0.5
PURCHASE = 0.5


class Predictions(NamedTuple):
    """All [B, K]."""

    click: Tensor  # logit of a click once examined
    purchase: Tensor  # logit of a purchase once clicked
    auxiliary: Tensor  # logit of a click from text and image alone


class Examination(nn.Module):
    """P(examined | position) as a logit per position: an input of training, never of serving."""

    def __init__(self) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.linspace(1.5, -1.5, PAGE))

    def forward(self, position: Tensor) -> Tensor:
        """1-based positions [B, K] -> logits [B, K]; 0 (not shown) reads as 1 and must be masked"""
        return self.logit[(position - 1).clamp(0, PAGE - 1)]


class Teacher(nn.Module):
    """Trunk plus heads."""

    def __init__(self, token_vectors: Tensor | None = None, width: int = 64, depth: int = 2) -> None:
        super().__init__()
        self.trunk = Trunk(width, depth, token_vectors)
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 2))
        self.auxiliary = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1))
        self.examination = Examination()
        # Most items are not clicked: start there, not at one half.
        nn.init.constant_(self.head[-1].bias, -1.0)  # type: ignore[arg-type]

    def forward(self, *batch: Tensor) -> Predictions:
        """The ten tensors of ListBatch in order -> Predictions"""
        views = self.trunk(*batch)
        logits = self.head(torch.cat([views.listed, views.personal], -1))
        auxiliary = self.auxiliary(torch.cat([views.item, views.taste], -1)).squeeze(-1)
        return Predictions(logits[..., 0], logits[..., 1], auxiliary)

    def ranking(self, batch: ListBatch) -> Tensor:
        """What the student learns to order by: mostly the click, partly the purchase that may follow. [B, K]"""
        predictions = self(*batch)
        score: Tensor = predictions.click + PURCHASE_SHARE * predictions.purchase
        return score


def teacher_loss(teacher: Teacher, batch: ListBatch, labels: Labels) -> dict[str, Tensor]:
    """Terms and their weighted sum "loss".

    L = L_click + 0.5 L_list + 0.5 L_purchase + lambda L_aux: the auxiliary task predicts the same clicks from the multimodal path alone, so
    that its gradient cannot be crowded out by prices and ranks. Ours in form; the paper names the task only.
    """
    predictions = teacher(*batch)
    shown = (labels.position > 0).float() * batch.mask
    examined = teacher.examination(labels.position)
    click = examined_click(predictions.click, examined, labels.click, shown)
    listwise = listwise_click(predictions.click, examined, labels.gain, shown)
    purchase = purchase_given_click(predictions.purchase, labels.purchase, labels.click)
    auxiliary = examined_click(predictions.auxiliary, examined.detach(), labels.click, shown) + LISTWISE * listwise_click(
        predictions.auxiliary, examined, labels.gain, shown
    )
    loss = click + LISTWISE * listwise + PURCHASE * purchase + AUXILIARY * auxiliary
    return {"loss": loss, "click": click, "listwise": listwise, "purchase": purchase, "auxiliary": auxiliary}


def examined_share(teacher: Teacher) -> list[float]:
    """Learned P(examined) at positions 1..10, relative to the first"""
    share = F.sigmoid(teacher.examination.logit[:10])
    return [round(float(value), 3) for value in (share / share[0]).tolist()]
