"""Statistics of the comparison against independent computations, and its rows on made-up runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from armmt.study.compare import (
    NDCG,
    NEW_ITEMS,
    PURCHASES,
    auc,
    calibration_error,
    click_rows,
    compare,
    cost_rows,
    examination_rows,
)

COLUMNS = (NDCG, PURCHASES, NEW_ITEMS)
LISTS = 60
CANDIDATES = 6


def test_auc_counts_ties_half() -> None:
    rng = np.random.default_rng(0)
    values, labels = rng.integers(0, 8, 200).astype(np.float64), rng.integers(0, 2, 200).astype(np.float64)
    pairs = [(a > b) + 0.5 * (a == b) for a in values[labels == 1] for b in values[labels == 0]]
    assert auc(values, labels) == pytest.approx(float(np.mean(pairs)), abs=1e-12)
    assert np.isnan(auc(values, np.ones(200)))


def test_calibration_error_over_ten_bins_of_equal_mass() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(40)
    labels = (rng.random(40) < values).astype(np.float64)
    order = np.argsort(values)
    bins = np.split(order, 10)
    expected = sum(len(rows) / 40 * abs(labels[rows].mean() - values[rows].mean()) for rows in bins)
    assert calibration_error(values, labels) == pytest.approx(expected, abs=1e-9)


def test_a_constant_at_the_base_rate_is_calibrated() -> None:
    labels = (np.arange(100) < 30).astype(np.float64)
    assert calibration_error(np.full(100, 0.3), labels) == pytest.approx(0, abs=1e-12)
    assert calibration_error(np.full(100, 0.5), labels) == pytest.approx(0.2, abs=1e-12)


#: Noise on the figures of each model: teacher and student have the same.
NOISE = {"engine": 0.0, "teacher": 0.0, "student": 0.0, "prm": 0.05}
GAIN = {"engine": 0.0, "teacher": 0.2, "student": 0.2, "prm": 0.1}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Lists and judged runs of four models"""
    folder = tmp_path_factory.mktemp("compare")
    rng = np.random.default_rng(1)
    integers = pa.list_(pa.int32())
    positions = [list(range(1, CANDIDATES + 1))] * LISTS
    clicks = [[int(i == row % CANDIDATES) for i in range(CANDIDATES)] for row in range(LISTS)]
    columns = {
        "query": pa.array([f"query {row // 3}" for row in range(LISTS)]),
        "split": pa.array(["test"] * LISTS),
        "positions": pa.array(positions, type=integers),
        "clicks": pa.array(clicks, type=integers),
        "purchases": pa.array(clicks, type=integers),
        "history_rows": pa.array([[0] * (row % 8) for row in range(LISTS)], type=integers),
    }
    pq.write_table(pa.table(columns), folder / "lists.parquet")
    base = rng.random((len(COLUMNS), LISTS))
    base[2] = np.arange(LISTS) % 2
    for model, noise in NOISE.items():
        for seed in (1, 2, 3) if model != "engine" else (1,):
            run = folder / "runs" / model / f"seed-{seed}"
            run.mkdir(parents=True)
            figures = base + np.array([[GAIN[model]], [GAIN[model]], [0.0]]) + noise * rng.normal(size=(3, 1)) * [[1], [1], [0]]
            figures[0, 0] = np.nan  # nothing relevant
            np.save(run / "judged.npy", figures.astype(np.float32))
            (run / "judged.json").write_text(json.dumps({"columns": COLUMNS}))
            np.save(run / "scores.npy", rng.random((LISTS, CANDIDATES + 2)).astype(np.float32))
    pairs = [["teacher", "engine"], ["prm", "engine"], ["student", "teacher"], ["teacher", "prm"]]
    slices = ["K 2-20", "K 21-30", "history 0", "history 1-5", "history 6+", "new item in the engine's first 10"]
    quality = {"lists": str(folder), "pairs": pairs, "slices": slices, "seed": 7}
    return {"part": "drawn table", "level": "drawn", "runs": str(folder / "runs"), "models": list(NOISE), "quality": quality}


