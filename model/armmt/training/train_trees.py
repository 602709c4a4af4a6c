"""Trains the teacher that is no net, and the study's LambdaMART (Burges, MSR-TR-2010-82): LightGBM's lambdarank on columns that see the
whole list, stopped early on the validation lists.

A net multiplies query, pictures and history by itself; a tree needs those products as columns, and each column also as its difference from
the list's mean and as its place in the list. Position bias: LightGBM's own `position` (Unbiased LambdaMART in kind), the counterpart of the
examination tower. Leaves the same files as `armmt.training.train_teachers`, so the student takes both alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from armmt.model.contract import ListBatch
from armmt.model.layers import FAR, masked_mean
from armmt.training.data import Labels, Lists
from armmt.training.examination import PAGE
from armmt.training.runtime import prepare, progress, write_json
from armmt.training.word_views import CHUNK, WordViews, above_usual

#: Cosine from which two candidates look or read the same.
NEAR = 0.95
#: A click at a position where few click counts as many, but never as more than so many.
MOST_WEIGHT = 10.0
DEPTH = 10
WEIGHTED = "weighted nDCG@10"
#: Principal directions kept of each kind of vector.
COMPONENTS = 12


@dataclass(frozen=True)
class TreeOptions:
    """Options of the trees."""

    rounds: int = 400  # at most
    patience: int = 40  # rounds without a better weighted nDCG@10 of the validation lists
    rate: float = 0.06
    leaves: int = 24
    leaf_rows: int = 50
    column_share: float = 0.5
    seed: int = 1
    most_lists: int = 80_000  # about 110 columns: a gigabyte


class Columns:
    """Lists -> columns. Directions are those of the catalogue's own vectors, what words mean for pictures is learned from the clicks of
    `lists`, the training lists."""

    def __init__(self, lists: Lists, token_vectors: Tensor) -> None:
        self.lists = lists
        self.views = WordViews(lists, above_usual(lists))
        self.words = token_vectors.to(lists.where)
        self.directions = [directions(vectors) for vectors in (lists.text, lists.image)]

    def at(self, lists: Lists, rows: Tensor) -> tuple[ListBatch, Labels, Tensor]:
        """A batch of lists with its columns [B, K, C]; training lists are left out of what their own words mean"""
        batch, labels = lists.batch(rows)
        return batch, labels, self.of(batch, self.views.own[rows] if lists is self.lists else None)

    def of(self, batch: ListBatch, left_out: Tensor | None = None) -> Tensor:
        """-> [B, K, C]"""
        mask = batch.mask
        own = torch.cat([batch.features, batch.presence, *self.products(batch), self.views.columns(batch, left_out)], -1)
        mean = masked_mean(own, mask).unsqueeze(1)
        projected = [vectors @ axes for vectors, axes in zip((batch.text, batch.image), self.directions, strict=True)]
        shared = torch.stack([mask.sum(1), batch.history_mask.sum(1)], -1).unsqueeze(1).expand(-1, mask.shape[1], -1)
        return torch.cat([own, own - mean, places(own, mask), *projected, shared], -1)

    def products(self, batch: ListBatch) -> list[Tensor]:
        """What a tree cannot multiply: candidate x query, x the shopper's recent items, x the list. Each [B, K, n]"""
        words = self.words[batch.query_token_ids.long()] * batch.query_mask.unsqueeze(-1)
        query = torch.nn.functional.normalize(words.sum(1), dim=-1)
        products = [torch.matmul(batch.text, query.unsqueeze(2)), torch.matmul(batch.text, words.transpose(1, 2)).amax(2, keepdim=True)]
        for vectors, history in ((batch.text, batch.history_text), (batch.image, batch.history_image)):
            likeness = torch.matmul(vectors, history.transpose(1, 2))  # [B, K, H]
            seen = batch.history_mask.unsqueeze(1)
            best = (likeness + (seen - 1.0) * FAR).topk(min(3, likeness.shape[2]), -1).values
            best = torch.where(best > -FAR / 2, best, 0.0)
            among = torch.matmul(vectors, vectors.transpose(1, 2)) * batch.mask.unsqueeze(1)
            products += [
                (likeness * seen).sum(-1, keepdim=True) / seen.sum(-1, keepdim=True).clamp(min=1.0),
                best[..., :1],
                best.mean(-1, keepdim=True),
                among.sum(-1, keepdim=True) / batch.mask.sum(1).view(-1, 1, 1),
                (among > NEAR).float().sum(-1, keepdim=True),
            ]
        return products


