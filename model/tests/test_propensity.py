"""Estimators of position bias and of a policy's value: closed forms, small simulated logs whose truth is known, and a real log with known
propensities."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from armmt.study.open_bandit import (
    POSITIONS,
    Findings,
    Log,
    OpenBanditError,
    calibration,
    check,
    differences,
    read_log,
    rows_of,
    uniformity,
)
from armmt.study.position_bias import (
    MODELS,
    NAIVE,
    THINNED,
    TOWER,
    Thinned,
    Trial,
    Weighted,
    carry_out,
    check_pair,
    errors,
    mean_examination,
    open_lists,
    options_of,
    run_all,
    tower_of,
)
from armmt.study.propensity import (
    Floats,
    Integers,
    aggregate,
    cross_fitted,
    doubly_robust,
    effective_size,
    ips,
    mean_by_key,
    policy_value,
    randomised_curve,
    rate,
    regression_em,
    snips,
)
from armmt.training.data import Lists

OPEN_BANDIT = Path(__file__).parents[3] / "shared" / "data" / "fixtures" / "open-bandit"
TRUE = np.array([0.8, 0.6, 0.4, 0.3])


def log_of_lists(seed: int, lists: int, shuffled: bool) -> tuple[Integers, Floats, Integers]:
    """Simulated lists of four of twelve items under the position-based model -> positions, clicks, items, all [N, 4]"""
    random = np.random.default_rng(seed)
    relevance = np.linspace(0.1, 0.8, 12)
    items = np.stack([random.choice(12, 4, replace=False) for _ in range(lists)])
    if not shuffled:  # an engine that knows much of what is relevant, with some noise
        belief = relevance[items] + random.normal(0, 0.25, items.shape)
        items = np.take_along_axis(items, np.argsort(-belief, 1), 1)
    position = np.broadcast_to(np.arange(1, 5), items.shape)
    click = (random.random(items.shape) < TRUE * relevance[items]).astype(np.float64)
    return position, click, items


def test_wilson_interval_in_closed_form() -> None:
    # 46 of 10,000: centre and half width worked out by hand from Wilson's formula.
    one = rate(46, 10_000)
    assert (one.value, one.low, one.high) == pytest.approx((0.0046, 0.0034507, 0.0061298), abs=1e-7)
    assert rate(0, 10).low == 0.0
    with pytest.raises(ValueError, match="trial"):
        rate(0, 0)


def test_randomised_curve_is_the_ratio_of_rates() -> None:
    position = np.array([[1, 2], [1, 2], [1, 2], [2, 1]])
    click = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    curve = randomised_curve(position, click, 3)
    assert curve.shown.tolist() == [4, 4, 0]
    assert curve.clicks.tolist() == [3, 1, 0]
    assert curve.share.tolist() == pytest.approx([1.0, 1 / 3, 0.0])
    assert (curve.low[0], curve.high[0]) == (1.0, 1.0)  # relative to itself
    assert curve.high[2] == np.inf  # never shown: nothing is known
    # log-ratio variance by hand: influence 1 = (c1 - 3/4) / 3, influence 2 = (c2 - 1/4) / 1 per list
    influence = np.array([0.75 - 0.25 / 3, -0.25 - 0.25 / 3, -0.25 + 0.75 / 3, -0.25 - 0.25 / 3])
    assert curve.high[1] == pytest.approx(np.exp(1.959964 * np.sqrt(np.square(influence).sum())) / 3)


def test_randomised_curve_without_a_first_click_is_refused() -> None:
    with pytest.raises(ValueError, match="position 1"):
        randomised_curve(np.array([[1, 2]]), np.array([[0.0, 1.0]]), 2)


def test_intervals_of_the_randomised_curve_cover_the_truth() -> None:
    worlds = 200
    inside = np.zeros(3)
    for seed in range(worlds):
        position, click, _ = log_of_lists(seed, 400, shuffled=True)
        curve = randomised_curve(position, click, 4)
        inside += ((curve.low <= TRUE / TRUE[0]) & (TRUE / TRUE[0] <= curve.high))[1:]
    # 95 %, give or take three standard errors of 200 trials.
    assert (np.abs(inside / worlds - 0.95) < 0.047).all()


def test_click_rates_mislead_where_the_engine_knows_relevance_and_regression_em_does_not() -> None:
    position, click, items = log_of_lists(1, 6000, shuffled=False)
    naive = randomised_curve(position, click, 4).share
    cells = aggregate(position, click, items, 4)
    model = regression_em(cells, mean_by_key(cells.key))
    wrong, right = (np.abs(curve - TRUE / TRUE[0])[1:].mean() for curve in (naive, model.relative()))
    assert wrong > 0.1
    assert right < 0.03
    assert model.steps > 1


def test_regression_em_raises_the_likelihood() -> None:
    position, click, items = log_of_lists(2, 1000, shuffled=False)
    cells = aggregate(position, click, items, 4)

    def loss(steps: int) -> float:
        model = regression_em(cells, mean_by_key(cells.key, prior=0.0), most=steps)
        p = model.examined[cells.position - 1] * model.relevant
        return float(-(cells.clicks * np.log(p) + (cells.shown - cells.clicks) * np.log(1 - p)).sum())

    losses = [loss(steps) for steps in (1, 2, 5, 20, 80)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] - losses[-1] > 10


def test_cells_count_impressions_that_share_position_and_key() -> None:
    position = np.array([[1, 2, 3, 0], [1, 2, 4, 0]])
    click = np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0]])
    cells = aggregate(position, click, np.array([[7, 8, 9, 9], [7, 9, 9, 8]]), 3)
    found = set(zip(cells.position.tolist(), cells.key.tolist(), cells.shown.tolist(), cells.clicks.tolist(), strict=True))
    assert found == {(1, 0, 2, 1), (2, 1, 1, 0), (2, 2, 1, 0), (3, 2, 2, 2)}
    with pytest.raises(ValueError, match="1 to 9"):
        aggregate(position, click, position, 9)


def test_engine_rank_is_key_enough_where_some_lists_are_shuffled() -> None:
    logs = [log_of_lists(3, 20_000, shuffled=False), log_of_lists(4, 5000, shuffled=False)]
    # The second log's lists are shown shuffled: rank and position part.
    random = np.random.default_rng(5)
    rank = random.permuted(np.broadcast_to(np.arange(4), logs[1][0].shape), axis=1)
    relevance = np.linspace(0.1, 0.8, 12)
    shown = np.take_along_axis(logs[1][2], rank, 1)
    click = (random.random(rank.shape) < TRUE * relevance[shown]).astype(np.float64)
    position = np.concatenate([logs[0][0], logs[1][0]])
    cells = aggregate(position, np.concatenate([logs[0][1], click]), np.concatenate([logs[0][0] - 1, rank]), 4)
    assert regression_em(cells, mean_by_key(cells.key)).relative() == pytest.approx(TRUE / TRUE[0], abs=0.03)


def test_values_of_a_policy_in_closed_form() -> None:
    reward, weight = np.array([1.0, 0.0, 1.0]), np.array([2.0, 0.5, 0.5])
    chosen, expected = np.array([0.5, 0.5, 0.0]), np.array([0.2, 0.4, 0.6])
    assert ips(reward, weight) == pytest.approx(2.5 / 3)
    assert snips(reward, weight) == pytest.approx(2.5 / 3.0)
    assert doubly_robust(reward, weight, chosen, expected) == pytest.approx((0.2 + 1.0 + 0.4 - 0.25 + 0.6 + 0.5) / 3)
    assert effective_size(weight) == pytest.approx(9 / 4.5)
    assert effective_size(np.ones(7)) == 7
    # Weights of one leave nothing to correct.
    assert ips(reward, np.ones(3)) == snips(reward, np.ones(3)) == pytest.approx(2 / 3)


WORTH = np.array([0.1, 0.3, 0.2, 0.6])
LOGGING = np.array([0.6, 0.25, 0.1, 0.05])
TARGET = np.array([0.1, 0.2, 0.3, 0.4])


def bandit(seed: int, rows: int) -> tuple[Integers, Floats, Floats]:
    """Simulated choices of the logging policy -> item, reward, weight"""
    random = np.random.default_rng(seed)
    item = random.choice(4, rows, p=LOGGING)
    return item, (random.random(rows) < WORTH[item]).astype(np.float64), (TARGET / LOGGING)[item]


def test_estimators_are_unbiased_and_their_intervals_cover() -> None:
    truth, worlds = float(TARGET @ WORTH), 150
    values = []
    for seed in range(worlds):
        item, reward, weight = bandit(seed, 500)
        fold, means = cross_fitted(item, reward, 4, prior=5.0)
        values.append(policy_value(reward, weight, means[fold, item], (means @ TARGET)[fold], seed, times=150))
    for name in ("ips", "snips", "dr"):
        found = [getattr(value, name) for value in values]
        middle = np.array([one.value for one in found])
        assert abs(middle.mean() - truth) < 4 * middle.std() / np.sqrt(worlds), name
        covered = np.mean([one.low <= truth <= one.high for one in found])
        assert 0.88 < covered < 0.99, (name, covered)  # a percentile bootstrap of skewed weights covers a little less than it says
    spread = {name: np.std([getattr(value, name).value for value in values]) for name in ("ips", "dr")}
    assert spread["dr"] < spread["ips"]


def test_doubly_robust_survives_wrong_weights_with_a_right_model_and_the_other_way_round() -> None:
    truth = float(TARGET @ WORTH)
    item, reward, weight = bandit(0, 200_000)
    expected = np.full(len(item), truth)
    assert doubly_robust(reward, np.ones_like(weight), WORTH[item], expected) == pytest.approx(truth, abs=0.005)
    wrong = np.full(len(item), 0.9)
    assert doubly_robust(reward, weight, wrong, wrong) == pytest.approx(truth, abs=0.02)
    # Neither: off by much.
    assert abs(doubly_robust(reward, np.ones_like(weight), wrong, wrong) - truth) > 0.1


def test_no_row_is_in_the_model_that_judges_it() -> None:
    reward = np.zeros(10)
    reward[3] = 1.0
    fold, means = cross_fitted(np.arange(10), reward, 10, folds=5, prior=1.0)
    assert means[fold[3], 3] == 0.0
    assert (means[np.arange(5) != fold[3], 3] > 0.5).all()


def drawn_log(seed: int, recorded: Floats, chosen: Floats, rows: int) -> Log:
    """Choices with the probabilities `chosen` [34] that are recorded as `recorded` [34]"""
    random = np.random.default_rng(seed)
    item = random.choice(34, rows, p=chosen)
    return Log(item, random.integers(1, 4, rows), np.zeros(rows), recorded[item])


def test_a_wrong_record_of_propensities_is_found_out() -> None:
    even = np.full(34, 1 / 34)
    steep = np.geomspace(1, 60, 34)
    steep /= steep.sum()
    flatter = steep**0.7 / (steep**0.7).sum()
    assert abs(uniformity(drawn_log(1, even, even, 9000)).z) < 3
    assert uniformity(drawn_log(1, even, steep, 9000)).z > 10
    right = [one.ratio for one in calibration(drawn_log(1, steep, steep, 9000))]
    assert sum(one.low <= 1 <= one.high for one in right) >= len(right) - 1
    wrong = [one.ratio for one in calibration(drawn_log(1, flatter, steep, 9000))]
    assert sum(one.low <= 1 <= one.high for one in wrong) <= len(wrong) // 2


def test_a_folder_without_the_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenBanditError, match="does not exist"):
        read_log(tmp_path, "bts")


@pytest.fixture(scope="module")
def found() -> Findings:
    if not OPEN_BANDIT.exists():
        pytest.skip("../shared/data/fixtures/open-bandit is absent: real propensities unchecked")
    return check(OPEN_BANDIT)


def test_open_bandit_agrees_with_its_own_propensities(found: Findings) -> None:
    random = read_log(OPEN_BANDIT, "random")
    assert (np.abs(random.propensity - 1 / 34) < 1e-12).all()
    assert abs(found.uniformity.z) < 3
    assert found.inverse["random"].value == pytest.approx(34)
    assert found.inverse["bts"].low < 34 < found.inverse["bts"].high
    # Heavy tails of 1 / propensity make the intervals of rare pairs too narrow, so not every bin must hold 1, and none may be far off.
    assert sum(one.ratio.low <= 1 <= one.ratio.high for one in found.bins) >= len(found.bins) - 1
    assert all(0.7 < one.ratio.value < 1.3 for one in found.bins)


def test_open_bandit_values_agree_within_their_wide_intervals(found: Findings) -> None:
    assert (found.rates["random"].value, found.rates["bts"].value) == (0.0046, 0.0069)
    for policy, value in found.values.items():
        assert all(abs(z) < 3 for z in differences(value, found.rates[policy]).values()), policy
        # 46 and 69 clicks: at best the rate within a third, with weights worse.
        assert all(one.high - one.low > 0.0025 for one in (value.ips, value.snips, value.dr))
    assert found.values["random"].effective < 1000 < found.values["bts"].effective < 10_000
    assert found.curve.clicks.sum() == 46
    assert len(found.position_rates) == POSITIONS


def test_open_bandit_rows_are_rows_of_the_benchmark(found: Findings) -> None:
    rows = rows_of(found)
    assert {(row["part"], row["level"]) for row in rows} == {("open bandit", "open bandit")}
    assert len({(row["model"], row["metric"]) for row in rows}) == len(rows)
    assert all(np.isfinite(row["mean"]) for row in rows)
    assert all((row["low"] is None) == (row["high"] is None) for row in rows)


def test_weighted_clicks_make_up_for_positions(lists_folder: Path) -> None:
    lists = Lists(lists_folder, "train")
    rows = torch.arange(8)
    _, plain = lists.batch(rows)
    _, weighted = Weighted(lists, np.array([0.8, 0.4, 0.2])).batch(rows)
    factor = torch.tensor([1.0, 2.0, 4.0])[(plain.position - 1).clamp(0, 2)]
    assert torch.allclose(weighted.click, plain.click * factor)
    assert torch.allclose(weighted.gain, plain.gain * factor)
    assert torch.equal(weighted.purchase, plain.purchase)


def test_thinned_clicks_are_kept_wherever_they_stood_with_all_that_followed(lists_folder: Path) -> None:
    full = Lists(lists_folder, "train")
    before = full.click.clone()
    full.click = (full.position > 0).float()  # a click at every position shown, each bought
    full.purchase, full.cart = full.click.clone(), full.click.clone()
    thinned = Thinned(full, 0.4, seed=1)
    assert torch.equal(full.click, (full.position > 0).float())  # the given lists are as they were
    assert torch.equal(thinned.purchase, thinned.click)
    assert torch.equal(thinned.cart, thinned.click)
    assert set(thinned.click.flatten().tolist()) == {0.0, 1.0}
    for positions in (range(1, 4), range(4, 13)):
        here = torch.isin(full.position, torch.tensor(list(positions)))
        shown, clicks = float(here.sum()), float(thinned.click[here].sum())
        assert abs(clicks / shown - 0.4) < 4 * np.sqrt(0.4 * 0.6 / shown)
    assert not torch.equal(Thinned(full, 0.4, seed=2).click, thinned.click)
    assert torch.equal(Thinned(full, 0.4, seed=1).click, thinned.click)
    assert torch.equal(Lists(lists_folder, "train").click, before)


def without_clicks_below(folder: Path, position: int, out: Path) -> Path:
    """The same lists of shoppers who examine nothing below a position"""
    shutil.copytree(folder, out)
    table = pq.read_table(out / "lists.parquet")
    clicks = [row[:position] + [0] * len(row[position:]) for row in table["clicks"].to_pylist()]
    column = table.schema.get_field_index("clicks")
    pq.write_table(table.set_column(column, table.schema.field(column), pa.array(clicks, pa.list_(pa.int32()))), out / "lists.parquet")
    return out


def test_thinned_lists_have_as_many_clicks_as_the_biased_log(lists_folder: Path, tmp_path: Path) -> None:
    biased = without_clicks_below(lists_folder, 3, tmp_path / "biased")
    seen, all_clicks = (float(Lists(folder, "train").click.sum()) for folder in (biased, lists_folder))
    share = mean_examination(biased, lists_folder)
    assert share == pytest.approx(seen / all_clicks)
    assert 0 < share < 1
    trial = Trial(biased, lists_folder, tmp_path / "out")
    for split in ("train", "validation"):
        everything = Lists(lists_folder, split)
        thinned = open_lists(THINNED, trial, split, seed=1)
        clicks = float(everything.click.sum())
        assert abs(float(thinned.click.sum()) - share * clicks) < 4 * np.sqrt(share * (1 - share) * clicks)
        below = everything.position > 3
        assert thinned.click[below].sum() > 0  # where the biased log has none
        assert (thinned.click <= everything.click).all()
    with pytest.raises(ValueError, match="more clicks"):
        mean_examination(lists_folder, biased)


def test_a_tower_can_be_told_a_curve() -> None:
    told = tower_of(np.array([0.8, 0.6, 0.2]))
    assert told.curve(4) == pytest.approx([1.0, 0.75, 0.25, 0.25], abs=1e-3)


def test_errors_are_relative_to_the_first_position() -> None:
    found = errors(np.array([0.5, 0.5, 0.1]), np.array([1.0, 0.8, 0.4]))
    assert found == {"meanAbsoluteError": pytest.approx(0.2), "meanRelativeError": pytest.approx((0.2 / 0.8 + 0.2 / 0.4) / 2)}


@pytest.fixture
def shuffled_folder(lists_folder: Path, tmp_path: Path) -> Path:
    """The small world with test lists and shuffled lists, ten candidates each"""
    folder = tmp_path / "biased"
    shutil.copytree(lists_folder, folder)
    table = pq.read_table(folder / "lists.parquet")
    splits = ["test" if i % 7 == 0 else split for i, split in enumerate(table["split"].to_pylist())]
    shuffled = [i % 3 == 0 for i in range(len(splits))]
    for name, values in (("split", splits), ("randomised", shuffled)):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    keep = pa.array([len(row) >= 10 for row in table["positions"].to_pylist()])
    pq.write_table(table.filter(keep), folder / "lists.parquet")
    return folder


def test_runs_are_left_for_the_judge_and_not_repeated(shuffled_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    trial = Trial(shuffled_folder, shuffled_folder, tmp_path / "out", width=8, depth=1, true_curve=(0.9, 0.8, 0.7))
    for model in MODELS:
        carry_out(model, trial, 1, options_of(model, trial, 1))
    before = [path.stat().st_mtime_ns for path in trial.out.rglob("run.json")]
    run_all(trial, list(MODELS), seeds=1, workers=1)
    assert "5 of 5 runs are done" in capfd.readouterr().out
    assert [path.stat().st_mtime_ns for path in trial.out.rglob("run.json")] == before
    assert options_of(NAIVE, replace(trial, share=0.5), 1) != options_of(NAIVE, trial, 1)
    test = Lists(shuffled_folder, "test")
    for model in MODELS:
        folder = trial.folder(model, 1)
        report = json.loads((folder / "run.json").read_text())
        assert (report["model"], report["seed"]) == (model, 1)
        assert ("examination" in report) == (model == TOWER)
        assert 0 < report["trainClicks"] <= float(Lists(shuffled_folder, "train").click.sum())
        assert np.load(folder / "scores.npy").shape == tuple(test.items.shape)
        assert np.load(folder / "clicks.npy").max() <= 1
    found = json.loads((trial.out / "examination.json").read_text())
    assert found["true"] == pytest.approx([1, 8 / 9, *[7 / 9] * 8], abs=1e-4)
    assert len(found["tower"]["seeds"]) == 1
    assert found["tower"]["mean"]["meanAbsoluteError"] > 0
    assert all(len(found[name]["share"]) == 10 for name in ("randomised", "regressionEm"))


def test_folders_of_other_searches_are_refused(shuffled_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(shuffled_folder, other)
    table = pq.read_table(other / "lists.parquet")
    pq.write_table(table.slice(len(table) // 2), other / "lists.parquet")
    check_pair(shuffled_folder, shuffled_folder)
    with pytest.raises(ValueError, match="other test searches"):
        check_pair(shuffled_folder, other)
