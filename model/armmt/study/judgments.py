"""Does re-ranking beat BM25 on real human judgments? Cross-validated by query, text and numbers only.

A query is tested once, by models that never saw it. Settings, and the weight that a model gets beside BM25, are chosen by an inner
cross-validation over the training folds. Which query is in which fold was fixed by a hash of its text. Queries with nothing relevant have
no nDCG: they are left out and counted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from armmt.model.contract import FEATURES
from armmt.study.judgment_models import MODELS, Fit, Judged
from armmt.training.data import Lists, padded
from armmt.training.losses import standardise

ENGINE = "bm25"
SPLIT = "cross-validated"
#: What a model's standardised score weighs beside the engine's. 0 leaves the engine's order as it is.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
RESAMPLES = 5000
SCORE = FEATURES.index("score_relative")


class Fold(NamedTuple):
    """One outer fold; both parts hold lists with something relevant only."""

    train: Judged
    test: Judged
    train_folds: list[int]  # of each training list, for the inner folds
    test_queries: list[str]


class Data(NamedTuple):
    """All folds, and how many queries are left out."""

    folds: list[Fold]
    nothing_relevant: int


def read(folder: Path) -> Data:
    """Reads what the judged lists' command wrote: `fold-<n>`, `student.npy` and `judgments.json`"""
    queries: list[dict[str, Any]] = json.loads((folder / "judgments.json").read_text())["queries"]
    row_of = {query["query"]: row for row, query in enumerate(queries)}
    zero_shot = np.load(folder / "student.npy")
    relevant: set[str] = set()

    def part(at: Path, split: str) -> tuple[Judged, list[str]]:
        lists = Lists(at, split)
        batch, _ = lists.batch(torch.arange(len(lists)))
        rating, _ = padded(pq.read_table(at / "lists.parquet", filters=[("split", "==", split)]), "relevance")
        rows = [row_of[name] for name in lists.query_ids]
        tokens = torch.from_numpy(np.load(at / "tokens.npy"))
        judged = Judged(batch, torch.from_numpy(rating).long(), torch.from_numpy(zero_shot[rows, : rating.shape[1]]), tokens)
        kept = torch.nonzero(judged.rating.amax(1) > 0).flatten().tolist()
        names = [lists.query_ids[row] for row in kept]
        relevant.update(names)
        return judged.at(kept), names

    folds: list[Fold] = []
    for fold in sorted({query["fold"] for query in queries}):
        at = folder / f"fold-{fold}"
        train, train_names = part(at, "train")
        test, test_names = part(at, "test")
        folds.append(Fold(train, test, [queries[row_of[name]]["fold"] for name in train_names], test_names))
    return Data(folds, len(queries) - len(relevant))


def in_order(judged: Judged, score: Tensor) -> Iterator[NDArray[np.int64]]:
    """The ratings of each list, best score first; equal scores keep the engine's order"""
    for rating, mask, scores in zip(judged.rating, judged.batch.mask.bool(), score, strict=True):
        yield rating[mask].numpy()[np.argsort(-scores[mask].numpy(), kind="stable")]


def dcg(ratings: NDArray[np.int64], depth: int) -> float:
    """Sum over the first `depth` of (2^rating - 1) / log2(1 + rank)"""
    top = ratings[:depth]
    return float(((2.0**top - 1.0) / np.log2(np.arange(2, len(top) + 2))).sum())


def ndcg(ratings: NDArray[np.int64], depth: int) -> float:
    """DCG over that of the best order of the same judged products; some rating must be above 0"""
    return dcg(ratings, depth) / dcg(np.sort(ratings)[::-1], depth)


def reciprocal_rank(ratings: NDArray[np.int64]) -> float:
    """1 / rank of the first product rated above 0"""
    return 1.0 / (1 + int(np.argmax(ratings > 0)))


METRICS: dict[str, Callable[[NDArray[np.int64]], float]] = {
    "nDCG@10": lambda ratings: ndcg(ratings, 10),
    "nDCG@5": lambda ratings: ndcg(ratings, 5),
    "MRR": reciprocal_rank,
}
CHOSEN_BY = "nDCG@10"


def per_query(judged: Judged, score: Tensor, metric: str) -> NDArray[np.float64]:
    """One figure per list"""
    return np.array([METRICS[metric](ratings) for ratings in in_order(judged, score)])


def engine_score(judged: Judged) -> Tensor:
    """BM25 as the feature code hands it on: scaled between the list's least and greatest, [B, K]"""
    return judged.batch.features[..., SCORE]


def beside_engine(judged: Judged, score: Tensor, weight: float) -> Tensor:
    """(1 - w) z(engine) + w z(model), both standardised within the list"""
    mask = judged.batch.mask
    return (1.0 - weight) * standardise(engine_score(judged), mask) + weight * standardise(score, mask)


class Choice(NamedTuple):
    """Choice of the inner cross-validation."""

    setting: str
    weight: float


