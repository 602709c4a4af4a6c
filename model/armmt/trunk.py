"""The path that teacher and student share: query, items and history -> one vector per candidate, seen in its list.

Level 1 fuses text and image into the item; level 2 fuses item, features and the shopper's taste; MPSA then looks along the list.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.contract import FEATURE_DIM, IMAGE_DIM, TEXT_DIM
from armmt.layers import ContextAwareFusion, MultiPerspectiveSelfAttention, QueryTower, TargetAttention, masked_mean


class Views(NamedTuple):
    """What the heads read."""

    listed: Tensor  # [B, K, d] the candidate among its neighbours
    personal: Tensor  # [B, K, d] the candidate for this shopper
    item: Tensor  # [B, K, d] text and image, fused
    taste: Tensor  # [B, K, d] what the shopper's recent items say of it, by text and image alone
    gate: Tensor  # [B, K, 2] weight of text and of image


class Trunk(nn.Module):
    """Query, items and history -> one vector per candidate. Width and depth tell teacher from student."""

    def __init__(self, width: int, depth: int, token_vectors: Tensor | None = None) -> None:
        super().__init__()
        self.query = QueryTower(width, token_vectors)
        self.features = nn.Sequential(nn.Linear(FEATURE_DIM, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        # A modality with the query's view of it: without the product with the query no layer could tell "striped" from a picture.
        self.text = nn.Linear(TEXT_DIM, width)
        self.text_asked = nn.Linear(width, width)
        self.text_view = nn.Linear(2 * width + 1, width)
        self.image = nn.Linear(IMAGE_DIM, width)
        self.image_asked = nn.Linear(width, width)
        self.image_view = nn.Linear(2 * width + 1, width)
        # Level 1, the item: text and image, weighed by query, features and what the list is like.
        self.item = ContextAwareFusion(width, sources=2, own=width, shared=2 * width, hidden=width)
        self.interest = TargetAttention(IMAGE_DIM + TEXT_DIM, width)
        self.shopper = nn.Linear(IMAGE_DIM + TEXT_DIM, width)
        self.taste = nn.Linear(IMAGE_DIM + TEXT_DIM + 3, width)
        # Level 2, the item for this shopper: item, features and taste, weighed by query and shopper.
        self.personal = ContextAwareFusion(width, sources=3, own=0, shared=2 * width, hidden=width)
        self.lists = nn.ModuleList(MultiPerspectiveSelfAttention(width, 3, 2 * width) for _ in range(depth))
        self.fuse = nn.Linear(3 * width, width)

    def forward(
        self,
        query_token_ids: Tensor,
        query_mask: Tensor,
        image: Tensor,
        text: Tensor,
        features: Tensor,
        presence: Tensor,
        history_image: Tensor,
        history_text: Tensor,
        history_mask: Tensor,
        mask: Tensor,
    ) -> Views:
        """The ten tensors of ListBatch -> Views"""
        lexical, asked = self.query(query_token_ids, query_mask)  # [B, Dt], [B, d]
        x = self.features(features)  # [B, K, d]

        word_match = torch.matmul(text, lexical.unsqueeze(2))  # [B, K, 1]
        t = self.text(text)
        t_match = t * self.text_asked(asked).unsqueeze(1)
        e_text = F.relu(self.text_view(torch.cat([t, t_match, word_match * 3.0], -1)))
        v = self.image(image)
        v_match = v * self.image_asked(asked).unsqueeze(1)
        e_image = F.relu(self.image_view(torch.cat([v, v_match, v_match.sum(-1, keepdim=True)], -1)))

        neighbours = masked_mean(e_text + e_image, mask)  # [B, d]
        present = torch.cat([presence[..., 1:2], presence[..., 0:1]], -1)
        r, gate = self.item([e_text, e_image], x, torch.cat([asked, neighbours], -1), present)

        candidates = torch.cat([image, text], -1)  # [B, K, Di + Dt]
        history = torch.cat([history_image, history_text], -1)  # [B, H, Di + Dt]
        attended, closeness = self.interest(candidates, history, history_mask)
        recent = masked_mean(history, history_mask)  # [B, Di + Dt]
        image_likeness = torch.matmul(image, recent[:, :IMAGE_DIM].unsqueeze(2))  # [B, K, 1]
        text_likeness = torch.matmul(text, recent[:, IMAGE_DIM:].unsqueeze(2))
        s = F.relu(self.taste(torch.cat([candidates * attended, closeness, image_likeness, text_likeness], -1)))
        p, _ = self.personal([r, x, s], None, torch.cat([asked, self.shopper(recent)], -1))

        views = torch.stack([r, p, x], 1)  # [B, 3, K, d]
        for layer in self.lists:
            views = layer(views, mask)
        h = self.fuse(torch.cat([views[:, 0], views[:, 1], views[:, 2]], -1))
        return Views(h, p, r, s, gate)
