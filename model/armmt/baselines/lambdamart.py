"""LambdaMART (Burges, MSR-TR-2010-82) by LightGBM's lambdarank.

Trees multiply nothing and embed no words, so the products that the neural baselines have are columns, and the query is its lexical vector
beside them. Position bias: LightGBM's own `position` (Unbiased LambdaMART in kind: one additive bias per position, learned along with the
trees and dropped when scoring), the counterpart of the examination tower. Candidates that were not shown are not trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from armmt.model.contract import ListBatch
from armmt.model.layers import masked_mean
from armmt.training.data import Lists, modality_dropout
from armmt.training.examination import PAGE

#: Lists trained on at most: 216 columns of 80,000 lists are about two gigabytes.
MOST_LISTS = 80_000
CHUNK = 512


@dataclass(frozen=True)
class TreeOptions:
    """Options of the trees."""

    rounds: int = 200
    rate: float = 0.1
    leaves: int = 31
    leaf_rows: int = 50
    column_share: float = 0.5
    seed: int = 1
    dropout: bool = False
    most_lists: int = MOST_LISTS


def columns(batch: ListBatch, token_vectors: Tensor) -> Tensor:
    """-> [B, K, C]: features, presence, text, image, the query's lexical vector, and the products"""
    words = torch.matmul(batch.query_mask.unsqueeze(1), token_vectors[batch.query_token_ids.long()]).squeeze(1)
    lexical = words / (words.square().sum(1, keepdim=True) + 1e-6).sqrt()
    products = [
        torch.matmul(batch.text, lexical.unsqueeze(2)),
        torch.matmul(batch.text, masked_mean(batch.history_text, batch.history_mask).unsqueeze(2)),
        torch.matmul(batch.image, masked_mean(batch.history_image, batch.history_mask).unsqueeze(2)),
    ]
    k = batch.mask.shape[1]
    shared = torch.cat([lexical, batch.history_mask[:, :1]], -1).unsqueeze(1).expand(-1, k, -1)
    return torch.cat([batch.features, batch.presence, batch.text, batch.image, shared, *products], -1)


def training_set(lists: Lists, token_vectors: Tensor, options: TreeOptions) -> lgb.Dataset:
    """Shown candidates of (some of) the lists, with their gain as label and their position"""
    generator = torch.Generator().manual_seed(options.seed)
    rows = torch.randperm(len(lists), generator=generator)[: options.most_lists].sort().values
    parts: list[NDArray[np.float32]] = []
    gains: list[NDArray[np.float32]] = []
    positions: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    for some in torch.split(rows, CHUNK):
        batch, labels = lists.batch(some)
        if options.dropout:
            batch = modality_dropout(batch, generator)
        shown = (labels.position > 0) & (batch.mask > 0)
        parts.append(columns(batch, token_vectors)[shown].cpu().numpy())
        gains.append(labels.gain[shown].cpu().numpy())
        positions.append((labels.position[shown] - 1).clamp(max=PAGE - 1).cpu().numpy())
        counts.append(shown.sum(1).cpu().numpy())
    group = np.concatenate(counts)
    return lgb.Dataset(np.concatenate(parts), np.concatenate(gains), group=group[group > 0], position=np.concatenate(positions))


def fit_trees(lists: Lists, token_vectors: Tensor, options: TreeOptions) -> lgb.Booster:
    """Trains on one thread; the same lists and options give the same trees"""
    parameters: dict[str, Any] = {
        "objective": "lambdarank",
        "label_gain": [0, 1, 2, 3, 4],  # the gain itself: a click 1, the cart 1 more, a purchase 2 more
        "lambdarank_truncation_level": 30,
        "learning_rate": options.rate,
        "num_leaves": options.leaves,
        "min_data_in_leaf": options.leaf_rows,
        "feature_fraction": options.column_share,
        "seed": options.seed,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }
    return lgb.train(parameters, training_set(lists, token_vectors.to(lists.where), options), num_boost_round=options.rounds)


def score_trees(booster: lgb.Booster, lists: Lists, token_vectors: Tensor) -> NDArray[np.float32]:
    """Scores of every list [N, K], rows as in lists.parquet, zero where padded"""
    vectors = token_vectors.to(lists.where)
    scores = np.zeros(tuple(lists.items.shape), dtype=np.float32)
    for rows in torch.split(torch.arange(len(lists)), CHUNK):
        batch, _ = lists.batch(rows)
        real = batch.mask.bool()
        part = np.zeros(tuple(real.shape), dtype=np.float32)
        part[real.cpu().numpy()] = booster.predict(columns(batch, vectors)[real].cpu().numpy(), num_threads=1)
        scores[rows.numpy(), : part.shape[1]] = part
    return scores
