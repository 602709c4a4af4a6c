"""The student that runs at the edge: the whole ARMMT path, narrow and one layer deep. Teacher and student share the inputs and outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from armmt.model.backbone import WHOLE, Backbone, Components
from armmt.model.contract import FEATURE_DIM, ListBatch, Scores
from armmt.model.layers import Rectifier
from armmt.model.ranker import Predictions, Ranker

WIDTH = 48
DEPTH = 1


class Student(nn.Module):
    """Backbone with one number per candidate, which is added to the order of engine and meaning: what is exported. Untrained, it adds 0."""

    def __init__(self, token_vectors: Tensor | None = None, width: int = WIDTH, depth: int = DEPTH, components: Components = WHOLE) -> None:
        super().__init__()
        self.trunk = Backbone(width, depth, token_vectors, components)
        last = nn.Linear(width, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.head = nn.Sequential(nn.Linear(2 * width + FEATURE_DIM, width), Rectifier(), last)

    def forward(self, *batch: Tensor) -> Scores:
        """The ten tensors of ListBatch in order -> Scores"""
        views = self.trunk(*batch)
        return Scores(self.head(torch.cat([views.listed, views.personal, ListBatch(*batch).features], -1)).squeeze(-1), views.gate)


class StudentRanker(Ranker):
    """The student as the training loop takes it: prior and score together, shifted, are the logit of a click."""

    adds_to_prior = True

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student
        self.shift = nn.Parameter(torch.tensor(-1.0))

    def forward(self, *batch: Tensor) -> Predictions:
        """The ten tensors of ListBatch in order -> Predictions"""
        return Predictions(self.student(*batch).score + self.shift)


def count_parameters(model: Student) -> tuple[int, int]:
    """-> (all, of which in the two token tables)"""
    tables = model.trunk.query.learned.weight.numel() + model.trunk.query.lexical.numel()
    return sum(p.numel() for p in model.parameters()) + model.trunk.query.lexical.numel(), tables
