"""The path that teacher and student share: query, items and history -> one vector per candidate, seen in its list.

Level 1 fuses text and image into the item; level 2 fuses item, features and the shopper's interest. The features hold what the candidate
stands among; MPSA, where it is on, looks along the list at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from armmt.model.contract import FEATURE_DIM, IMAGE_DIM, TEXT_DIM
from armmt.model.layers import (
    ASPECTS,
    LIKENESSES,
    ContextAwareFusion,
    MultiPerspectiveSelfAttention,
    QueryTower,
    Rectifier,
    Surroundings,
    TargetAttention,
    WordMatch,
    histogram,
    masked_mean,
    relu,
)


@dataclass(frozen=True)
class Components:
    """Enabled components of ARMMT, and of what stands in their place; the whole model has those that are on by default."""

    cafu: bool = True  # False: text and image weigh the same, always
    context: bool = True  # False: CAFU sees the squeezed sources alone
    personal: bool = True  # False: the shopper's history is not read, and the personalised level is left out
    attention: bool = True  # False: the mean of the recent items stands for them, whichever the candidate
    histograms: bool = False  # True: beside it, how many recent items are how much like the candidate; nothing is learned in it
    surroundings: bool = True  # False: neither likeness to the list nor the features of what is alike in it
    mpsa: bool = False  # True: learned attention along the list
    auxiliary: bool = True  # False: no task on the multimodal path


WHOLE = Components()


class Views(NamedTuple):
    """Input of the heads."""

    listed: Tensor  # [B, K, d] the candidate among its neighbours
    personal: Tensor  # [B, K, d] the candidate for this shopper
    item: Tensor  # [B, K, d] text and image, fused
    interest: Tensor | None  # [B, K, d] how the shopper's recent items relate to it, by text and image alone
    gate: Tensor  # [B, K, 2] share of text and of image in what the shopper is shown to like; sums to 1


class Modality(nn.Module):
    """One modality of the candidates, with the query's view of it: without the product with the query no layer could tell "striped" from a
    picture."""

    def __init__(self, dim: int, width: int, extra: int) -> None:
        super().__init__()
        self.seen = nn.Linear(dim, width)
        self.asked = nn.Linear(width, width)
        self.view = nn.Linear(2 * width + 1 + extra, width)

    def forward(self, vectors: Tensor, asked: Tensor, *extra: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """vectors [B, K, dim], asked [B, d], extra [B, K, e] -> view [B, K, d], match [B, K, 1], the vectors' projection [B, K, d]"""
        seen = self.seen(vectors)
        products = seen * self.asked(asked).unsqueeze(1)
        match = products.sum(-1, keepdim=True)
        return relu(self.view(torch.cat([seen, products, match, *extra], -1))), match, seen


class UserInterest(nn.Module):
    """Attention of each candidate over the shopper's recent items, by one modality."""

    def __init__(self, dim: int, width: int, attention: bool = True) -> None:
        super().__init__()
        self.interest = TargetAttention(dim) if attention else None
        self.out = nn.Linear(dim + 1, width)

    def forward(self, candidates: Tensor, history: Tensor, mask: Tensor, recent: Tensor, likeness: Tensor) -> Tensor:
        """candidates [B, K, dim], history [B, H, dim], mask [B, H], its mean [B, dim], likeness to that [B, K, 1] -> [B, K, d]"""
        attended = recent.unsqueeze(1) if self.interest is None else self.interest(candidates, history, mask)
        return relu(self.out(torch.cat([candidates * attended, likeness], -1)))


