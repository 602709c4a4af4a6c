"""The student that runs at the edge: the whole ARMMT path, narrow and one layer deep. Teacher and student share the inputs and outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from armmt.contract import Scores
from armmt.trunk import Trunk


class Student(nn.Module):
    """Trunk of width 32 and depth 1 with one score per candidate."""

    def __init__(self, token_vectors: Tensor | None = None, width: int = 32, depth: int = 1) -> None:
        super().__init__()
        self.trunk = Trunk(width, depth, token_vectors)
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, *batch: Tensor) -> Scores:
        """The ten tensors of ListBatch in order -> Scores"""
        views = self.trunk(*batch)
        return Scores(self.head(torch.cat([views.listed, views.personal], -1)).squeeze(-1), views.gate)


def count_parameters(model: Student) -> tuple[int, int]:
    """-> (all, of which in the two token tables)"""
    tables = model.trunk.query.learned.weight.numel() + model.trunk.query.lexical.numel()
    return sum(p.numel() for p in model.parameters()) + model.trunk.query.lexical.numel(), tables
