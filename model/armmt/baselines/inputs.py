"""The plain input layer that all neural baselines share, so that none of them lacks an input that the teacher has."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.model.contract import FEATURE_DIM, IMAGE_DIM, TEXT_DIM, ListBatch
from armmt.model.layers import ASPECTS, QueryTower, masked_mean
from armmt.model.ranker import Predictions
from armmt.model.teacher import WIDTH

QUERY_WIDTH = WIDTH  # the same token table as the teacher's


class Inputs(nn.Module):
    """One layer over the concatenation of all that is known of a candidate.

    Of the candidate: scaled features, text and image vector, what is present, its title's products with the query's words, its picture's
    product with a learned view of the query, and its products with the mean of the recent items by text and by image. Of the list: learned
    query embedding and the means of the recent items. The products are there because no layer over a concatenation multiplies.
    """

    def __init__(self, width: int, token_vectors: Tensor | None = None) -> None:
        super().__init__()
        self.query = QueryTower(QUERY_WIDTH, token_vectors)
        self.pictured = nn.Linear(QUERY_WIDTH, IMAGE_DIM)
        self.own = nn.Linear(FEATURE_DIM + TEXT_DIM + IMAGE_DIM + 2 + ASPECTS + 1 + 2, width)
        # What all candidates share is multiplied once per list.
        self.shared = nn.Linear(QUERY_WIDTH + TEXT_DIM + IMAGE_DIM + 1, width, bias=False)

    def forward(self, batch: ListBatch) -> Tensor:
        """-> [B, K, width]"""
        query = self.query(batch.query_token_ids, batch.query_mask)
        lexical, asked = query.lexical, query.view  # [B, ASPECTS, TEXT_DIM], [B, QUERY_WIDTH]
        text, image = batch.text, batch.image
        recent_text = masked_mean(batch.history_text, batch.history_mask)
        recent_image = masked_mean(batch.history_image, batch.history_mask)
        products = [
            torch.matmul(text, lexical.transpose(1, 2)),
            torch.matmul(image, self.pictured(asked).unsqueeze(2)),
            torch.matmul(text, recent_text.unsqueeze(2)),
            torch.matmul(image, recent_image.unsqueeze(2)),
        ]
        own = self.own(torch.cat([batch.features, text, image, batch.presence, *products], -1))
        shared = self.shared(torch.cat([asked, recent_text, recent_image, batch.history_mask[:, :1]], -1))
        return F.relu(own + shared.unsqueeze(1))


class Heads(nn.Module):
    """Logits of a click and of a purchase from one vector per candidate and its scaled features; the teacher's head in form."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(inputs + FEATURE_DIM, width)
        self.out = nn.Linear(width, 2)
        nn.init.constant_(self.out.bias, -1.0)  # most items are not clicked: start there

    def forward(self, views: Tensor, features: Tensor) -> Predictions:
        """[B, K, inputs], [B, K, FEATURE_DIM] -> Predictions"""
        click, purchase = self.out(F.relu(self.inner(torch.cat([views, features], -1)))).unbind(-1)
        return Predictions(click, purchase)
