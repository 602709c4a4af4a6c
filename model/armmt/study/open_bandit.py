"""The estimators against a log whose propensities are known: Open Bandit, small size, campaign "men" (Saito et al., arXiv 2008.07146).

Real impressions of a fashion shop under two policies. The random one is the truth to compare with; the other, Bernoulli Thompson sampling
(bts), is the biased log. There are 46 and 69 clicks, so every interval is wide: agreement means that nothing contradicts the estimators.

    python -m armmt.study.open_bandit --data ../../shared/data/fixtures/open-bandit --out rows.json
"""

from __future__ import annotations

import argparse
import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from armmt.study.propensity import (
    Curve,
    Estimate,
    Floats,
    Integers,
    Value,
    Z,
    cross_fitted,
    policy_value,
    randomised_curve,
    rate,
)
from armmt.training.runtime import write_json

POLICIES = ("random", "bts")
POSITIONS = 3
ITEMS = 34
CELLS = ITEMS * POSITIONS
#: Upper ends of the bins, in shares of choices at a position.
BIN_ENDS = (0.005, 0.01, 0.02, 0.05, 0.1, 1.0)


class OpenBanditError(Exception):
    """The folder does not hold the log, or not in its columns."""


@dataclass(frozen=True)
class Log:
    """Impressions in the order of time, all [N]."""

    item: Integers  # 0 to 33
    position: Integers  # 1 to 3
    click: Floats
    propensity: Floats  # of this item at this position

    @property
    def cell(self) -> Integers:
        """Number of (position, item)"""
        return (self.position - 1) * ITEMS + self.item


def read_log(folder: Path, policy: str) -> Log:
    """One policy's impressions. Throws OpenBanditError."""
    path = folder / policy / "men" / "men.csv.gz"
    if not path.exists():
        raise OpenBanditError(f"{path} does not exist")
    with gzip.open(path, "rt", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row.get("timestamp", ""))
    try:
        log = Log(
            np.array([int(row["item_id"]) for row in rows]),
            np.array([int(row["position"]) for row in rows]),
            np.array([float(row["click"]) for row in rows]),
            np.array([float(row["propensity_score"]) for row in rows]),
        )
    except (KeyError, ValueError) as error:
        raise OpenBanditError(f"{path}: {type(error).__name__} {error}") from error
    within = ((log.item >= 0) & (log.item < ITEMS) & (log.position >= 1) & (log.position <= POSITIONS)).all()
    if len(rows) == 0 or not within or not ((log.propensity > 0) & (log.propensity <= 1)).all():
        raise OpenBanditError(f"{path}: expected items 0 to {ITEMS - 1}, positions 1 to {POSITIONS}, propensities above 0")
    return log


class Uniformity(NamedTuple):
    """Chi-square of item counts against equal shares."""

    statistic: float
    freedom: int
    z: float  # Wilson and Hilferty: about standard normal when shares are equal


def uniformity(log: Log) -> Uniformity:
    """Whether items are chosen equally often at every position, as a propensity of 1/34 says"""
    counts = np.bincount(log.cell, minlength=CELLS).reshape(POSITIONS, ITEMS).astype(np.float64)
    expected = counts.sum(1, keepdims=True) / ITEMS
    statistic = float((np.square(counts - expected) / expected).sum())
    freedom = POSITIONS * (ITEMS - 1)
    spread = 2 / (9 * freedom)
    return Uniformity(statistic, freedom, float(((statistic / freedom) ** (1 / 3) - (1 - spread)) / np.sqrt(spread)))


def inverse_mean(log: Log) -> Estimate:
    """Mean of 1 / propensity: equals the number of items when every item can be chosen and the record is right"""
    inverse = 1.0 / log.propensity
    half = Z * float(inverse.std(ddof=1)) / np.sqrt(len(inverse))
    return Estimate(float(inverse.mean()), float(inverse.mean() - half), float(inverse.mean() + half))


