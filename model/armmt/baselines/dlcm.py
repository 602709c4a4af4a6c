"""DLCM, the Deep Listwise Context Model (Ai, Bi, Guo, Croft, SIGIR 2018, arXiv:1804.05936).

A GRU reads the engine's list from its end to its top, so that its last state s_n knows the top best. The local score of output o_i is

    phi(o_i, s_n) = V . (o_i^T tanh(W s_n + b)),   W s_n in R^(a x k)

Its attention rank loss is replaced by the losses that every model here shares, and the scaled features join the local score linearly, as
they join the other models' heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from armmt.baselines.inputs import Inputs
from armmt.model.contract import FEATURE_DIM, ListBatch
from armmt.model.ranker import Predictions, Ranker


def upside_down(mask: Tensor) -> Tensor:
    """Indices [B, K] of a list read from its last candidate to its first; padding stays behind it. Its own inverse on the candidates."""
    count = mask.sum(1, keepdim=True).long()
    along = torch.cumsum(torch.ones_like(mask), 1).long() - 1
    back = count - 1 - along
    return torch.where(back >= 0, back, along)


def taken(x: Tensor, indices: Tensor) -> Tensor:
    """x [B, K, d] at indices [B, n] -> [B, n, d]"""
    return torch.gather(x, 1, indices.unsqueeze(2).expand(-1, -1, x.shape[2]))


class DLCM(Ranker):
    """Input layer, GRU over the candidates in engine order, local scores. V has one row for clicks and one for purchases."""

    def __init__(self, token_vectors: Tensor | None = None, width: int = 96, state: int = 80, views: int = 6) -> None:
        super().__init__()
        self.inputs = Inputs(width, token_vectors)
        self.gru = nn.GRU(width, state, batch_first=True)
        self.context = nn.Linear(state, state * views)
        self.combine = nn.Linear(views + FEATURE_DIM, 2)
        nn.init.constant_(self.combine.bias, -1.0)
        self.state = state
        self.views = views

    def forward(self, *tensors: Tensor) -> Predictions:
        """The ten tensors of ListBatch in order -> Predictions"""
        batch = ListBatch(*tensors)
        indices = upside_down(batch.mask)
        states, _ = self.gru(taken(self.inputs(batch), indices))
        last = taken(states, batch.mask.sum(1, keepdim=True).long() - 1).squeeze(1)  # not the GRU's own: that has read the padding
        context = torch.tanh(self.context(last)).view(-1, self.state, self.views)  # [B, a, k]
        local = torch.matmul(taken(states, indices), context) * self.state**-0.5
        click, purchase = self.combine(torch.cat([local, batch.features], -1)).unbind(-1)
        return Predictions(click, purchase)
