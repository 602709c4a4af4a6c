"""What the words of a query mean for pictures and titles, without a net: per token the mean of what candidates showed more of where
something was the case. A tree has it as columns, because it multiplies nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from armmt.model.contract import IMAGE_DIM, ListBatch
from armmt.training.data import Lists

CHUNK = 512
#: A token counts as if so many lists more had told nothing: a rare word says little.
SHRINKAGE = 3.0


def seen_vectors(image: Tensor, text: Tensor) -> Tensor:
    """[..., D]: picture, title, and a one that leaves the tokens' own mean"""
    return torch.cat([image, text, torch.ones_like(image[..., :1])], -1)


class WordViews:
    """Per token, the sum over lists with it of (value x vectors) of the candidates. `values` [N, K]: 0 where nothing is known; a click
    above what is usual at its position, for instance. Lists that are summed are left out of their own columns, or they would hold their
    label."""

    WIDTH = 3

    def __init__(self, lists: Lists, values: Tensor) -> None:
        owns = []
        for rows in torch.split(torch.arange(len(lists)), CHUNK):
            items = lists.items[rows]
            vectors = seen_vectors(lists.image[items], lists.text[items])
            owns.append(torch.matmul(values[rows].unsqueeze(1), vectors).squeeze(1))
        self.own = torch.cat(owns)  # [N, D]
        tokens = lists.tokens.long().sort(1).values
        real = tokens > 0
        real[:, 1:] &= tokens[:, 1:] != tokens[:, :-1]  # once per list, so that leaving a list out leaves nothing of it
        size = int(tokens.max()) + 1
        each = self.own.repeat_interleave(real.sum(1), 0)
        self.sums = torch.zeros(size, each.shape[1], device=each.device).index_add_(0, tokens[real], each)
        self.counts = torch.zeros(size, device=each.device).index_add_(0, tokens[real], torch.ones_like(each[:, 0]))

    def columns(self, batch: ListBatch, own: Tensor | None = None) -> Tensor:
        """-> [B, K, WIDTH]: the products of picture and of title with the mean of the query's tokens, and what the tokens mean alone. `own`
        [B, D] is taken off, of lists that were summed."""
        tokens = batch.query_token_ids.long()
        known = batch.query_mask * (tokens < len(self.sums))
        tokens = tokens.clamp(max=len(self.sums) - 1)
        sums, counts = self.sums[tokens], self.counts[tokens]
        if own is not None:
            sums, counts = sums - own.unsqueeze(1), counts - 1.0
        means = sums / (counts + SHRINKAGE).unsqueeze(2)
        meant = torch.matmul(known.unsqueeze(1), means) / known.sum(1).clamp(min=1.0).view(-1, 1, 1)  # [B, 1, D]
        products = seen_vectors(batch.image, batch.text) * meant
        parts = [products[..., :IMAGE_DIM].sum(-1), products[..., IMAGE_DIM:-1].sum(-1), products[..., -1]]
        return torch.stack(parts, -1)


def above_usual(lists: Lists) -> Tensor:
    """[N, K] gain less what is usual at its position, 0 where nothing was shown"""
    gain = lists.click + lists.cart + 2.0 * lists.purchase
    shown = (lists.position > 0).float()
    position = lists.position
    size = int(position.max()) + 1
    sums = torch.zeros(size, device=gain.device).index_add_(0, position.flatten(), (gain * shown).flatten())
    counts = torch.zeros(size, device=gain.device).index_add_(0, position.flatten(), shown.flatten())
    result: Tensor = (gain - (sums / counts.clamp(min=1.0))[position]) * shown
    return result
