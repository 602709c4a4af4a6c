"""Judged runs of one part and level -> rows of model/benchmark.json: means over seeds, paired differences between models, and cost.

Every interval of a figure per list is over seeds and queries together (`intervals.py`). Figures that pool all lists (AUC, calibration) and
those of training have Student's t over seeds.

`npm run model -- --benchmark` writes the input, a plan in JSON, and judged.npy of each run: the figures per list that need the simulation's
truth (nDCG, expected clicks, purchases and revenue).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import stats

from armmt.study.intervals import Drawn, Floats, Interval, TwoWayBootstrap, t_interval
from armmt.training.data import padded
from armmt.training.runtime import write_json

Row = dict[str, Any]

ALL = "test"
ENGINE, TEACHERS, STUDENT = "engine", ("teacher", "teacher-ensemble"), "student"
DEPTH = 10
#: The only figures on slices and of recovered gains, so that those tables stay readable.
NDCG, PURCHASES = SLICED = (f"nDCG@{DEPTH}", f"purchases@{DEPTH} pbm")
#: Column of judged.npy: new items among the engine's first DEPTH.
NEW_ITEMS = f"new items@{DEPTH}"
LABELS = ("clicks", "purchases")


def auc(values: NDArray[np.floating], labels: NDArray[np.floating]) -> float:
    """Chance that a positive scores above a negative, ties counting half (Mann & Whitney 1947). NaN unless both labels occur."""
    positive = labels == 1
    ours, others = int(positive.sum()), int((~positive).sum())
    if ours == 0 or others == 0:
        return float("nan")
    return float((stats.rankdata(values)[positive].sum() - ours * (ours + 1) / 2) / (ours * others))


def calibration_error(values: NDArray[np.floating], labels: NDArray[np.floating], bins: int = 10) -> float:
    """Expected calibration error over bins of equal mass (Naeini et al. 2015; Nguyen & O'Connor 2015): the sum over bins of
    n_b / N |mean label - mean probability|. Equal probabilities share a bin, so a constant makes one bin."""
    distinct, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    n = len(values)
    happened = np.bincount(index, weights=labels, minlength=len(distinct))
    gap = happened - distinct.astype(np.float64) * counts
    upto = np.cumsum(counts)
    error, closed, begin = 0.0, 0, 0
    for i, seen in enumerate(upto):
        if seen >= (closed + 1) * n / bins:
            error += abs(gap[begin : i + 1].sum())
            begin, closed = i + 1, int(seen * bins // n)
    return float(error / n)


@dataclass(frozen=True)
class TestLists:
    """The logged lists of the test split. N lists, K candidates."""

    query: NDArray[np.int64]  # [N] number of the query text
    candidates: NDArray[np.int64]  # [N]
    history: NDArray[np.int64]  # [N] items that the shopper had looked at
    shown: NDArray[np.bool_]  # [N, K]
    labels: dict[str, NDArray[np.float32]]  # [N, K] each, 0 or 1

    @staticmethod
    def read(folder: Path) -> TestLists:
        """The folder is one that `armmt lists` wrote."""
        columns = ["query", "positions", "history_rows", *LABELS]
        table = pq.read_table(folder / "lists.parquet", columns=columns, filters=[("split", "==", "test")])
        position, lengths = padded(table, "positions")
        numbers: dict[str, int] = {}
        query = np.array([numbers.setdefault(text, len(numbers)) for text in table["query"].to_pylist()])
        labels = {name: padded(table, name)[0].astype(np.float32) for name in LABELS}
        return TestLists(query, lengths, padded(table, "history_rows")[1], position > 0, labels)

    def __len__(self) -> int:
        return len(self.query)

    def weights(self, column: str) -> Floats:
        """[N]: once per list; a GAUC counts each list by its impressions"""
        return self.shown.sum(1).astype(np.float64) if column.startswith("GAUC") else np.ones(len(self))


@dataclass(frozen=True)
class Judged:
    """The figures of one run."""

    columns: dict[str, NDArray[np.float32]]  # [N] each, NaN where a list lacks the figure
    pooled: dict[str, float]  # over all candidates shown


def read_judged(folder: Path, test: TestLists) -> Judged:
    """Figures of a run's folder; those by logged labels are computed from scores.npy and clicks.npy"""
    scores = np.load(folder / "scores.npy")
    names = json.loads((folder / "judged.json").read_text())["columns"]
    columns = dict(zip(names, np.load(folder / "judged.npy"), strict=True))
    shown = test.shown
    pooled: dict[str, float] = {}
    for label in LABELS:
        labels = test.labels[label]
        each = [auc(scores[i, : row.shape[0]][row], labels[i][row]) for i, row in enumerate(shown)]
        columns[f"GAUC {label}"] = np.array(each, dtype=np.float32)
        pooled[f"AUC {label}"] = auc(scores[:, : shown.shape[1]][shown], labels[shown])
    if (folder / "clicks.npy").exists():
        clicks = np.load(folder / "clicks.npy")[:, : shown.shape[1]]
        pooled["ECE clicks"] = calibration_error(clicks[shown], test.labels["clicks"][shown])
    return Judged(columns, pooled)


@dataclass(frozen=True)
class View:
    """A part of the test lists and the columns that are compared on it."""

    split: str
    columns: Sequence[str]
    inside: NDArray[np.bool_]  # [N]


def slice_of(name: str, test: TestLists, new_items: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Lists of a slice: "K 21-30" candidates, "history 6+" items, "new item ..." or "no new item ..." in the engine's first ten"""
    bounds = re.fullmatch(r"(K|history) (\d+)(?:-(\d+)|(\+))?", name)
    if bounds is None:
        return new_items if name.startswith("new item") else ~new_items
    kind, low, high, is_open = bounds.groups()
    values = test.candidates if kind == "K" else test.history
    inside: NDArray[np.bool_] = (values >= int(low)) & (values <= (np.inf if is_open else int(high or low)))
    return inside


class Comparison:
    """All rows of one level."""

    def __init__(self, test: TestLists, models: dict[str, list[Judged]], slices: Sequence[str], seed: int) -> None:
        self.test, self.models = test, models
        self.bootstrap = TwoWayBootstrap(test.query, seed)
        first = next(iter(models.values()))[0].columns
        self.new_items = first[NEW_ITEMS] > 0
        columns = [name for name in first if name != NEW_ITEMS]
        self.views = [View(ALL, columns, np.ones(len(test), dtype=np.bool_))]
        self.views += [View(f"{ALL}, {name}", SLICED, slice_of(name, test, self.new_items)) for name in slices]

    def weights(self, view: View, column: str) -> Floats:
        """[N], 0 outside the view"""
        return self.test.weights(column) * view.inside

    def values(self, model: str, column: str) -> Floats:
        """[seeds, N]"""
        return np.stack([run.columns[column].astype(np.float64) for run in self.models[model]])

    def ratio(self, above: Sequence[str], below: Sequence[str], column: str, weight: Floats) -> Interval:
        """Mean of the first model less those of the others, over the same of `below`, or over the lists where there is none"""
        named = [*above, *below]
        each = {model: self.values(model, column) for model in named}
        known = np.all([~np.isnan(values).any(0) for values in each.values()], axis=0) & (weight > 0)
        weight = np.where(known, weight, 0.0)

        def drawn(models: Sequence[str]) -> Drawn:
            sums = [self.bootstrap.sums(model, weight * np.where(known, each[model], 0.0)) for model in models]
            return reduce(Drawn.minus, sums)

        over = drawn(below) if below else self.bootstrap.sums("lists", weight[None])
        queries = len(np.unique(self.test.query[known]))
        return self.bootstrap.interval(drawn(above), over, [len(self.models[model]) for model in named], queries)

    def means(self) -> list[Row]:
        """Each model's mean"""
        rows = []
        for model, runs in self.models.items():
            for view in self.views:
                for column in view.columns:
                    mean, low, high, _ = self.ratio([model], [], column, self.weights(view, column))
                    rows.append(row_of(model, column, view.split, len(runs), mean, low, high))
            for name in runs[0].pooled:
                if all(name in run.pooled for run in runs):
                    rows.append(row_of(model, name, ALL, len(runs), *t_interval([run.pooled[name] for run in runs])[:3]))
        return rows

    def differences(self, pairs: Sequence[Sequence[str]]) -> list[Row]:
        """Per-list differences of the means over seeds, with the p of each alone; on slices only against the engine"""
        rows = []
        for model, against in pairs:
            seeds = min(len(self.models[name]) for name in (model, against) if name != ENGINE)
            for view in self.views if against == ENGINE else self.views[:1]:
                for column in view.columns:
                    mean, low, high, p = self.ratio([model, against], [], column, self.weights(view, column))
                    rows.append({**row_of(model, column, view.split, seeds, mean, low, high), "against": against, "p": p})
        return rows

    def recovered(self) -> list[Row]:
        """(student - engine) / (teacher - engine), numerator and denominator resampled together"""
        rows = []
        for teacher in [name for name in TEACHERS if name in self.models and ENGINE in self.models]:
            for model in [name for name in self.models if name.startswith(STUDENT)]:
                for column in SLICED:
                    weight = self.weights(self.views[0], column)
                    mean, low, high, _ = self.ratio([model, ENGINE], [teacher, ENGINE], column, weight)
                    metric = f"share kept of {teacher}'s gain, {column}"
                    rows.append(row_of(model, metric, ALL, len(self.models[model]), mean, low, high))
        return rows

    def counts(self) -> list[Row]:
        """Numbers of lists and queries"""
        ndcg = self.models[ENGINE][0].columns[NDCG] if ENGINE in self.models else np.zeros(len(self.test))
        rows = []
        for view in self.views:
            inside = view.inside
            rows += [
                row_of("data", "lists", view.split, 1, float(inside.sum())),
                row_of("data", "queries", view.split, 1, float(len(np.unique(self.test.query[inside])))),
                row_of("data", "lists with nothing relevant", view.split, 1, float(np.isnan(ndcg[inside]).sum())),
            ]
        return rows


def row_of(model: str, metric: str, split: str, seeds: int, mean: float, low: float | None = None, high: float | None = None) -> Row:
    """A row without part and level"""
    return {"model": model, "metric": metric, "mean": mean, "low": low, "high": high, "seeds": seeds, "split": split}


def by_model(reports: Sequence[Row]) -> dict[str, list[Row]]:
    """run.json of several runs, by model"""
    return {model: [report for report in reports if report["model"] == model] for model in dict.fromkeys(r["model"] for r in reports)}


def click_rows(reports: Sequence[Row]) -> list[Row]:
    """Clicks per training list: rankers differ by the bias of their clicks alone only where they had equally many"""
    counted = by_model([report for report in reports if report.get("trainClicks") is not None])
    return [
        row_of(model, "clicks per training list", "train", len(runs), *t_interval([r["trainClicks"] / r["trainLists"] for r in runs])[:3])
        for model, runs in counted.items()
    ]


def examination_rows(reports: Sequence[Row], true_curve: Sequence[float], estimates: dict[str, Sequence[float]]) -> list[Row]:
    """P(examined) at each position relative to the first, of the simulator, of towers and of estimators, and the mean absolute error over
    positions 2 to DEPTH"""

    def relative(curve: Sequence[float]) -> Floats:
        first = np.asarray(curve[:DEPTH], dtype=np.float64)
        scaled: Floats = first / first[0]
        return scaled

    truth = relative(true_curve)
    rows = [row_of("true examination", f"examination@{i + 1}", "none", 1, float(value)) for i, value in enumerate(truth)]
    learned = by_model([report for report in reports if len(report.get("examination") or []) >= DEPTH])
    curves = {model: [relative(run["examination"]) for run in runs] for model, runs in learned.items()}
    for model, each in {**curves, **{name: [relative(curve)] for name, curve in estimates.items()}}.items():
        for i in range(DEPTH):
            rows.append(row_of(model, f"examination@{i + 1}", "train", len(each), *t_interval([float(curve[i]) for curve in each])[:3]))
        errors = [float(np.abs(curve - truth).sum() / (DEPTH - 1)) for curve in each]
        rows.append(row_of(model, "examination error", "train", len(each), *t_interval(errors)[:3]))
    return rows


def cost_rows(reports: Sequence[Row], graphs: dict[str, Row], candidates: int) -> list[Row]:
    """Size, arithmetic and training time of each model; of its graph the bytes and the median and 95 % range of its runs in wasm"""
    rows = []
    for model, runs in by_model(reports).items():

        def add(metric: str, mean: float, low: float | None = None, high: float | None = None) -> None:
            rows.append(row_of(model, metric, "none", len(runs), mean, low, high))  # noqa: B023

        add("parameters", runs[0]["parameters"])
        add("parameters of the token table", runs[0]["tokenTable"])
        if runs[0].get("flops") is not None:
            add(f"FLOPs, K {candidates}", runs[0]["flops"])
        rows.append(row_of(model, "training seconds", "none", len(runs), *t_interval([run["seconds"] for run in runs])[:3]))
        if model in graphs:
            add("graph, bytes", graphs[model]["bytes"])
            if graphs[model]["milliseconds"]:
                low, middle, high = np.quantile(graphs[model]["milliseconds"], [0.025, 0.5, 0.975])
                add(f"wasm ms, K {candidates}", float(middle), float(low), float(high))
    return rows


def finite(row: Row) -> bool:
    """Whether every figure of a row is a number; a figure that no list has is left out"""
    return all(row.get(name) is None or np.isfinite(row[name]) for name in ("mean", "low", "high", "p"))


def seeds_of(runs: Path, model: str, name: str) -> list[Path]:
    """<runs>/<model>/seed-<n>/<name>, by n"""
    return sorted((runs / model).glob(f"seed-*/{name}"), key=lambda path: int(path.parent.name.removeprefix("seed-")))


def compare(plan: Row) -> list[Row]:
    """Rows of a plan, `Comparing` in src/lab/study/compare/runs.ts"""
    runs, rows = Path(plan["runs"]), []
    if quality := plan.get("quality"):
        test = TestLists.read(Path(quality["lists"]))
        judged = {model: [read_judged(path.parent, test) for path in seeds_of(runs, model, "judged.npy")] for model in plan["models"]}
        comparison = Comparison(test, judged, quality["slices"], quality["seed"])
        rows += [*comparison.means(), *comparison.differences(quality["pairs"]), *comparison.recovered(), *comparison.counts()]
    reports = [json.loads(path.read_text()) for model in plan["models"] for path in seeds_of(runs, model, "run.json")]
    if examination := plan.get("examination"):
        rows += [*click_rows(reports), *examination_rows(reports, examination["truth"], examination["estimates"])]
    if cost := plan.get("cost"):
        rows += cost_rows(reports, cost["graphs"], cost["candidates"])
    return [{"part": plan["part"], "level": plan["level"], **row} for row in rows if finite(row)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan", type=Path, required=True, help="JSON: which runs are compared, and how")
    parser.add_argument("--out", type=Path, required=True, help="rows of model/benchmark.json are written here")
    a = parser.parse_args()
    write_json(a.out, compare(json.loads(a.plan.read_text())))


if __name__ == "__main__":
    main()