def directions(vectors: Tensor) -> Tensor:
    """[N, dim] -> [dim, COMPONENTS] principal directions; the largest entry of each is positive, so that no library chooses the sign"""
    centred = vectors[vectors.abs().sum(1) > 0].double()
    if len(centred) < COMPONENTS:
        return torch.zeros(vectors.shape[1], COMPONENTS, device=vectors.device)
    centred = centred - centred.mean(0)
    axes = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -COMPONENTS:].flip(1)
    largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
    signed: Tensor = (axes * largest.sign()).float()
    return signed


def places(columns: Tensor, mask: Tensor) -> Tensor:
    """[B, K, C] -> share of the list's candidates that are below, in each column; candidates alike have the same place"""
    result = torch.empty_like(columns)
    real = mask.bool()
    for c in range(columns.shape[2]):  # one column at a time: K x K of all of them would not fit
        column = columns[..., c]
        below = (column.unsqueeze(2) > column.unsqueeze(1)) & real.unsqueeze(1)
        result[..., c] = below.sum(-1) / mask.sum(1, keepdim=True)
    return result


class Shown(NamedTuple):
    """The shown candidates of some lists, one row each."""

    columns: NDArray[np.float32]  # [R, C]
    gain: NDArray[np.float32]
    position: NDArray[np.int64]  # from 0
    group: NDArray[np.int64]  # rows of each list, none of them 0


def shown_rows(lists: Lists, columns: Columns, options: TreeOptions) -> Shown:
    """Of all lists, or as many as the options allow, drawn by their seed"""
    generator = torch.Generator().manual_seed(options.seed)
    rows = torch.randperm(len(lists), generator=generator)[: options.most_lists].sort().values
    parts: list[NDArray[np.float32]] = []
    gains: list[NDArray[np.float32]] = []
    positions: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    for some in torch.split(rows, CHUNK):
        batch, labels, values = columns.at(lists, some)
        shown = (labels.position > 0) & (batch.mask > 0)
        parts.append(values[shown].cpu().numpy())
        gains.append(labels.gain[shown].cpu().numpy())
        positions.append((labels.position[shown] - 1).clamp(max=PAGE - 1).cpu().numpy())
        counts.append(shown.sum(1).cpu().numpy())
    group = np.concatenate(counts)
    return Shown(np.concatenate(parts), np.concatenate(gains), np.concatenate(positions), group[group > 0])


def click_weights(training: Shown) -> NDArray[np.float64]:
    """[PAGE] how much a click at each position counts when trees are judged: the first position's rate of clicks over its own.

    Part of that fall is that engines put better items first, so the weights are a little too steep. Without them the trees that repeat the
    order that was shown look best, and training ends after a fifth of the rounds that serve shoppers best (docs/guide/training.md).
    """
    shown = np.bincount(training.position, minlength=PAGE)
    clicked = np.bincount(training.position, weights=training.gain > 0, minlength=PAGE)
    rate = (clicked + 0.5) / (shown + 1.0)
    weights: NDArray[np.float64] = np.clip(rate[0] / rate, 1.0, MOST_WEIGHT)
    return weights


