"""Judged runs of one part and level -> rows of model/benchmark.json: means over seeds, paired differences between models, and cost.

Two intervals, never mixed: Student's t over seeds shows how far another seed would move a model's mean on these lists; the bootstrap over
queries shows how far other queries would move a difference between these trained models.

`npm run model -- --benchmark` writes the input, a plan in JSON, and judged.npy of each run: the figures per list that need the simulation's
truth (nDCG, expected clicks, purchases and revenue).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import stats

from armmt.training.data import padded
from armmt.training.runtime import write_json

Floats = NDArray[np.float64]
Row = dict[str, Any]

ALL = "test"
ENGINE, TEACHERS, STUDENT = "engine", ("teacher", "teacher-ensemble"), "student"
DEPTH = 10
#: The only figures on slices and of recovered gains, so that those tables stay readable.
NDCG, PURCHASES = SLICED = (f"nDCG@{DEPTH}", f"purchases@{DEPTH} pbm")
#: Column of judged.npy: new items among the engine's first DEPTH.
NEW_ITEMS = f"new items@{DEPTH}"
LABELS = ("clicks", "purchases")
RESAMPLES = 2000
LEVEL = 0.95


#: mean, low, high
Interval = tuple[float, float | None, float | None]


def t_interval(values: Sequence[float]) -> Interval:
    """Mean of one value per seed and its 95 % t-interval; a single value has none"""
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return mean, None, None
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


def uniform(seed: int, count: int) -> Floats:
    """mulberry32, as src/demo/random.ts has it: [count] numbers in [0, 1). The same draws as when the study was first made."""
    state = np.uint32(seed) + np.uint32(0x6D2B79F5) * np.arange(1, count + 1, dtype=np.uint32)
    t = (state ^ (state >> 15)) * (state | 1)
    t = (t + (t ^ (t >> 7)) * (t | 61)) ^ t
    drawn: Floats = (t ^ (t >> 14)).astype(np.float64) / 4294967296.0
    return drawn


class ClusterBootstrap:
    """Percentile bootstrap that draws whole clusters with replacement (Davison & Hinkley 1997, 3.8; Field & Welsh 2007).

    Lists of the same query rise and fall together; drawn one by one they would make the interval too narrow. All figures of all models use
    the same draws.
    """

    def __init__(self, cluster: NDArray[np.int64], seed: int, resamples: int = RESAMPLES) -> None:
        self.cluster = cluster
        self.count = int(cluster.max()) + 1
        drawn = np.floor(uniform(seed, resamples * self.count) * self.count).astype(np.int64).reshape(resamples, self.count)
        self.times = np.stack([np.bincount(row, minlength=self.count) for row in drawn]).astype(np.float64)  # [resamples, clusters]

    def ratio(self, numerator: Floats, denominator: Floats) -> Interval:
        """Sum of numerators over sum of denominators, both [N]; lists with NaN in either are left out. NaN where nothing counts."""
        known = ~(np.isnan(numerator) | np.isnan(denominator))
        above, below = (
            np.bincount(self.cluster[known], weights=values[known], minlength=self.count) for values in (numerator, denominator)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = (self.times @ above) / (self.times @ below)
            mean = float(above.sum() / below.sum())
        drawn = np.sort(drawn[~np.isnan(drawn)])
        if len(drawn) == 0:
            return mean, np.nan, np.nan
        low, high = (float(drawn[int(share * (len(drawn) - 1) + 0.5)]) for share in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        return mean, low, high


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
        self.bootstrap = ClusterBootstrap(test.query, seed)
        first = next(iter(models.values()))[0].columns
        self.new_items = first[NEW_ITEMS] > 0
        columns = [name for name in first if name != NEW_ITEMS]
        self.views = [View(ALL, columns, np.ones(len(test), dtype=np.bool_))]
        self.views += [View(f"{ALL}, {name}", SLICED, slice_of(name, test, self.new_items)) for name in slices]

    def weights(self, view: View, column: str) -> Floats:
        """[N], 0 outside the view"""
        return self.test.weights(column) * view.inside

    def mean_of_seeds(self, model: str, column: str) -> Floats:
        """[N]"""
        each = [run.columns[column].astype(np.float64) for run in self.models[model]]
        return np.asarray(sum(values / len(each) for values in each))

    def means(self) -> list[Row]:
        """Each model's mean with its t-interval over seeds"""
        rows = []
        for model, runs in self.models.items():
            for view in self.views:
                for column in view.columns:
                    weight = self.weights(view, column)
                    values = [weighted_mean(run.columns[column], weight) for run in runs]
                    rows.append(row_of(model, column, view.split, len(runs), *t_interval(values)))
            for name in runs[0].pooled:
                if all(name in run.pooled for run in runs):
                    rows.append(row_of(model, name, ALL, len(runs), *t_interval([run.pooled[name] for run in runs])))
        return rows

    def differences(self, pairs: Sequence[Sequence[str]]) -> list[Row]:
        """Per-list differences of the means over seeds, resampled by query; on slices only against the engine"""
        rows = []
        for model, against in pairs:
            for view in self.views if against == ENGINE else self.views[:1]:
                for column in view.columns:
                    weight = self.weights(view, column)
                    difference = weight * (self.mean_of_seeds(model, column) - self.mean_of_seeds(against, column))
                    figures = self.bootstrap.ratio(difference, np.where(np.isnan(difference), np.nan, weight))
                    rows.append({**row_of(model, column, view.split, len(self.models[model]), *figures), "against": against})
        return rows

    def recovered(self) -> list[Row]:
        """(student - engine) / (teacher - engine), numerator and denominator resampled together"""
        rows = []
        for teacher in [name for name in TEACHERS if name in self.models and ENGINE in self.models]:
            for model in [name for name in self.models if name.startswith(STUDENT)]:
                for column in SLICED:
                    base = self.mean_of_seeds(ENGINE, column)
                    gains = [self.mean_of_seeds(name, column) - base for name in (model, teacher)]
                    figures = self.bootstrap.ratio(gains[0], gains[1])
                    metric = f"share kept of {teacher}'s gain, {column}"
                    rows.append(row_of(model, metric, ALL, len(self.models[model]), *figures))
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


def weighted_mean(values: NDArray[np.floating], weights: Floats) -> float:
    """Mean over the lists that have the figure; NaN when none does"""
    known = ~np.isnan(values)
    total = float(weights[known].sum())
    return float((weights[known] * values[known].astype(np.float64)).sum() / total) if total > 0 else float("nan")


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
        row_of(model, "clicks per training list", "train", len(runs), *t_interval([r["trainClicks"] / r["trainLists"] for r in runs]))
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
            rows.append(row_of(model, f"examination@{i + 1}", "train", len(each), *t_interval([float(curve[i]) for curve in each])))
        errors = [float(np.abs(curve - truth).sum() / (DEPTH - 1)) for curve in each]
        rows.append(row_of(model, "examination error", "train", len(each), *t_interval(errors)))
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
        rows.append(row_of(model, "training seconds", "none", len(runs), *t_interval([run["seconds"] for run in runs])))
        if model in graphs:
            add("graph, bytes", graphs[model]["bytes"])
            if graphs[model]["milliseconds"]:
                low, middle, high = np.quantile(graphs[model]["milliseconds"], [0.025, 0.5, 0.975])
                add(f"wasm ms, K {candidates}", float(middle), float(low), float(high))
    return rows


def finite(row: Row) -> bool:
    """Whether every figure of a row is a number; a figure that no list has is left out"""
    return all(row[name] is None or np.isfinite(row[name]) for name in ("mean", "low", "high"))


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