def find(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any] | None:
    wanted = {"split": "test", "against": None, **wanted}
    return next((row for row in rows if all(row.get(name) == value for name, value in wanted.items())), None)


def test_means_differences_and_slices(plan: dict[str, Any]) -> None:
    rows = compare(plan)
    means = {model: find(rows, model=model, metric=PURCHASES) for model in NOISE}
    difference = find(rows, model="teacher", against="prm", metric=PURCHASES)
    assert means["prm"] and means["teacher"] and means["engine"] and difference
    assert means["prm"]["seeds"] == 3
    assert means["prm"]["low"] < means["prm"]["mean"] < means["prm"]["high"]
    assert means["engine"]["low"] < means["engine"]["high"]  # of one seed: the queries vary it
    assert difference["mean"] == pytest.approx(means["teacher"]["mean"] - means["prm"]["mean"], abs=1e-6)
    lists = [find(rows, model="data", metric="lists", split=f"test, history {name}") for name in ("0", "1-5", "6+")]
    assert sum(row["mean"] for row in lists if row) == LISTS
    assert find(rows, model="data", metric="lists with nothing relevant")["mean"] == 1  # type: ignore[index]
    assert find(rows, model="teacher", against="engine", metric=PURCHASES, split="test, new item in the engine's first 10")
    assert find(rows, model="teacher", metric=PURCHASES, split="test, K 21-30") is None  # no list has it
    assert find(rows, model="teacher", against="prm", metric=PURCHASES, split="test, history 0") is None
    assert {row["part"] for row in rows} == {"drawn table"}
    assert find(rows, model="teacher", metric="GAUC clicks") and find(rows, model="teacher", metric="AUC purchases")


def test_equal_models_do_not_differ_and_keep_all_of_the_gain(plan: dict[str, Any]) -> None:
    rows = compare(plan)
    alike = find(rows, model="student", against="teacher", metric=PURCHASES)
    kept = find(rows, model="student", metric=f"share kept of teacher's gain, {PURCHASES}")
    assert alike and [alike[name] for name in ("mean", "low", "high")] == [0, 0, 0]
    assert kept and kept["mean"] == pytest.approx(1, abs=1e-9)


def test_clicks_that_each_model_learned_from() -> None:
    reports = [
        {"model": "position-naive", "trainClicks": 100, "trainLists": 50},
        {"model": "position-thinned", "trainClicks": 90, "trainLists": 50},
        {"model": "position-thinned", "trainClicks": 120, "trainLists": 50},
        {"model": "teacher", "trainLists": 50},
    ]
    found = [(row["model"], row["mean"], row["seeds"]) for row in click_rows(reports)]
    assert found == [("position-naive", 2.0, 1), ("position-thinned", pytest.approx(2.1), 2)]


def test_examination_error_does_not_depend_on_scale() -> None:
    truth = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]
    reports = [{"model": "teacher", "examination": [3 * value for value in truth]}]
    rows = examination_rows(reports, truth, {"flat": [1.0] * 10})
    errors = {row["model"]: row["mean"] for row in rows if row["metric"] == "examination error"}
    assert errors["teacher"] == pytest.approx(0, abs=1e-12)
    assert errors["flat"] == pytest.approx(np.mean([1 - value / 0.9 for value in truth[1:]]))


def test_cost_of_each_model() -> None:
    reports = [{"model": "student", "parameters": 462_374, "tokenTable": 393_216, "seconds": 7, "flops": 5e7}]
    rows = cost_rows(reports, {"student": {"bytes": 10, "milliseconds": [1.0, 2.0, 3.0]}}, 100)
    figures = {row["metric"]: row for row in rows}
    assert figures["parameters"]["mean"] == 462_374
    assert figures["FLOPs, K 100"]["mean"] == 5e7
    assert figures["graph, bytes"]["mean"] == 10
    assert figures["wasm ms, K 100"]["low"] < figures["wasm ms, K 100"]["mean"] == 2
