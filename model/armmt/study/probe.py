"""What the inputs give away of each part of the simulated truth, and what an oracle without the part loses: `armmt world` runs this before
anything is trained.

Nothing that is compared or exported learns here. The parts are the truth's, written for this by `armmt world`; a regression (LightGBM) learns
each from what a model reads of training lists, and is judged on test lists with other shoppers and other queries. R² counts differences within
a list; of a variable of the whole search, differences between searches.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from armmt.study.intervals import Floats, Interval, TwoWayBootstrap
from armmt.training.data import Lists
from armmt.training.runtime import prepare, progress, write_json
from armmt.training.train_trees import CHUNK, Columns

ROUNDS, PATIENCE = 300, 30
PARAMETERS: dict[str, Any] = {
    "objective": "regression",
    "learning_rate": 0.06,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.5,
    "seed": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Truth:
    """What `armmt world` wrote, in its own order of queries."""

    rows: dict[str, int]  # query id -> row
    names: list[str]
    of_search: list[bool]
    worth: Floats  # [2 + parts, rows]: engine, oracle, oracle without each part; NaN outside the test split
    targets: NDArray[np.float32]  # [parts, rows, longest]

    @staticmethod
    def read(folder: Path) -> Truth:
        about = json.loads((folder / "parts.json").read_text())
        rows = {query: row for row, query in enumerate(about["queries"])}
        targets = np.load(folder / "targets.npy")
        names = [part["name"] for part in about["parts"]]
        return Truth(
            rows,
            names,
            [part["ofSearch"] for part in about["parts"]],
            np.load(folder / "worth.npy").astype(np.float64),
            targets.reshape(len(names), len(rows), -1),
        )


class Split:
    """The candidates of one split, one row each, and which list each is of."""

    def __init__(self, folder: Path, split: str, truth: Truth, words: Tensor) -> None:
        self.lists = Lists(folder, split)
        self.row = np.array([truth.rows[query] for query in self.lists.query_ids])
        columns = Columns(self.lists, words)
        parts: list[NDArray[np.float32]] = []
        for some in torch.split(torch.arange(len(self.lists)), CHUNK):
            batch, _ = self.lists.batch(some)
            parts.append(columns.of(batch)[batch.mask.bool()].numpy())
        self.columns = np.concatenate(parts)
        lengths = self.lists.lengths.numpy()
        self.list_of = np.repeat(np.arange(len(lengths)), lengths)
        self.place = np.arange(len(self.list_of)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        self.item = self.lists.items[torch.from_numpy(self.list_of), torch.from_numpy(self.place)]

    def of(self, truth: Truth, part: int) -> Floats:
        """The part's value of each candidate"""
        values: Floats = truth.targets[part][self.row[self.list_of], self.place].astype(np.float64)
        return values


class Match:
    """What words of the query mean for a part: per token, the sum over training lists of (the part's value x a candidate's vectors). A
    candidate's match is its product with the mean of its query's tokens; a training list is left out of its own."""

    def __init__(self, training: Split, values: Floats) -> None:
        lists = training.lists
        self.vectors = torch.cat([lists.image, lists.text, torch.ones(len(lists.image), 1)], 1)
        weighted = self.vectors[training.item] * torch.from_numpy(values).float().unsqueeze(1)
        count = len(lists)
        self.own = torch.zeros(count, self.vectors.shape[1]).index_add_(0, torch.from_numpy(training.list_of), weighted)
        rows = int(lists.tokens.max()) + 1
        tokens, real = lists.tokens.long(), lists.tokens > 0
        self.sums = torch.zeros(rows, self.vectors.shape[1]).index_add_(0, tokens[real], self.own.repeat_interleave(real.sum(1), 0))
        self.counts = torch.zeros(rows).index_add_(0, tokens[real], torch.ones(int(real.sum())))

    def columns(self, split: Split, is_training: bool) -> NDArray[np.float32]:
        """[R, 3]: by picture, by title, and the tokens' mean alone"""
        tokens = split.lists.tokens.long()
        real = ((tokens > 0) & (tokens < len(self.sums))).float()
        tokens = tokens.clamp(max=len(self.sums) - 1)
        less = 1.0 if is_training else 0.0
        sums = self.sums[tokens] - less * (self.own.unsqueeze(1) if is_training else 0.0)
        each = sums / (self.counts[tokens] - less + 3.0).unsqueeze(2)  # shrunk: a rare word says little
        meant = (each * real.unsqueeze(2)).sum(1) / real.sum(1, keepdim=True).clamp(min=1.0)  # [N, D]
        products = meant[torch.from_numpy(split.list_of)] * self.vectors[split.item]
        image = split.lists.image.shape[1]
        parts = [products[:, :image].sum(1), products[:, image:-1].sum(1), products[:, -1]]
        result: NDArray[np.float32] = torch.stack(parts, 1).numpy()
        return result


