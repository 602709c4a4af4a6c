"""Items just above an item take clicks from it when they are alike. Training only, as the examination tower is.

A log's clicks are those of the list as it was shown: the third black shirt in a row is passed over, and would not be further up. Explained
by its neighbours, it is not held against the item. Ours in form; click models with such an effect go back to Craswell et al. (WSDM 2008)
for order and to "diverse clicks" in re-ranking for likeness (Seq2Slate, arXiv:1810.02019).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.model.contract import IMAGE_DIM, TEXT_DIM, ListBatch

REACH = 6  # positions above that may count


class Neighbours(nn.Module):
    """Likeness of two candidates by picture and by title, each in a learned space, times how near above the one stands."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.image = nn.Linear(IMAGE_DIM, width, bias=False)
        self.text = nn.Linear(TEXT_DIM, width, bias=False)
        # Of cosines, so that only what is much alike counts at the start.
        self.steepness = nn.Parameter(torch.tensor([4.0, 4.0]))
        self.threshold = nn.Parameter(torch.tensor(-5.0))
        self.nearness = nn.Parameter(torch.full((REACH,), -2.0))  # before softplus; first the position just above

    def scalars(self) -> list[nn.Parameter]:
        """Parameters that every pair of every list informs, and that may therefore move fast"""
        return [self.steepness, self.threshold, self.nearness]

    def forward(self, batch: ListBatch, position: Tensor) -> Tensor:
        """Shown positions [B, K], 1-based, 0 = not shown -> what to take off the logit of a click [B, K], not negative"""
        image = F.normalize(self.image(batch.image), dim=-1, eps=1e-3)  # a missing picture is like none
        text = F.normalize(self.text(batch.text), dim=-1, eps=1e-3)
        by_image, by_text = (torch.matmul(vectors, vectors.transpose(1, 2)) for vectors in (image, text))
        alike = torch.sigmoid(self.steepness[0] * by_image + self.steepness[1] * by_text + self.threshold)  # [B, K, K]
        nothing = self.nearness.new_zeros(1)
        weight = torch.cat([nothing, F.softplus(self.nearness), nothing])
        above = (position.unsqueeze(2) - position.unsqueeze(1)).clamp(0, REACH + 1)  # how far above i does j stand
        both = ((position > 0).unsqueeze(2) & (position > 0).unsqueeze(1)).to(alike.dtype)
        return (weight[above] * alike * both).sum(-1)