def choose(fit: Fit, fold: Fold, seed: int) -> Choice:
    """Setting and weight by the mean nDCG@10 of inner held-out lists; of equals the first setting and the smaller weight"""
    held_out: dict[str, Tensor] = {}
    for inner in sorted(set(fold.train_folds)):
        held = [row for row, at in enumerate(fold.train_folds) if at == inner]
        rest = [row for row, at in enumerate(fold.train_folds) if at != inner]
        for setting, score in fit(fold.train.at(rest), fold.train.at(held), seed).items():
            held_out.setdefault(setting, torch.zeros_like(fold.train.batch.mask))[held] = score

    def worth(score: Tensor) -> float:
        return float(per_query(fold.train, score, CHOSEN_BY).mean())

    setting = max(held_out, key=lambda name: worth(held_out[name]))
    weight = max(WEIGHTS, key=lambda w: worth(beside_engine(fold.train, held_out[setting], w)))
    return Choice(setting, weight)


#: Figures by metric, [queries], in the order of the folds and their test lists.
Figures = dict[str, NDArray[np.float64]]


def gather(folds: list[Fold], scores: list[Tensor]) -> Figures:
    """Figures of all test lists"""
    return {
        metric: np.concatenate([per_query(fold.test, score, metric) for fold, score in zip(folds, scores, strict=True)])
        for metric in METRICS
    }


class Run(NamedTuple):
    """One model with one seed: alone, and beside the engine."""

    alone: Figures
    beside: Figures
    choices: list[Choice]


def cross_validate(folds: list[Fold], fit: Fit, seed: int) -> Run:
    """Chooses, trains on all training folds, and scores the test fold, fold by fold"""
    choices = [choose(fit, fold, seed) for fold in folds]
    scores = [fit(fold.train, fold.test, seed)[choice.setting] for fold, choice in zip(folds, choices, strict=True)]
    both = [beside_engine(fold.test, score, choice.weight) for fold, score, choice in zip(folds, scores, choices, strict=True)]
    return Run(gather(folds, scores), gather(folds, both), choices)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % percentile bootstrap of the mean over queries. The draws are the same for every figure of the same queries."""
    draws = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(1), [0.025, 0.975])
    return float(low), float(high)


def row(model: str, metric: str, values: NDArray[np.float64], seeds: int, split: str, against: str | None = None) -> dict[str, Any]:
    """A row of model/benchmark.json from one value per query"""
    low, high = interval(values)
    found = {"part": "chorus", "level": "chorus", "model": model, "metric": metric, "mean": float(values.mean()), "low": low, "high": high}
    return {**found, "seeds": seeds, "split": split, **({} if against is None else {"against": against})}


def counted(metric: str, count: int) -> dict[str, Any]:
    """A row that says how many queries there are"""
    found = {"part": "chorus", "level": "chorus", "model": ENGINE, "metric": metric, "mean": count, "low": None, "high": None}
    return {**found, "seeds": 1, "split": SPLIT}


def rows_of(results: dict[str, list[Figures]], graded: NDArray[np.bool_], nothing_relevant: int) -> list[dict[str, Any]]:
    """Means over seeds and paired differences to BM25, on all queries and on those whose order matters; results by model, one per seed"""
    rows = [counted("queries", len(graded)), counted("queries left out, nothing relevant", nothing_relevant)]
    for split, kept in ((SPLIT, np.ones_like(graded)), (f"{SPLIT}, queries with more than one grade", graded)):
        for metric in METRICS:
            means = {model: np.mean([seed[metric] for seed in seeds], axis=0)[kept] for model, seeds in results.items()}
            for model, values in means.items():
                rows.append(row(model, metric, values, len(results[model]), split))
                if model != ENGINE:
                    rows.append(row(model, metric, values - means[ENGINE], len(results[model]), split, ENGINE))
    return rows


def run(folder: Path, seeds: int) -> list[dict[str, Any]]:
    """Every model on the judged lists of a folder -> rows of model/benchmark.json"""
    data = read(folder)
    results = {ENGINE: [gather(data.folds, [engine_score(fold.test) for fold in data.folds])]}
    for name, model in MODELS.items():
        each = range(1, (seeds if model.seeded else 1) + 1)
        runs = [cross_validate(data.folds, model.fit, seed) for seed in tqdm(each, desc=name, unit="seed")]
        results[name] = [cross.alone for cross in runs]
        results[f"{name} + {ENGINE}"] = [cross.beside for cross in runs]
        for choice in runs[0].choices:
            tqdm.write(f"{name}, seed 1: {choice.setting}, weight {choice.weight} beside {ENGINE}")
    graded = np.concatenate([[len(set(ratings.tolist())) > 1 for ratings in in_order(f.test, engine_score(f.test))] for f in data.folds])
    return rows_of(results, graded, data.nothing_relevant)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, required=True, help="folder with fold-<n>, student.npy and judgments.json")
    parser.add_argument("--out", type=Path, required=True, help="rows of model/benchmark.json are written here")
    parser.add_argument("--seeds", type=int, default=5, help="runs of every model that depends on a seed")
    a = parser.parse_args()
    torch.set_num_threads(1)
    rows = run(a.lists, a.seeds)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
