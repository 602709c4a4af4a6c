"""What every model with this contract must keep: shapes, masks, and scores that do not depend on the order of the candidates."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from onnx.version_converter import convert_version
from torch import Tensor

from armmt.model.backbone import Components
from armmt.model.contract import FEATURE_DIM, IMAGE_DIM, INPUT_NAMES, OUTPUT_NAMES, TOKEN_ROWS, ListBatch, Scores
from armmt.model.export import DYNAMIC_AXES, example, golden_batches, to_onnx
from armmt.model.layers import Surroundings, histogram
from armmt.model.student import Student, StudentRanker, count_parameters
from armmt.model.teacher import Teacher
from armmt.training.data import Lists
from armmt.training.fit import FitOptions, Trained, score
from armmt.training.losses import listwise_click

PER_CANDIDATE = ("image", "text", "features", "presence", "mask")


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
    twins = batch._replace(**{name: getattr(batch, name)[:, :1].expand_as(getattr(batch, name)) for name in ("image", "text")})
    neighbours = twins._replace(features=torch.cat([batch.features[:, :1], other.features[:, 1:]], 1))
    assert (ask(student, neighbours).score[0, 0] - ask(student, twins).score[0, 0]).abs() > 1e-4


def test_position_is_no_input_of_a_model() -> None:
    """It is explained by the examination tower, which stands beside the model and stays behind in training"""
    for model in (Student(), Teacher()):
        assert not any("examination" in name for name, _ in model.named_parameters())


#: The whole, and each piece turned: off where it is usually on.
WITHOUT = [Components(), *(replace(Components(), **{piece.name: not piece.default}) for piece in fields(Components))]


@pytest.mark.parametrize("components", WITHOUT, ids=str)
def test_teacher_with_and_without_each_piece(components: Components) -> None:
    """Order, padding and gradients hold for the whole teacher and for every ablation of it"""
    torch.manual_seed(3)
    teacher = Teacher(torch.randn(TOKEN_ROWS, 64), width=16, depth=2, components=components)
    batch = example(14, 6, 4, seed=11, padded=4)
    predictions = teacher.predict(batch)
    assert (predictions.auxiliary is not None) == components.auxiliary
    order = torch.cat([torch.randperm(10), torch.arange(10, 14)])
    shuffled = batch._replace(**{name: getattr(batch, name)[:, order] for name in PER_CANDIDATE})
    assert torch.allclose(teacher.predict(shuffled).click[0], predictions.click[0, order], atol=1e-5)
    short = batch._replace(**{name: getattr(batch, name)[:, :10] for name in PER_CANDIDATE})
    assert torch.allclose(teacher.predict(short).click[0], predictions.click[0, :10], atol=1e-5)
    outputs = [value[:, :10].sum() for value in predictions if value is not None]
    torch.stack(outputs).sum().backward()  # type: ignore[no-untyped-call]
    assert [name for name, parameter in teacher.named_parameters() if parameter.grad is None] == []


def test_gradients_against_differences() -> None:
    """Autograd of the whole teacher in float64 against central differences, for inputs of every kind"""
    torch.manual_seed(4)
    teacher = Teacher(torch.randn(TOKEN_ROWS, 64), width=8, depth=1).double()
    batch = ListBatch(*(part.double() if part.is_floating_point() else part for part in example(4, 3, 2, seed=12)))
    inputs = tuple(part.requires_grad_() for part in (batch.image, batch.text, batch.features, batch.history_image))

    def click(image: Tensor, text: Tensor, features: Tensor, history_image: Tensor) -> Tensor:
        changed = batch._replace(image=image, text=text, features=features, history_image=history_image)
        return teacher.predict(changed).click

    assert torch.autograd.gradcheck(click, inputs, eps=1e-6, atol=1e-5)


def test_without_personal_the_history_does_not_matter() -> None:
    teacher = Teacher(torch.randn(TOKEN_ROWS, 64), width=16, depth=1, components=Components(personal=False))
    batch, other = example(9, 5, 3, seed=13), example(9, 5, 3, seed=14)
    changed = batch._replace(history_image=other.history_image, history_text=other.history_text)
    assert torch.equal(teacher.predict(changed).click, teacher.predict(batch).click)


def test_an_untrained_student_is_engine_and_meaning(lists_folder: Path) -> None:
    """Order and values: its delta is 0 for every list, whatever the other weights are"""
    student = Student(torch.randn(TOKEN_ROWS, 64))
    for batch in golden_batches().values():
        assert torch.equal(ask(student, batch).score, torch.zeros_like(batch.mask))
    lists = Lists(lists_folder, "validation")
    ranker = StudentRanker(student)
    batch, labels = lists.batch(torch.arange(len(lists)))
    assert torch.equal(ranker.predict(batch, labels.prior).click, labels.prior + ranker.shift)
    found = score(ranker, lists).score
    for row, length in enumerate(lists.lengths.tolist()):
        assert np.argsort(-found[row, :length]).tolist() == np.argsort(-lists.prior[row, :length].numpy()).tolist()


def test_losses_act_on_prior_and_delta(lists_folder: Path) -> None:
    """A student that adds nothing has the loss of the prior itself, and one step moves its last layer"""
    lists = Lists(lists_folder, "train")
    batch, labels = lists.batch(torch.arange(32))
    trained = Trained(StudentRanker(Student()), FitOptions(neighbours=False))
    loss = trained(batch, labels)["listwise"]
    shown = (labels.position > 0).float() * batch.mask
    assert torch.allclose(loss, listwise_click(labels.prior - 1.0, trained.examination(labels.position), labels.gain, shown))
    loss.backward()
    gradient = dict(trained.named_parameters())["model.student.head.2.weight"].grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


def test_a_teacher_does_not_add_to_the_prior() -> None:
    batch = example(6, 4, 3, seed=15)
    teacher = Teacher(width=16, depth=1)
    assert torch.equal(teacher.predict(batch, torch.ones(1, 6)).click, teacher.predict(batch).click)


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


#: What may be off in the student.
SWITCHES = [replace(Components(), **{name: False}) for name in ("cafu", "context", "personal", "attention", "surroundings")]


def test_a_piece_that_is_off_makes_the_graph_smaller_and_runs_the_same_there(tmp_path: Path) -> None:
    def graph_of(components: Components, name: str) -> tuple[int, int, float]:
        torch.manual_seed(0)
        student = Student(torch.randn(TOKEN_ROWS, 64), components=components).eval()
        torch.nn.init.normal_(student.head[-1].weight)  # type: ignore[arg-type]
        batch = example(7, 5, 4, seed=1)
        path = tmp_path / f"{name}.onnx"
        pair = ListBatch(*(torch.cat([part, part]) for part in batch))
        to_onnx(student, tuple(pair), path, (INPUT_NAMES, OUTPUT_NAMES), DYNAMIC_AXES)
        graph = convert_version(onnx.load(path), 21)
        given = {
            name: tensor.numpy() for name, tensor in zip(INPUT_NAMES, batch, strict=True) if name in {i.name for i in graph.graph.input}
        }
        scores, gate = (np.asarray(output) for output in ReferenceEvaluator(graph).run(["score", "gate"], given))
        expected = ask(student, batch)
        worst = max(np.abs(scores - expected.score.numpy()).max(), np.abs(gate - expected.gate.numpy()).max())
        return sum(node.op_type != "Constant" for node in graph.graph.node), count_parameters(student)[0], float(worst)

    nodes, parameters, worst = graph_of(Components(), "whole")
    assert worst < 1e-4
    for i, components in enumerate(SWITCHES):
        fewer_nodes, fewer_parameters, worst = graph_of(components, str(i))
        assert fewer_nodes < nodes, components
        assert fewer_parameters < parameters, components
        assert worst < 1e-4, components
    for name in ("histograms", "mpsa"):
        more_nodes, _, worst = graph_of(replace(Components(), **{name: True}), name)
        assert more_nodes > nodes, name
        assert worst < 1e-4, name


def test_what_is_alike_in_the_list_is_what_a_candidate_is_held_against() -> None:
    """Twins of each other and a stranger: each twin's neighbours are the twins, the stranger's is itself; padding is nobody's neighbour"""
    surroundings = Surroundings()
    with torch.no_grad():
        surroundings.sharpness.fill_(40.0)
    twin, stranger = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    text = torch.stack([twin, stranger, twin, stranger]).unsqueeze(0)
    features = torch.tensor([1.0, 5.0, 3.0, 100.0]).view(1, 4, 1).expand(1, 4, FEATURE_DIM)
    mask = torch.tensor([[1.0, 1.0, 1.0, 0.0]])
    with torch.no_grad():
        found = surroundings(text, torch.zeros_like(text), features, mask)[0, :3]
    assert torch.allclose(found[:, 0], torch.tensor([2 / 3, 1 / 3, 2 / 3]), atol=1e-6)
    assert found[:, 1].abs().max() == 0  # no pictures
    assert torch.allclose(found[:, 2], torch.tensor([2.0, 5.0, 2.0]), atol=1e-4)


def test_a_histogram_counts_likeness_and_nothing_else() -> None:
    """Two recent items at cosines 1 and .5, one of padding"""
    candidate = torch.tensor([[[1.0, 0.0]]])
    history = torch.tensor([[[1.0, 0.0], [0.5, 3**0.5 / 2], [0.0, 0.0]]])
    counted = histogram(candidate, history, torch.tensor([[1.0, 1.0, 0.0]]))
    assert torch.allclose(counted, torch.tensor([[[0.0, 0.0, 0.0, 0.5, 0.0, 0.5]]]), atol=1e-6)
    assert histogram(candidate, history, torch.zeros(1, 3)).abs().sum() == 0
    between = torch.tensor([[[0.625, 0.0]]])  # halfway from .5 to .75
    assert torch.allclose(histogram(candidate, between, torch.ones(1, 1))[0, 0, 3:5], torch.tensor([0.5, 0.5]), atol=1e-6)
