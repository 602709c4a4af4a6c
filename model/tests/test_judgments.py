"""Cross-validation on judged lists, on a small world in which the price says what is relevant and the engine does not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from numpy.typing import NDArray

from armmt.model.contract import FEATURE_DIM, FEATURES, IMAGE_DIM, TEXT_DIM, TOKEN_ROWS
from armmt.study import judgments
from armmt.study.judgment_models import MODELS, Fit, Judged, Settings, columns, fit_lambdamart, fit_linear, fit_student
from armmt.study.judgments import (
    Fold,
    beside_engine,
    choose,
    cross_validate,
    engine_score,
    gather,
    interval,
    ndcg,
    read,
    reciprocal_rank,
    rows_of,
)

FOLDS = 3
QUERIES = 30
NOTHING_RELEVANT = 3
EACH = 6
PRICE = FEATURES.index("price_log")
SCORE = FEATURES.index("score_relative")


def write_judged(folder: Path, answer: NDArray[np.int64] | None = None) -> Path:
    """Lists of EACH products; without `answer` [QUERIES, EACH] the two dearest are rated 3 and the engine's score is noise."""
    rng = np.random.default_rng(0)
    features = np.zeros((QUERIES, EACH, FEATURE_DIM), np.float32)
    features[:, :, PRICE] = rng.normal(size=(QUERIES, EACH))
    features[:, :, SCORE] = -np.sort(-rng.random((QUERIES, EACH)), axis=1)
    dearest = np.argsort(np.argsort(-features[:, :, PRICE], axis=1), axis=1)
    rating = np.where(dearest < 2, 3, 0) if answer is None else answer
    rating[:NOTHING_RELEVANT] = 0
    fold_of = [row % FOLDS for row in range(QUERIES)]
    for fold in range(FOLDS):
        at = folder / f"fold-{fold}"
        at.mkdir(parents=True)
        np.save(at / "image.npy", np.zeros((EACH, IMAGE_DIM), np.float32))
        np.save(at / "text.npy", np.eye(EACH, TEXT_DIM, dtype=np.float32))
        np.save(at / "presence.npy", np.tile(np.array([0, 1], np.float32), (EACH, 1)))
        np.save(at / "tokens.npy", np.full((TOKEN_ROWS, TEXT_DIM), TEXT_DIM**-0.5, np.float32))
        (at / "features.json").write_text(json.dumps({"features": [{"name": name, "mean": 0.0, "std": 1.0} for name in FEATURES]}))
        rows = [
            {
                "query_id": f"query {row}",
                "query": f"query {row}",
                "split": "test" if fold_of[row] == fold else "train",
                "randomised": False,
                "token_ids": [1 + row],
                "item_rows": list(range(EACH)),
                "features": features[row].ravel().tolist(),
                "prior": features[row, :, SCORE].tolist(),
                "positions": list(range(1, EACH + 1)),
                "clicks": [0] * EACH,
                "carts": [0] * EACH,
                "purchases": [0] * EACH,
                "history_rows": [],
                "relevance": rating[row].tolist(),
            }
            for row in range(QUERIES)
        ]
        integers = ("token_ids", "item_rows", "positions", "clicks", "carts", "purchases", "history_rows", "relevance")
        types = dict.fromkeys(integers, pa.list_(pa.int32())) | {"features": pa.list_(pa.float32())}
        pq.write_table(
            pa.table({name: pa.array([row[name] for row in rows], type=types.get(name)) for name in rows[0]}), at / "lists.parquet"
        )
    np.save(folder / "student.npy", features[:, :, PRICE])
    queries = [{"query": f"query {row}", "fold": fold_of[row]} for row in range(QUERIES)]
    (folder / "judgments.json").write_text(json.dumps({"format": 1, "student": "test", "queries": queries}))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_judged(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module")
def folds(folder: Path) -> list[Fold]:
    return read(folder).folds


def test_ndcg_and_reciprocal_rank_by_hand() -> None:
    ratings = np.array([0, 3, 1])
    assert ndcg(ratings, 10) == pytest.approx((7 / np.log2(3) + 1 / 2) / (7 + 1 / np.log2(3)))
    assert ndcg(ratings, 1) == 0.0
    assert reciprocal_rank(ratings) == 0.5


def test_every_query_is_tested_once_and_never_by_a_model_that_trained_on_it(folder: Path) -> None:
    data = read(folder)
    assert data.nothing_relevant == NOTHING_RELEVANT
    tested = [name for fold in data.folds for name in fold.test_queries]
    assert sorted(tested) == sorted(f"query {row}" for row in range(NOTHING_RELEVANT, QUERIES))
    for number, fold in enumerate(data.folds):
        assert number not in fold.train_folds
        train, test = (set(part.batch.query_token_ids[:, 0].tolist()) for part in (fold.train, fold.test))
        assert not train & test
        assert len(train) + len(test) == QUERIES - NOTHING_RELEVANT


def test_equal_scores_keep_the_engines_order(folds: list[Fold]) -> None:
    equal = gather(folds, [torch.zeros_like(fold.test.batch.mask) for fold in folds])
    engine = gather(folds, [engine_score(fold.test) for fold in folds])
    for metric, values in engine.items():
        np.testing.assert_array_equal(equal[metric], values)


def test_columns_hold_the_features_and_the_match_of_query_and_title(folds: list[Fold]) -> None:
    test = folds[0].test
    found = columns(test)
    torch.testing.assert_close(found[..., :FEATURE_DIM], test.batch.features)
    torch.testing.assert_close(found[..., -1], torch.full_like(found[..., -1], TEXT_DIM**-0.5))


@pytest.mark.parametrize("fit", [fit_linear, fit_student])
def test_models_learn_what_the_engine_does_not_know(folds: list[Fold], fit: Fit) -> None:
    engine = gather(folds, [engine_score(fold.test) for fold in folds])["nDCG@10"].mean()
    found = cross_validate(folds, fit, seed=1)
    assert found.alone["nDCG@10"].mean() > engine + 0.15
    assert found.beside["nDCG@10"].mean() > engine + 0.15


def test_trees_learn_on_the_lists_they_see(folds: list[Fold]) -> None:
    train = folds[0].train
    scores = fit_lambdamart(train, train, 1)
    engine = judgments.per_query(train, engine_score(train), "nDCG@10").mean()
    assert max(judgments.per_query(train, score, "nDCG@10").mean() for score in scores.values()) > engine + 0.05


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_matters_where_the_model_says_so_and_repeats(folds: list[Fold], name: str) -> None:
    model, fold = MODELS[name], folds[0]
    first, again, other = (list(model.fit(fold.train, fold.test, seed).values())[-1] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert torch.equal(first, other) != model.seeded


def test_held_out_ratings_reach_no_model(folds: list[Fold]) -> None:
    fold = folds[0]
    turned = fold.test._replace(rating=3 - fold.test.rating)
    for model in MODELS.values():
        for score, same in zip(model.fit(fold.train, fold.test, 1).values(), model.fit(fold.train, turned, 1).values(), strict=True):
            assert torch.equal(score, same)


def test_a_model_that_knows_nothing_gets_no_weight_beside_a_right_engine(tmp_path: Path) -> None:
    right = np.tile([3, 3, 2, 1, 0, 0], (QUERIES, 1))

    def backwards(train: Judged, held_out: Judged, seed: int) -> Settings:
        return {"backwards": -engine_score(held_out)}

    fold = read(write_judged(tmp_path, right)).folds[0]
    assert choose(backwards, fold, 1).weight == 0.0


def test_weights_go_from_the_engines_order_to_the_models(folds: list[Fold]) -> None:
    test = folds[0].test
    price = test.zero_shot
    assert torch.equal(beside_engine(test, price, 0.0).argsort(1), engine_score(test).argsort(1))
    assert torch.equal(beside_engine(test, price, 1.0).argsort(1), price.argsort(1))


def test_the_interval_is_of_the_mean_over_queries() -> None:
    values = np.random.default_rng(1).normal(size=400)
    low, high = interval(values)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


def test_rows_average_seeds_and_pair_queries() -> None:
    engine = dict.fromkeys(judgments.METRICS, np.array([0.5, 1.0, 0.0]))
    up, down = ({metric: values + by for metric, values in engine.items()} for by in (0.3, 0.1))
    graded = np.array([True, False, True])
    rows = rows_of({"bm25": [engine], "model": [up, down]}, graded, 7)
    assert {row["metric"]: row["mean"] for row in rows if row["metric"].startswith("queries")} == {
        "queries": 3,
        "queries left out, nothing relevant": 7,
    }
    difference = next(row for row in rows if row.get("against") == "bm25" and row["metric"] == "MRR" and row["split"] == "cross-validated")
    assert (difference["mean"], difference["low"], difference["high"]) == pytest.approx((0.2, 0.2, 0.2))
    assert difference["seeds"] == 2
    few = next(row for row in rows if row["model"] == "bm25" and row["split"].endswith("more than one grade"))
    assert few["mean"] == pytest.approx(0.25)
