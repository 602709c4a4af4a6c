"""Position bias: P(examined | position) as its own tower, an input of training and never of serving (PAL, RecSys 2019, in form)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PAGE = 64  # positions past this share one logit


class Examination(nn.Module):
    """One logit per position."""

    def __init__(self) -> None:
        super().__init__()
        # From the middle of the sigmoid, where it moves: started high, the first positions learn late and the ranker explains the fall.
        self.logit = nn.Parameter(torch.zeros(PAGE))

    def forward(self, position: Tensor) -> Tensor:
        """1-based positions [B, K] -> logits [B, K]; 0 (not shown) reads as 1 and must be masked"""
        return self.logit[(position - 1).clamp(0, PAGE - 1)]

    def curve(self, positions: int = 10) -> list[float]:
        """Learned P(examined) at positions 1..n, relative to the first: only ratios can be told from clicks"""
        share = F.sigmoid(self.logit[:positions])
        return [round(float(value), 4) for value in (share / share[0]).tolist()]