class UserAffinity(nn.Module):
    """Affinity of each candidate to the mean of the shopper's recent items: products in a learned space, where the plain likeness of two
    vectors sees only the directions that the encoder finds important."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.candidate = nn.Linear(dim, width)
        self.shopper = nn.Linear(dim, width)

    def forward(self, candidates: Tensor, recent: Tensor) -> Tensor:
        """candidates [B, K, dim], recent [B, dim] -> [B, K, d]"""
        affinity: Tensor = self.candidate(candidates) * self.shopper(recent).unsqueeze(1)
        return affinity


class Backbone(nn.Module):
    """Query, items and history -> one vector per candidate. Width and depth tell teacher from student."""

    def __init__(self, width: int, depth: int, token_vectors: Tensor | None = None, components: Components = WHOLE) -> None:
        super().__init__()
        self.components = components
        fusion = partial(ContextAwareFusion, width, hidden=width, weighted=components.cafu, contextual=components.context)
        self.query = QueryTower(width, token_vectors)
        # The features of a candidate, together with how well query and shopper match it: words, picture, recent items.
        matches = 2 + ASPECTS + 1 + WordMatch.MATCHES + (2 + width if components.personal else 0)
        if components.personal and components.histograms:
            matches += 2 * len(LIKENESSES)
        if components.surroundings:
            matches += Surroundings.COLUMNS
            self.surroundings = Surroundings()
        self.words = WordMatch(width)
        self.features = nn.Sequential(nn.Linear(FEATURE_DIM + matches, 2 * width), Rectifier(), nn.Linear(2 * width, width))
        self.text = Modality(TEXT_DIM, width, ASPECTS)
        self.image = Modality(IMAGE_DIM, width, 0)
        # The shopper: the mean of the recent items, and how alike they are by text and by image. A shopper whose items look alike goes by
        # looks.
        if components.personal and components.cafu and components.context:
            self.shopper = nn.Linear(IMAGE_DIM + TEXT_DIM + 3, width)
        around = 3 * width if components.personal else 2 * width
        # Level 1, the item: text and image, weighed by query, features, what the list is like, and who looks.
        self.item = fusion(sources=2, own=width, shared=around)
        if components.personal:
            self.text_leaning = UserAffinity(TEXT_DIM, width // 2)
            self.image_leaning = UserAffinity(IMAGE_DIM, width // 2)
            self.text_taste = UserInterest(TEXT_DIM, width, components.attention)
            self.image_taste = UserInterest(IMAGE_DIM, width, components.attention)
            # Level 2, the item for this shopper: item, features and interest by text and by image, weighed by query and shopper.
            self.personal = fusion(sources=4, own=0, shared=2 * width)
        perspectives = 3 if components.personal else 2
        self.lists = nn.ModuleList(MultiPerspectiveSelfAttention(width, perspectives) for _ in range(depth if components.mpsa else 0))
        self.fuse = nn.Linear(perspectives * width, width)

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
        components = self.components
        query = self.query(query_token_ids, query_mask)
        asked = query.view  # [B, d]
        word_match = torch.matmul(text, query.lexical.transpose(1, 2) * 3.0)  # [B, K, ASPECTS]
        e_text, _, seen_text = self.text(text, asked, word_match)
        e_image, picture_match, seen_image = self.image(image, asked)
        matches = [presence, word_match, picture_match, self.words(query, query_mask, seen_image, seen_text, text)]
        around = [asked, masked_mean(e_text + e_image, mask)]
        who = [asked]
        if components.personal:
            recent_image = masked_mean(history_image, history_mask)  # [B, Di]
            recent_text = masked_mean(history_text, history_mask)
            text_likeness = torch.matmul(text, recent_text.unsqueeze(2))  # [B, K, 1]
            image_likeness = torch.matmul(image, recent_image.unsqueeze(2))
            matches += [text_likeness, image_likeness, self.text_leaning(text, recent_text), self.image_leaning(image, recent_image)]
            if components.histograms:
                matches += [histogram(text, history_text, history_mask), histogram(image, history_image, history_mask)]
            if components.cafu and components.context:
                alike = [recent_text.square().sum(1, keepdim=True), recent_image.square().sum(1, keepdim=True), history_mask[:, :1]]
                who.append(self.shopper(torch.cat([recent_image, recent_text, *alike], -1)))
                around.append(who[1])
        if components.surroundings:
            matches.append(self.surroundings(text, image, features, mask))
        x = self.features(torch.cat([features, *matches], -1))  # [B, K, d]
        present = torch.cat([presence[..., 1:2], presence[..., 0:1]], -1)
        r, gate = self.item([e_text, e_image], x, torch.cat(around, -1), present)
        if not components.personal:
            return Views(self.look_along([r, x], mask), r, r, None, gate)

        s_text = self.text_taste(text, history_text, history_mask, recent_text, text_likeness)
        s_image = self.image_taste(image, history_image, history_mask, recent_image, image_likeness)
        there = torch.cat([torch.ones_like(present), present], -1)
        p, weights = self.personal([r, x, s_text, s_image], None, torch.cat(who, -1), there)
        # How much of p is text and how much image, through the item or through the interest.
        share = weights[..., :1] * gate + weights[..., 2:]
        h = self.look_along([r, p, x], mask)
        return Views(h, p, r, s_text + s_image, share / share.sum(-1, keepdim=True))

    def look_along(self, perspectives: list[Tensor], mask: Tensor) -> Tensor:
        """S x [B, K, d] -> [B, K, d], through MPSA where that is on"""
        if len(self.lists) > 0:
            views = torch.stack(perspectives)
            for layer in self.lists:
                views = layer(views, mask)
            perspectives = list(views.unbind(0))
        fused: Tensor = self.fuse(torch.cat(perspectives, -1))
        return fused