def weighted_ndcg(held_out: Shown, weights: NDArray[np.float64]) -> Callable[[NDArray[Any], Any], tuple[str, float, bool]]:
    """nDCG@10 of clicks weighted by position, over lists with a click, as LightGBM asks for it"""
    gain = held_out.gain * weights[held_out.position]
    list_of = np.repeat(np.arange(len(held_out.group)), held_out.group)
    place = np.arange(len(gain)) - np.repeat(np.cumsum(held_out.group) - held_out.group, held_out.group)
    discount = np.where(place < DEPTH, 1.0 / np.log2(place + 2.0), 0.0)

    def dcg(by: NDArray[Any]) -> NDArray[np.float64]:
        order = np.lexsort((place, -by, list_of))
        sums: NDArray[np.float64] = np.bincount(list_of, gain[order] * discount, len(held_out.group)).astype(np.float64)
        return sums

    ideal = dcg(gain)
    clicked = ideal > 0

    def metric(scores: NDArray[Any], _: Any) -> tuple[str, float, bool]:
        return WEIGHTED, float((dcg(scores)[clicked] / ideal[clicked]).mean()) if clicked.any() else 0.0, True

    return metric


def fit(lists: Lists, validation: Lists, columns: Columns, options: TreeOptions) -> lgb.Booster:
    """Trains on one thread: the same lists and options give the same trees"""
    parameters: dict[str, Any] = {
        "objective": "lambdarank",
        "metric": "none",
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
    training, held_out = (shown_rows(each, columns, options) for each in (lists, validation))
    known = lgb.Dataset(training.columns, training.gain, group=training.group, position=training.position)
    judged = lgb.Dataset(held_out.columns, held_out.gain, group=held_out.group, reference=known)
    bar = progress(options.rounds, "Trees")

    def step(_: Any) -> None:
        bar.update()

    booster = lgb.train(
        parameters,
        known,
        options.rounds,
        valid_sets=[judged],
        feval=weighted_ndcg(held_out, click_weights(training)),
        callbacks=[lgb.early_stopping(options.patience, verbose=False), step],
    )
    bar.close()
    return booster


def score(booster: lgb.Booster, lists: Lists, columns: Columns) -> NDArray[np.float32]:
    """Scores of every list [N, K], rows as in lists.parquet, zero where padded"""
    scores = np.zeros(tuple(lists.items.shape), dtype=np.float32)
    for rows in torch.split(torch.arange(len(lists)), CHUNK):
        batch, _, values = columns.at(lists, rows)
        real = batch.mask.bool()
        part = np.zeros(tuple(real.shape), dtype=np.float32)
        part[real.cpu().numpy()] = booster.predict(values[real].cpu().numpy(), num_threads=1)
        scores[rows.numpy(), : part.shape[1]] = part
    return scores


def train(folder: Path, out: Path, options: TreeOptions) -> lgb.Booster:
    """Writes teacher-trees.txt, teacher-trees.json, and its scores of the training and the validation lists"""
    prepare(options.seed, threads=1)
    started = time.monotonic()
    lists, validation = Lists(folder, "train"), Lists(folder, "validation")
    columns = Columns(lists, torch.from_numpy(np.load(folder / "tokens.npy")))
    booster = fit(lists, validation, columns, options)
    np.save(out / "targets-trees.npy", score(booster, lists, columns))
    np.save(out / "validation-trees.npy", score(booster, validation, columns))
    booster.save_model(out / "teacher-trees.txt")
    best = booster.best_score.get("valid_0", {}).get(WEIGHTED, float("nan"))
    record = {"lists": len(lists), "rounds": booster.best_iteration, "seconds": round(time.monotonic() - started, 1)}
    write_json(out / "teacher-trees.json", {**record, WEIGHTED: round(float(best), 5), "options": asdict(options)})
    return booster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=Path, required=True, help="folder that `armmt lists` wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=TreeOptions.rounds)
    parser.add_argument("--seed", type=int, default=TreeOptions.seed)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    train(a.lists, a.out, TreeOptions(rounds=a.rounds, seed=a.seed))


if __name__ == "__main__":
    main()