class Bin(NamedTuple):
    """(item, position) pairs that are chosen about equally often."""

    low: float  # share of choices, from
    high: float  # to
    chosen: int
    recorded: float  # mean propensity that the record implies, per impression and pair
    happened: float  # share of choices
    ratio: Estimate  # mean of (pair chosen) / propensity, 1 when the record is right


def calibration(log: Log) -> list[Bin]:
    """Recorded propensities against what was chosen, from often to seldom chosen pairs.

    Only the chosen item's propensity is recorded, so recorded and happened cannot be compared impression by impression. But the mean of
    (pair chosen) / propensity is 1 for every pair. Pairs are put into bins by every other impression, and compared on the rest, both ways
    round: a bin chosen by the impressions that fill it would look right or wrong by selection.
    """
    half = np.arange(len(log.item)) % 2
    inside = [np.zeros(len(log.item), dtype=bool) for _ in BIN_ENDS]
    pairs = [np.zeros(len(log.item)) for _ in BIN_ENDS]  # pairs of the bin at each impression's position
    for other in (0, 1):
        mine = half == other
        shares = mean_policy(log, half != other)
        bins = np.searchsorted(BIN_ENDS, shares)  # [3, 34]
        for b in range(len(BIN_ENDS)):
            inside[b][mine] = (bins == b)[log.position[mine] - 1, log.item[mine]]
            pairs[b][mine] = (bins == b).sum(1)[log.position[mine] - 1]
    return [
        bin_of(log, hit, count, ends)
        for hit, count, ends in zip(inside, pairs, zip((0.0, *BIN_ENDS[:-1]), BIN_ENDS, strict=True), strict=True)
        if hit.any()
    ]


def bin_of(log: Log, inside: NDArray[np.bool_], pairs: Floats, ends: tuple[float, float]) -> Bin:
    """`inside` [N]: whether the choice is in the bin; `pairs` [N]: how many of the bin's pairs could have been chosen"""
    inverse = inside / log.propensity
    ratio = float(inverse.sum() / pairs.sum())
    half = Z * float(np.sqrt(np.square(inverse - ratio * pairs).sum())) / float(pairs.sum())
    happened = float(inside.sum() / pairs.sum())
    return Bin(*ends, int(inside.sum()), float(inside.sum() / inverse.sum()), happened, Estimate(ratio, ratio - half, ratio + half))


def mean_policy(log: Log, of: NDArray[np.bool_] | None = None) -> Floats:
    """[3, 34]: how often each item was chosen at each position, over the whole log or some of its impressions"""
    counts = np.bincount(log.cell if of is None else log.cell[of], minlength=CELLS).reshape(POSITIONS, ITEMS).astype(np.float64)
    shares: Floats = counts / counts.sum(1, keepdims=True)
    return shares


def random_from_bts(bts: Log) -> Value:
    """Click rate of the random policy, from the other policy's log"""
    weight = (1.0 / ITEMS) / bts.propensity
    fold, means = cross_fitted(bts.cell, bts.click, CELLS)
    expected = means.reshape(-1, POSITIONS, ITEMS).mean(2)[fold, bts.position - 1]
    return policy_value(bts.click, weight, means[fold, bts.cell], expected)


def bts_from_random(random: Log, bts: Log) -> Value:
    """Click rate of bts from the random log. bts's propensities of what the random policy chose are not recorded, so its mean policy of the
    week stands in: the same value if what an item is worth does not move with bts's belief in it."""
    policy = mean_policy(bts)
    weight = policy[random.position - 1, random.item] / random.propensity
    fold, means = cross_fitted(random.cell, random.click, CELLS)
    expected = (means.reshape(-1, POSITIONS, ITEMS) * policy).sum(2)[fold, random.position - 1]
    return policy_value(random.click, weight, means[fold, random.cell], expected)


def position_effect(log: Log) -> Curve:
    """The randomised estimator; each impression is a list of one position"""
    return randomised_curve(log.position[:, None], log.click[:, None], POSITIONS)


