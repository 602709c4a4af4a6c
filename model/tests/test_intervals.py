"""Intervals over seeds and queries: against statsmodels, and by the truth that they must cover."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from armmt.study.intervals import Interval, TwoWayBootstrap, t_interval, uniform

Floats = NDArray[np.float64]
QUERIES = 40


def interval_of(values: Floats, cluster: NDArray[np.int64], seed: int = 1, resamples: int = 400) -> Interval:
    """Of the mean of [S, N]"""
    bootstrap = TwoWayBootstrap(cluster, seed, resamples)
    lists = bootstrap.sums("lists", np.ones((1, values.shape[1])))
    return bootstrap.interval(bootstrap.sums("model", values), lists, [len(values)], int(cluster.max()) + 1)


def test_interval_over_seeds_is_students_t() -> None:
    values = [0.61, 0.64, 0.6, 0.66, 0.63]
    result = stats.ttest_1samp(values, 0)
    low, high = result.confidence_interval(0.95)
    assert t_interval(values) == pytest.approx((0.628, low, high, result.pvalue), abs=1e-12)
    assert t_interval([0.4]) == (0.4, None, None, None)


def test_draws_are_those_of_the_typescript_generator() -> None:
    """First numbers of createRandom("bootstrap:drawn") in src/demo/catalogue/random.ts"""
    assert uniform(1149276931, 3) == pytest.approx([0.15938992891460657, 0.5008280340116471, 0.024812061339616776], abs=1e-12)


def study(seed: int, seeds: int, lists: int = 1, by_seed: float = 0.3, by_query: float = 1.0) -> tuple[Floats, NDArray[np.int64]]:
    """Figures [seeds, QUERIES x lists] whose true mean is 0: an effect of each seed, of each query, and of each list alone"""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(QUERIES), lists)
    alone = rng.normal(size=(1, len(cluster))) + 0.2 * rng.normal(size=(seeds, len(cluster)))
    return by_seed * rng.normal(size=(seeds, 1)) + by_query * rng.normal(size=QUERIES)[cluster] + alone, cluster


#: statsmodels 0.15.0, OLS of study(7, 5, lists=3) on a constant with cov_type="cluster": standard errors by query, by seed, and by both.
BY_QUERY, BY_SEED, BY_BOTH = 0.18461078, 0.17650168, 0.24059559


def test_standard_error_is_that_of_statsmodels_clustered_both_ways() -> None:
    values, cluster = study(7, 5, lists=3)
    bootstrap = TwoWayBootstrap(cluster, 1, 20_000)
    drawn, lists = bootstrap.sums("model", values), bootstrap.sums("lists", np.ones((1, values.shape[1])))
    assert drawn.sum / lists.sum == pytest.approx(-0.30298007752377304, abs=1e-9)
    assert (drawn.by_queries / lists.by_queries).std() == pytest.approx(BY_QUERY, rel=0.03)
    both = (drawn.by_both / lists.by_both).std()
    # The two variances added. Cameron, Gelbach & Miller take what both count off again; the pigeonhole bootstrap does not, and errs wide.
    assert both == pytest.approx(np.hypot(BY_QUERY, BY_SEED), rel=0.03)
    assert both > BY_BOTH


def coverage(seeds: int, by_seed: float, averaged: bool = False, runs: int = 300) -> float:
    cluster = study(0, seeds)[1]
    bootstrap = TwoWayBootstrap(cluster, 1, 300)
    lists = bootstrap.sums("lists", np.ones((1, len(cluster))))
    covered = 0
    for run in range(runs):
        values, _ = study(run, seeds, by_seed=by_seed)
        values = values.mean(0, keepdims=True) if averaged else values
        _, low, high, _ = bootstrap.interval(bootstrap.sums("model", values), lists, [len(values)], QUERIES)
        covered += bool(low is not None and high is not None and low <= 0 <= high)
    return covered / runs


@pytest.mark.parametrize("seeds", [3, 8])
@pytest.mark.parametrize("by_seed", [0.0, 0.3, 1.0])
def test_interval_covers_the_truth_whichever_varies_more(seeds: int, by_seed: float) -> None:
    """300 runs: three standard errors of a share of .95 are .038"""
    assert coverage(seeds, by_seed) > 0.912


def test_seeds_averaged_first_do_not_cover_what_seeds_vary() -> None:
    """The interval of earlier cards"""
    assert coverage(3, by_seed=1.0, averaged=True) < 0.7


def test_p_is_below_five_percent_where_the_interval_leaves_zero_out() -> None:
    for run in range(40):
        values, cluster = study(run, 5)
        _, low, high, p = interval_of(values + 0.4, cluster, run)
        assert low is not None and high is not None and p is not None
        assert (p < 0.05) == (low > 0 or high < 0)


def test_whole_queries_are_drawn() -> None:
    """240 lists of 40 queries: drawn one by one, their interval is too narrow"""
    values, cluster = study(3, 5, lists=6, by_seed=0.0)
    whole, single = interval_of(values, cluster), interval_of(values, np.arange(len(cluster)))
    assert whole.high is not None and whole.low is not None and single.high is not None and single.low is not None
    assert whole.high - whole.low > 1.5 * (single.high - single.low)
