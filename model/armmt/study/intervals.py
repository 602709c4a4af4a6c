"""Intervals of the study: over seeds alone, and over seeds and queries together.

A figure would change with other queries, and with other seeds of the models that it compares. An interval that leaves the seeds out says
what these trained models are worth, and nothing about training again.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95


class Interval(NamedTuple):
    """Of one figure; a figure that nothing varies has neither bounds nor a p."""

    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None  # that a mean this far from 0 comes of chance, two-sided


def t_interval(values: Sequence[float]) -> Interval:
    """Mean of one value per seed and its 95 % t-interval; a single value has none"""
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return Interval(mean)
    return student(mean, float(np.std(values, ddof=1) / np.sqrt(n)), n - 1)


def student(mean: float, error: float, freedom: float) -> Interval:
    """By Student's t from a standard error and its degrees of freedom"""
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom) * error)
    p = float(2 * stats.t.sf(abs(mean) / error, freedom)) if error > 0 else float(mean == 0)
    return Interval(mean, mean - half, mean + half, p)


def uniform(seed: int, count: int) -> Floats:
    """mulberry32, as src/demo/catalogue/random.ts has it: [count] numbers in [0, 1). The same draws as when the study was first made."""
    state = np.uint32(seed) + np.uint32(0x6D2B79F5) * np.arange(1, count + 1, dtype=np.uint32)
    t = (state ^ (state >> 15)) * (state | 1)
    t = (t + (t ^ (t >> 7)) * (t | 61)) ^ t
    drawn: Floats = (t ^ (t >> 14)).astype(np.float64) / 4294967296.0
    return drawn


class Drawn(NamedTuple):
    """Sums over lists: of the lists as they are, and of every resample."""

    sum: float
    by_queries: Floats  # [R] queries drawn, seeds as they are
    by_both: Floats  # [R] both drawn

    def minus(self, other: Drawn) -> Drawn:
        return Drawn(self.sum - other.sum, self.by_queries - other.by_queries, self.by_both - other.by_both)


class TwoWayBootstrap:
    """Draws whole queries and, apart from them, the seeds of each model (the pigeonhole bootstrap: Owen 2007, arXiv:0707.1188).

    Lists of the same query rise and fall together, so queries are drawn whole. Of n seeds n - 1 are drawn, which makes the variance of a
    mean over few seeds the unbiased one (Rao & Wu 1988). The interval is the resamples' standard error times Student's t, with the degrees
    of freedom of Satterthwaite: percentiles of a handful of seeds are too narrow. All figures of all models use the same draws of queries,
    and a model's figures the same draws of its seeds. A model of a single seed varies with the queries alone.
    """

    def __init__(self, cluster: NDArray[np.int64], seed: int, resamples: int = RESAMPLES) -> None:
        self.cluster = cluster
        self.seed = seed
        self.resamples = resamples
        self.count = int(cluster.max()) + 1
        drawn = np.floor(uniform(seed, resamples * self.count) * self.count).astype(np.int64).reshape(resamples, self.count)
        self.times = np.stack([np.bincount(row, minlength=self.count) for row in drawn]).astype(np.float64)  # [R, queries]

    def shares(self, model: str, seeds: int) -> Floats:
        """[R, seeds] what each seed's run weighs in a resample of a model's mean; rows sum to 1"""
        if seeds == 1:
            return np.ones((self.resamples, 1))
        generator = np.random.default_rng([self.seed, zlib.crc32(model.encode())])
        drawn = generator.multinomial(seeds - 1, np.full(seeds, 1 / seeds), size=self.resamples)
        shares: Floats = drawn / (seeds - 1)
        return shares

    def sums(self, model: str, values: Floats) -> Drawn:
        """Sum over the lists of a model's mean over its seeds, [S, N]; a list that does not count is 0 in every seed"""
        by_query = np.stack([np.bincount(self.cluster, weights=row, minlength=self.count) for row in values])  # [S, queries]
        drawn = self.times @ by_query.T  # [R, S]
        return Drawn(float(values.sum() / len(values)), drawn.mean(1), (self.shares(model, len(values)) * drawn).sum(1))

    def interval(self, above: Drawn, below: Drawn, seeds: Sequence[int], queries: int) -> Interval:
        """Of the ratio above / below. `seeds` are those of the models in it, `queries` how many the lists that count belong to."""
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = float(np.float64(above.sum) / below.sum)
            by_queries, by_both = above.by_queries / below.by_queries, above.by_both / below.by_both
        known = np.isfinite(by_queries) & np.isfinite(by_both)
        if not np.isfinite(mean) or known.sum() < 2 or queries < 2:
            return Interval(mean)
        of_queries = float(by_queries[known].var(ddof=1))
        several = [n for n in seeds if n > 1]
        total = float(by_both[known].var(ddof=1)) if several else of_queries
        of_seeds = max(0.0, total - of_queries)
        # All of the seeds' part counts as that of the model with the fewest: a little too wide rather than too narrow.
        parts = of_queries**2 / (queries - 1) + (of_seeds**2 / (min(several) - 1) if several else 0.0)
        return student(mean, total**0.5, total**2 / parts if parts > 0 else queries - 1)
