"""SetRank (Pang et al., SIGIR 2020, arXiv:1912.05891): stacked multi-head self-attention without position.

The variant with plain self-attention blocks (MSAB): induced points save time for long lists, and ours have a hundred candidates at most.
Ordinal embeddings are left out: the engine's rank is among the features. The scores move with the candidates when these are permuted.
"""

from __future__ import annotations

from torch import Tensor, nn

from armmt.baselines.attention import EncoderBlock
from armmt.baselines.inputs import Heads, Inputs
from armmt.model.contract import ListBatch
from armmt.model.ranker import Predictions, Ranker


class SetRank(Ranker):
    """Input layer, self-attention blocks, heads."""

    def __init__(self, token_vectors: Tensor | None = None, width: int = 64, blocks: int = 3, heads: int = 4, inner: int = 128) -> None:
        super().__init__()
        self.inputs = Inputs(width, token_vectors)
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, inner) for _ in range(blocks))
        self.heads = Heads(width, width)

    def forward(self, *tensors: Tensor) -> Predictions:
        """The ten tensors of ListBatch in order -> Predictions"""
        batch = ListBatch(*tensors)
        x = self.inputs(batch)
        for block in self.blocks:
            x = block(x, batch.mask)
        predictions: Predictions = self.heads(x, batch.features)
        return predictions
