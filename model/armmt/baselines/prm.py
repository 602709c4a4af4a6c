"""PRM, the Personalised Re-ranking Model (Pei et al., RecSys 2019, arXiv:1904.06813).

A Transformer encoder over E_i = [x_i; pv_i] W + pe_i. The position embedding pe is learned and counts the engine's order. The personalised
vector pv came from a pre-trained click model there; here it is the history part of the input layer, trained along, so that PRM has the
inputs of the others and no others. Its click softmax is replaced by the losses that every model here shares.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from armmt.baselines.attention import EncoderBlock
from armmt.baselines.inputs import Heads, Inputs
from armmt.model.contract import ListBatch
from armmt.model.ranker import Predictions, Ranker

POSITIONS = 100  # the widest window that is served; positions past it share one embedding


class PRM(Ranker):
    """Input layer plus position embedding, encoder blocks, heads."""

    def __init__(self, token_vectors: Tensor | None = None, width: int = 64, blocks: int = 2, heads: int = 2, inner: int = 128) -> None:
        super().__init__()
        self.inputs = Inputs(width, token_vectors)
        self.position = nn.Embedding(POSITIONS, width)
        nn.init.normal_(self.position.weight, std=0.02)
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, inner) for _ in range(blocks))
        self.heads = Heads(width, width)

    def forward(self, *tensors: Tensor) -> Predictions:
        """The ten tensors of ListBatch in order -> Predictions"""
        batch = ListBatch(*tensors)
        x = self.inputs(batch)
        ranks = torch.arange(x.shape[1], device=x.device).clamp(max=POSITIONS - 1)
        x = x + self.position(ranks)
        for block in self.blocks:
            x = block(x, batch.mask)
        predictions: Predictions = self.heads(x, batch.features)
        return predictions
