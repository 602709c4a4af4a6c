"""The losses against arithmetic that can be checked by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from armmt.training.losses import examined_click, listwise_click, listwise_kl, margin, purchase_given_click, standardise

ALL = torch.ones(1, 3)


def row(*values: float) -> Tensor:
    return torch.tensor([values])


def test_examined_click_is_log_loss_of_the_product() -> None:
    half = row(0.0)  # sigmoid(0) = 1/2, so P(click) = 1/4
    clicked = examined_click(half, half, row(1.0), row(1.0))
    passed = examined_click(half, half, row(0.0), row(1.0))
    assert float(clicked) == pytest.approx(-math.log(0.25), abs=1e-5)
    assert float(passed) == pytest.approx(-math.log(0.75), abs=1e-5)


def test_examined_click_ignores_what_was_not_shown() -> None:
    shown = examined_click(row(0.0, 9.0), row(0.0, 0.0), row(1.0, 0.0), row(1.0, 0.0))
    assert float(shown) == pytest.approx(-math.log(0.25), abs=1e-5)


def test_listwise_click_is_cross_entropy_of_the_clicked() -> None:
    logits = torch.log(row(1.0, 2.0, 1.0))  # softmax = 1/4, 1/2, 1/4
    seen = torch.full((1, 3), 50.0)  # examined for certain
    assert float(listwise_click(logits, seen, row(0.0, 1.0, 0.0), ALL)) == pytest.approx(-math.log(0.5), abs=1e-5)


def test_listwise_click_of_a_list_without_click_is_nothing() -> None:
    logits = torch.log(torch.tensor([[1.0, 2.0, 1.0], [5.0, 1.0, 1.0]]))
    clicks = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    loss = listwise_click(logits, torch.full((2, 3), 50.0), clicks, torch.ones(2, 3))
    assert float(loss) == pytest.approx(-math.log(0.5) / 2, abs=1e-5)  # a mean over both lists, one of which adds nothing


def test_purchase_counts_clicked_items_only() -> None:
    loss = purchase_given_click(row(0.0, 8.0), row(1.0, 0.0), row(1.0, 0.0))
    assert float(loss) == pytest.approx(math.log(2), abs=1e-5)


def test_standardise_within_the_list() -> None:
    z = standardise(row(1.0, 3.0, 99.0), row(1.0, 1.0, 0.0))  # mean 2, standard deviation 1
    assert z[0].tolist() == pytest.approx([-1.0, 1.0, 0.0], abs=1e-4)


def test_kl_is_zero_for_equals_and_known_for_two() -> None:
    same = torch.randn(2, 3)
    assert float(listwise_kl(same, same + 5.0, torch.ones(2, 3), 1.0)) == pytest.approx(0.0, abs=1e-6)
    teacher, student = torch.log(row(0.75, 0.25)), torch.log(row(0.5, 0.5))
    expected = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert float(listwise_kl(student, teacher, torch.ones(1, 2), 1.0)) == pytest.approx(expected, abs=1e-5)


def test_kl_ignores_padding() -> None:
    mask = row(1.0, 1.0, 0.0)
    a = listwise_kl(row(0.1, 0.9, 7.0), row(0.3, -0.2, 0.0), mask, 1.0)
    b = listwise_kl(row(0.1, 0.9, -7.0), row(0.3, -0.2, 4.0), mask, 1.0)
    assert float(a) == pytest.approx(float(b), abs=1e-6)


def test_margin_is_zero_when_gaps_are_the_teachers() -> None:
    teacher = row(1.0, 0.0, -1.0)
    assert float(margin(2 * teacher + 3, teacher, ALL, torch.tensor(2.0))) == pytest.approx(0.0, abs=1e-6)


def test_margin_of_one_pair() -> None:
    # One pair, gap 1 in the teacher and 3 in the student: (3 - 1)^2 = 4, whatever its weight.
    assert float(margin(row(3.0, 0.0), row(1.0, 0.0), torch.ones(1, 2), torch.tensor(1.0))) == pytest.approx(4.0, abs=1e-4)
