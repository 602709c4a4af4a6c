"""Estimates from a biased log: examination by position, and the value of a policy from another policy's log.

Estimators only, as functions of arrays; rows are independent of each other (one served list, or one impression). Sources:
randomised estimation: Joachims, Swaminathan and Schnabel, WSDM 2017; regression-EM: Wang et al., WSDM 2018; self-normalised weights:
Swaminathan and Joachims, NeurIPS 2015; doubly robust: Dudik, Langford and Li, ICML 2011.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Quantile of the normal distribution for two-sided intervals of 95 %.
Z = 1.959964
#: Upper 95 % bound of an event that was not seen in n trials is about this over n.
RULE_OF_THREE = 3.0
#: Resampled rows held at once, in numbers.
CHUNK = 20_000_000


class Estimate(NamedTuple):
    """A number with its interval of 95 %."""

    value: float
    low: float
    high: float


class Curve(NamedTuple):
    """P(examined) by position, relative to the first. All [P]."""

    share: Floats
    low: Floats
    high: Floats
    shown: Integers  # rows behind each position
    clicks: Integers

    def at(self, index: int) -> Estimate:
        return Estimate(float(self.share[index]), float(self.low[index]), float(self.high[index]))


def rate(clicks: float, trials: float) -> Estimate:
    """Share with Wilson's interval. Throws ValueError without trials."""
    if trials <= 0:
        raise ValueError("a rate needs at least one trial")
    p = clicks / trials
    centre = (p + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z / (1 + Z**2 / trials) * np.sqrt(p * (1 - p) / trials + Z**2 / (4 * trials**2))
    return Estimate(p, float(max(centre - half, 0.0)), float(min(centre + half, 1.0)))


def randomised_curve(position: NDArray[np.integer], click: NDArray[np.floating], positions: int) -> Curve:
    """Click rate by position on lists shown in random order, over that of position 1.

    In a random order every position holds equally relevant items on average, so rates differ by examination alone. `position` [N, K] is
    1-based, 0 = not shown; `click` [N, K]. Intervals: delta method on the log of the ratio with whole rows as the unit, because clicks of
    one list hang together. Throws ValueError when position 1 has no click.
    """
    at = np.arange(1, positions + 1)
    shown = np.stack([(position == k).sum(1) for k in at], 1).astype(np.float64)  # [N, P]
    clicks = np.stack([(click * (position == k)).sum(1) for k in at], 1).astype(np.float64)
    total, clicked = shown.sum(0), clicks.sum(0)
    if clicked[0] == 0:
        raise ValueError("no click at position 1 of the randomised lists: nothing to compare with")
    rates = clicked / np.maximum(total, 1.0)
    share = rates / rates[0]
    # What each row adds to the log of each rate, so that the rows' variance is the estimate's.
    influence = (clicks - shown * rates) / np.maximum(clicked, 1.0)
    spread = np.sqrt(np.square(influence - influence[:, :1]).sum(0))
    with np.errstate(divide="ignore", invalid="ignore"):
        unseen = np.where(total > 0, RULE_OF_THREE / total / rates[0], np.inf)
    low = np.where(clicked > 0, share * np.exp(-Z * spread), 0.0)
    high = np.where(clicked > 0, share * np.exp(Z * spread), unseen)
    return Curve(share, low, high, total.astype(np.int64), clicked.astype(np.int64))


class Cells(NamedTuple):
    """Impressions that share position and key, counted. All [M]."""

    position: Integers  # 1-based
    key: Integers
    shown: Floats
    clicks: Floats


def aggregate(position: NDArray[np.integer], click: NDArray[np.floating], key: NDArray[np.integer], positions: int) -> Cells:
    """Lists [N, K] -> cells. Positions past `positions` share the last; 0 (not shown) is left out. Throws ValueError when one is missing.

    A key says who was shown: a (query, item) pair; or the rank that the engine gave, where some lists are shown in random order, so that
    every rank is seen at every position.
    """
    shown = position > 0
    column = np.minimum(position[shown], positions).astype(np.int64)
    _, keys = np.unique(key[shown], return_inverse=True)
    cell, index = np.unique(keys.astype(np.int64) * positions + column - 1, return_inverse=True)
    cells = Cells(
        cell % positions + 1,
        cell // positions,
        np.bincount(index).astype(np.float64),
        np.bincount(index, weights=click[shown].astype(np.float64)).astype(np.float64),
    )
    if len(np.unique(cells.position)) < positions:
        raise ValueError(f"no list shows all of positions 1 to {positions}")
    return cells


#: (what relevance should be per cell [M], impressions behind it [M]) -> what it is [M]
Regression = Callable[[Floats, Floats], Floats]


def mean_by_key(key: Integers, prior: float = 1.0) -> Regression:
    """A regression that knows nothing but who is who: the mean over a key's impressions. `key` is that of Cells.

    Shrunk towards the overall mean as by `prior` more impressions, so that a pair seen once is not taken at its word.
    """

    def fit(target: Floats, weight: Floats) -> Floats:
        sums = np.bincount(key, weights=weight * target)
        counts = np.bincount(key, weights=weight)
        overall = np.average(target, weights=weight)
        fitted: Floats = ((sums + prior * overall) / (counts + prior))[key]
        return fitted

    return fit


class PositionModel(NamedTuple):
    """Result of regression-EM."""

    examined: Floats  # [P], absolute; only ratios can be told from clicks
    relevant: Floats  # [M]: P(click | examined) of each cell
    steps: int

    def relative(self) -> Floats:
        """[P], first position = 1"""
        scaled: Floats = self.examined / self.examined[0]
        return scaled


def regression_em(cells: Cells, regress: Regression, most: int = 5000, tolerance: float = 1e-6) -> PositionModel:
    """Position-based model by EM whose M-step for relevance is a regression, so that pairs seen seldom lend each other strength.

    E: without a click, P(examined) = e (1 - r) / (1 - e r) and P(relevant) = r (1 - e) / (1 - e r); a click was both. M: e = mean of the
    first by position, r = `regress` of the second, which may be a model of features or `mean_by_key`. Stops when no e moves by more than
    `tolerance`: EM creeps where e is near 1, so it needs many steps.
    """
    index = cells.position - 1
    passed = cells.shown - cells.clicks
    shown = np.bincount(index, weights=cells.shown)
    examined = np.full(len(shown), 0.5)
    relevant = np.full(len(index), float(cells.clicks.sum() / cells.shown.sum()))
    steps, moved = 0, np.inf
    while steps < most and moved > tolerance:
        steps += 1
        e = examined[index]
        missed = np.maximum(1.0 - e * relevant, 1e-9)
        seen = cells.clicks + passed * e * (1.0 - relevant) / missed
        wanted = (cells.clicks + passed * relevant * (1.0 - e) / missed) / cells.shown
        before, examined = examined, np.bincount(index, weights=seen) / shown
        relevant = np.clip(regress(wanted, cells.shown), 1e-6, 1.0 - 1e-6)
        moved = float(np.abs(examined - before).max())
    return PositionModel(examined, relevant, steps)


def effective_size(weight: Floats) -> float:
    """Kish: as many unweighted rows would tell as much"""
    return float(weight.sum() ** 2 / np.square(weight).sum())


def ips(reward: Floats, weight: Floats) -> float:
    """Inverse propensity scoring: mean of weight x reward. weight = P(target) / P(logging) of what was chosen, all [N]. Unbiased."""
    return float((weight * reward).mean())


def snips(reward: Floats, weight: Floats) -> float:
    """Self-normalised: the weights sum to N in expectation, so dividing by their sum trades a little bias for much variance"""
    return float((weight * reward).sum() / weight.sum())


def doubly_robust(reward: Floats, weight: Floats, chosen: Floats, expected: Floats) -> float:
    """mean(expected + weight (reward - chosen)): right when either the weights or the reward model is.

    `chosen` [N] is the model's reward of what was chosen, `expected` [N] its mean under the target policy. Fit the model on other rows.
    """
    return float((expected + weight * (reward - chosen)).mean())


class Value(NamedTuple):
    """Value of a target policy by three estimators. Rewards per row."""

    ips: Estimate
    snips: Estimate
    dr: Estimate
    effective: float


def policy_value(reward: Floats, weight: Floats, chosen: Floats, expected: Floats, seed: int = 1, times: int = 2000) -> Value:
    """All three with percentile bootstraps that resample rows; the reward model is taken as given"""
    n = len(reward)
    terms = np.stack([weight * reward, weight, expected + weight * (reward - chosen)])  # [3, N]
    sums = resampled_sums(terms, seed, times)
    return Value(
        interval(ips(reward, weight), sums[0] / n),
        interval(snips(reward, weight), sums[0] / sums[1]),
        interval(doubly_robust(reward, weight, chosen, expected), sums[2] / n),
        effective_size(weight),
    )


def resampled_sums(terms: Floats, seed: int, times: int) -> Floats:
    """[T, N] -> [T, times]: sums over N rows drawn with replacement"""
    random = np.random.default_rng(seed)
    n = terms.shape[1]
    parts = []
    at_once = max(1, CHUNK // n)
    for begin in range(0, times, at_once):
        counts = random.multinomial(n, np.full(n, 1.0 / n), size=min(at_once, times - begin))
        parts.append(terms @ counts.T.astype(np.float64))
    return np.concatenate(parts, 1)


def interval(value: float, resampled: Floats) -> Estimate:
    """Percentiles 2.5 and 97.5"""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def cross_fitted(
    cell: Integers, reward: Floats, cells: int, folds: int = 5, prior: float = 50.0, weight: Floats | None = None
) -> tuple[Integers, Floats]:
    """A simple reward model: the mean reward of each cell (say item x position), shrunk towards the overall mean as by `prior` more rows.

    -> (fold of each row [N], means [folds, cells] fitted on the other folds), so that no row is judged by a model that saw it. Rows go to
    folds in turn.
    """
    fold = np.arange(len(reward), dtype=np.int64) % folds
    counted = np.ones_like(reward) if weight is None else weight
    means = np.empty((folds, cells))
    for f in range(folds):
        others = fold != f
        overall = np.average(reward[others], weights=counted[others])
        sums = np.bincount(cell[others], weights=(counted * reward)[others], minlength=cells)
        counts = np.bincount(cell[others], weights=counted[others], minlength=cells)
        means[f] = (sums + prior * overall) / (counts + prior)
    return fold, means