def differences(value: Value, truth: Estimate) -> dict[str, float]:
    """Each estimator's error in standard errors of the difference, both read off the intervals (the logs are independent)"""

    def deviation(one: Estimate) -> float:
        return (one.high - one.low) / (2 * Z)

    return {
        name: (one.value - truth.value) / float(np.hypot(deviation(one), deviation(truth)))
        for name, one in (("ips", value.ips), ("snips", value.snips), ("dr", value.dr))
    }


class Findings(NamedTuple):
    """All checks."""

    uniformity: Uniformity
    inverse: dict[str, Estimate]
    bins: list[Bin]
    rates: dict[str, Estimate]  # on the policy's own log
    values: dict[str, Value]  # from the other policy's log
    curve: Curve
    position_rates: list[Estimate]


def check(folder: Path) -> Findings:
    """All checks of the two logs. Throws OpenBanditError."""
    logs = {policy: read_log(folder, policy) for policy in POLICIES}
    random, bts = logs["random"], logs["bts"]
    curve = position_effect(random)
    return Findings(
        uniformity(random),
        {policy: inverse_mean(log) for policy, log in logs.items()},
        calibration(bts),
        {policy: rate(float(log.click.sum()), len(log.click)) for policy, log in logs.items()},
        {"random": random_from_bts(bts), "bts": bts_from_random(random, bts)},
        curve,
        [rate(float(clicks), float(shown)) for clicks, shown in zip(curve.clicks, curve.shown, strict=True)],
    )


def row(model: str, metric: str, value: Estimate | float) -> dict[str, Any]:
    """A row of model/benchmark.json. Real data: level and part have the same name."""
    mean, low, high = value if isinstance(value, Estimate) else (value, None, None)
    return {
        "part": "open bandit",
        "level": "open bandit",
        "model": model,
        "metric": metric,
        "mean": mean,
        "low": low,
        "high": high,
        "seeds": 1,
        "split": "all",
    }


def rows_of(found: Findings) -> list[dict[str, Any]]:
    """Rows of model/benchmark.json. Rates are per thousand impressions, so that they can be read."""
    rows = [
        row("random", "chi-square of item counts / degrees of freedom", found.uniformity.statistic / found.uniformity.freedom),
        row("random", "chi-square of item counts, as z", found.uniformity.z),
        *(row(policy, "mean of 1 / propensity (34 if right)", value) for policy, value in found.inverse.items()),
    ]
    for each in found.bins:
        model = f"bts, pairs chosen {100 * each.low:g} to {100 * each.high:g} %"
        rows.append(row(model, "mean of chosen / propensity (1 if right)", each.ratio))
        rows.append(row(model, "share of choices", each.happened))
        rows.append(row(model, "recorded propensity, harmonic mean", each.recorded))
    for policy, other in (("random", "bts"), ("bts", "random")):
        value, truth = found.values[policy], found.rates[policy]
        rows.append(row(policy, "clicks per 1000, own log", thousandfold(truth)))
        for name, estimate in (("IPS", value.ips), ("SNIPS", value.snips), ("DR", value.dr)):
            rows.append(row(policy, f"clicks per 1000, {name} from the log of {other}", thousandfold(estimate)))
            error = differences(value, truth)[name.lower()]
            rows.append(row(policy, f"{name} minus own log, in standard errors", error))
        rows.append(row(policy, f"effective impressions of the log of {other}", value.effective))
    for index in range(POSITIONS):
        rows.append(row("random", f"clicks per 1000 at position {index + 1}", thousandfold(found.position_rates[index])))
        if index > 0:
            rows.append(row("random", f"examination at position {index + 1} relative to 1", found.curve.at(index)))
    return rows


def thousandfold(one: Estimate) -> Estimate:
    return Estimate(*(1000.0 * value for value in one))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with random/men/men.csv.gz and bts/men/men.csv.gz")
    parser.add_argument("--out", type=Path, required=True, help="rows of model/benchmark.json are written here")
    a = parser.parse_args()
    try:
        rows = rows_of(check(a.data))
    except OpenBanditError as error:
        parser.exit(1, f"armmt.study.open_bandit: {error}\n")
    a.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(a.out, rows)


if __name__ == "__main__":
    main()
