"""What the inputs give away of each part of the simulated truth, and what an oracle without the part loses: `armmt world` runs this before
anything is trained.

Nothing that is compared or exported learns here. The parts are the truth's, written for this by `armmt world`; a regression (LightGBM)
learns each from what a model reads of training lists, and is judged on test lists with other shoppers and other queries. R² counts
differences within a list; of a variable of the whole search, differences between searches.
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
from armmt.training.train_trees import Columns
from armmt.training.word_views import CHUNK, WordViews

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

    def __init__(self, lists: Lists, truth: Truth, columns: Columns) -> None:
        self.lists = lists
        self.row = np.array([truth.rows[query] for query in lists.query_ids])
        parts: list[NDArray[np.float32]] = []
        for some in torch.split(torch.arange(len(self.lists)), CHUNK):
            batch, _, values = columns.at(lists, some)
            parts.append(values[batch.mask.bool()].numpy())
        self.columns = np.concatenate(parts)
        lengths = lists.lengths.numpy()
        self.list_of = np.repeat(np.arange(len(lengths)), lengths)
        self.place = np.arange(len(self.list_of)) - np.repeat(np.cumsum(lengths) - lengths, lengths)

    def of(self, truth: Truth, part: int) -> Floats:
        """The part's value of each candidate"""
        values: Floats = truth.targets[part][self.row[self.list_of], self.place].astype(np.float64)
        return values

    def padded(self, values: Floats) -> Tensor:
        """The same as [N, K]"""
        result = torch.zeros(tuple(self.lists.items.shape))
        result[torch.from_numpy(self.list_of), torch.from_numpy(self.place)] = torch.from_numpy(values).float()
        return result

    def meant(self, views: WordViews, left_out: bool) -> NDArray[np.float32]:
        """[R, WIDTH] what the words mean for a part"""
        parts = []
        for some in torch.split(torch.arange(len(self.lists)), CHUNK):
            batch, _ = self.lists.batch(some)
            parts.append(views.columns(batch, views.own[some] if left_out else None)[batch.mask.bool()].numpy())
        result: NDArray[np.float32] = np.concatenate(parts)
        return result


def predict(splits: dict[str, Split], truth: Truth, part: int) -> Floats:
    """The test candidates' values by a regression on training lists, stopped by the validation lists"""
    values = {name: split.of(truth, part) for name, split in splits.items()}
    views = WordViews(splits["train"].lists, splits["train"].padded(values["train"]))
    columns = {name: np.concatenate([split.columns, split.meant(views, name == "train")], 1) for name, split in splits.items()}
    known = lgb.Dataset(columns["train"], values["train"])
    held_out = lgb.Dataset(columns["validation"], values["validation"], reference=known)
    stop = lgb.early_stopping(PATIENCE, verbose=False)
    booster = lgb.train(PARAMETERS, known, ROUNDS, valid_sets=[held_out], callbacks=[stop])
    return np.asarray(booster.predict(columns["test"], num_threads=1), dtype=np.float64)


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
    still, all_there = (np.bincount(test.list_of, squares, count).astype(np.float64) for squares in (left, values**2))
    return still, all_there


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
    lists = {name: Lists(folder, name) for name in ("train", "validation", "test")}
    columns = Columns(lists["train"], torch.from_numpy(np.load(folder / "tokens.npy")))
    splits = {name: Split(each, truth, columns) for name, each in lists.items()}
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
    counts = {"train": len(lists["train"]), "test": len(test.lists), "queries": len(numbers)}
    return {"lists": counts, "engine": float(engine.mean()), "oracle": float(oracle.mean()), "parts": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, required=True, help="folder that `armmt lists` wrote")
    parser.add_argument("--parts", type=Path, required=True, help="folder that `armmt world` wrote")
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    write_json(a.out, probe(a.lists, a.parts))


if __name__ == "__main__":
    main()
