"""What every model with this contract must keep: shapes, masks, and scores that do not depend on the order of the candidates."""

from __future__ import annotations

import pytest
import torch

from armmt.contract import IMAGE_DIM, TOKEN_ROWS, ListBatch, Scores
from armmt.export import example, golden_batches
from armmt.student import Student, count_parameters
from armmt.teacher import Teacher


def awake(seed: int = 0) -> Student:
    """A student whose zero-initialised parts are random, so that nothing holds by accident"""
    torch.manual_seed(seed)
    student = Student(torch.randn(TOKEN_ROWS, 64))
    with torch.no_grad():
        for parameter in student.parameters():
            if parameter.abs().sum() == 0:
                parameter.normal_(std=0.3)
        student.trunk.query.learned.weight.normal_(std=0.5)
    return student.eval()


def ask(student: Student, batch: ListBatch) -> Scores:
    with torch.no_grad():
        scores = student(*batch)
    return Scores(*scores)


@pytest.mark.parametrize("k", [1, 2, 50, 200])
def test_shapes_and_gate(k: int) -> None:
    scores = ask(awake(), example(k, 6, 4, seed=k))
    assert scores.score.shape == (1, k)
    assert scores.gate.shape == (1, k, 2)
    assert torch.allclose(scores.gate.sum(-1), torch.ones(1, k), atol=1e-6)
    assert torch.isfinite(scores.score).all()


def test_padding_changes_nothing() -> None:
    """Real candidates score the same with and without padding, whatever the padding holds"""
    student = awake()
    batch = example(20, 6, 4, seed=3, padded=8)
    noisy = batch._replace(
        image=batch.image + torch.randn_like(batch.image) * (1 - batch.mask).unsqueeze(-1),
        features=batch.features + 3 * torch.randn_like(batch.features) * (1 - batch.mask).unsqueeze(-1),
    )
    short = batch._replace(
        **{name: getattr(batch, name)[:, :12] for name in ("image", "text", "features", "presence", "mask")},
    )
    expected = ask(student, short).score[0]
    assert torch.allclose(ask(student, batch).score[0, :12], expected, atol=1e-5)
    assert torch.allclose(ask(student, noisy).score[0, :12], expected, atol=1e-5)


def test_padding_of_query_and_history_changes_nothing() -> None:
    student = awake()
    batch = example(10, 6, 4, seed=4)
    longer = batch._replace(
        query_token_ids=torch.cat([batch.query_token_ids, torch.full((1, 3), 7, dtype=torch.int32)], 1),
        query_mask=torch.cat([batch.query_mask, torch.zeros(1, 3)], 1),
        history_image=torch.cat([batch.history_image, torch.randn(1, 2, IMAGE_DIM)], 1),
        history_text=torch.cat([batch.history_text, torch.randn(1, 2, 64)], 1),
        history_mask=torch.cat([batch.history_mask, torch.zeros(1, 2)], 1),
    )
    assert torch.allclose(ask(student, longer).score, ask(student, batch).score, atol=1e-5)


def test_order_of_candidates_does_not_matter() -> None:
    student = awake()
    batch = example(30, 6, 4, seed=5)
    order = torch.randperm(30)
    shuffled = batch._replace(**{name: getattr(batch, name)[:, order] for name in ("image", "text", "features", "presence", "mask")})
    assert torch.allclose(ask(student, shuffled).score[0], ask(student, batch).score[0, order], atol=1e-5)


def test_lists_of_a_batch_do_not_meet() -> None:
    student = awake()
    one, two = example(9, 5, 3, seed=6), example(9, 5, 3, seed=7)
    both = ListBatch(*(torch.cat(parts) for parts in zip(one, two, strict=True)))
    assert torch.allclose(ask(student, both).score[1], ask(student, two).score[0], atol=1e-5)


def test_missing_modality_gets_no_weight() -> None:
    student = awake()
    batch = example(30, 5, 3, seed=8)
    gate = ask(student, batch).gate
    image, text = batch.presence.unbind(-1)
    for weight, has, other in ((gate[..., 1], image, text), (gate[..., 0], text, image)):
        alone = (has == 0) & (other == 1)
        assert alone.any()
        assert (weight[alone] == 0).all()
        assert (weight[(has == 1) & (other == 1)] > 0).all()
    assert torch.allclose(gate.sum(-1), torch.ones(1, 30), atol=1e-6)


def test_list_query_and_history_matter() -> None:
    """Each input reaches the score, so that a lost connection is noticed"""
    student = awake()
    batch = example(12, 5, 3, seed=9)
    base = ask(student, batch).score
    other = example(12, 5, 3, seed=10)
    for name in ("query_token_ids", "image", "text", "features", "history_image", "history_text"):
        changed = ask(student, batch._replace(**{name: getattr(other, name)})).score
        assert (changed - base).abs().max() > 1e-4, name
    neighbour = batch._replace(features=torch.cat([batch.features[:, :1], other.features[:, 1:]], 1))
    assert (ask(student, neighbour).score[0, 0] - base[0, 0]).abs() > 1e-5


def test_examination_is_no_input_of_serving() -> None:
    assert not any("examination" in name for name, _ in Student().named_parameters())
    assert any("examination" in name for name, _ in Teacher().named_parameters())


def test_size() -> None:
    total, table = count_parameters(Student())
    assert total - table <= 120_000


def test_golden_cases_cover_the_contract() -> None:
    cases = golden_batches()
    assert {batch.mask.shape[1] for batch in cases.values()} >= {1, 2, 50, 100, 200}
    assert any((batch.mask == 0).any() for batch in cases.values())
    assert any((batch.history_mask == 0).all() for batch in cases.values())
    assert any((batch.presence[..., 0] == 0).all() for batch in cases.values())
    assert any((batch.presence[..., 1] == 0).all() for batch in cases.values())