def predict(splits: dict[str, Split], truth: Truth, part: int) -> Floats:
    """The test candidates' values by a regression on training lists, stopped by the validation lists"""
    values = {name: split.of(truth, part) for name, split in splits.items()}
    match = Match(splits["train"], values["train"])
    columns = {
        name: np.concatenate([split.columns, match.columns(split, name == "train")], 1) for name, split in splits.items()
    }
    known = lgb.Dataset(columns["train"], values["train"])
    held_out = lgb.Dataset(columns["validation"], values["validation"], reference=known)
    stop = lgb.early_stopping(PATIENCE, verbose=False)
    booster = lgb.train(PARAMETERS, known, ROUNDS, valid_sets=[held_out], callbacks=[stop])
    predicted: Floats = booster.predict(columns["test"], num_threads=1)
    return predicted


def explained(test: Split, truth: Truth, part: int, predicted: Floats, usual: float) -> tuple[Floats, Floats]:
    """Per list: squares that are left, squares there were"""
    count = len(test.lists)
    lengths = np.bincount(test.list_of, minlength=count)
    means = np.bincount(test.list_of, predicted, count) / lengths
    values = test.of(truth, part)
    if truth.of_search[part]:
        value = np.bincount(test.list_of, values, count) / lengths
        return (value - means) ** 2, (value - usual) ** 2
    left = (values - (predicted - means[test.list_of])) ** 2
    return np.bincount(test.list_of, left, count), np.bincount(test.list_of, values**2, count)


def share_of(bootstrap: TwoWayBootstrap, above: Floats, below: Floats, queries: int) -> Interval:
    return bootstrap.interval(bootstrap.sums("", above[None]), bootstrap.sums("", below[None]), [1], queries)


def row_of(value: Interval, one_less: bool = False) -> dict[str, float | None]:
    if one_less:
        high, low = (None if bound is None else 1 - bound for bound in (value.low, value.high))
        return {"mean": 1 - value.mean, "low": low, "high": high}
    return {"mean": value.mean, "low": value.low, "high": value.high}


def probe(folder: Path, parts: Path) -> dict[str, Any]:
    prepare(1, threads=1)
    truth = Truth.read(parts)
    words = torch.from_numpy(np.load(folder / "tokens.npy"))
    splits = {name: Split(folder, name, truth, words) for name in ("train", "validation", "test")}
    test = splits["test"]
    # The text of a query is its tokens.
    texts = [tuple(row) for row in test.lists.tokens.tolist()]
    numbers = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    bootstrap = TwoWayBootstrap(np.array([numbers[text] for text in texts]), seed=1)
    worth = truth.worth[:, test.row]
    engine, oracle = worth[0], worth[1]
    rows = []
    bar = progress(len(truth.names), "Probing parts")
    for part, name in enumerate(truth.names):
        headroom = share_of(bootstrap, oracle - worth[2 + part], oracle - engine, len(numbers))
        usual = float(splits["train"].of(truth, part).mean())
        left, there = explained(test, truth, part, predict(splits, truth, part), usual)
        if there.sum() > 0:
            readable = row_of(share_of(bootstrap, left, there, len(numbers)), one_less=True)
        else:
            readable = {"mean": 0.0, "low": 0.0, "high": 0.0}  # a part that is nothing
        rows.append({"name": name, "headroom": row_of(headroom), "readable": readable})
        bar.update()
    bar.close()
    lists = {"train": len(splits["train"].lists), "test": len(test.lists), "queries": len(numbers)}
    return {"lists": lists, "engine": float(engine.mean()), "oracle": float(oracle.mean()), "parts": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, required=True, help="folder that `armmt lists` wrote")
    parser.add_argument("--parts", type=Path, required=True, help="folder that `armmt world` wrote")
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    write_json(a.out, probe(a.lists, a.parts))


if __name__ == "__main__":
    main()
