"""The tower that explains clicks by what stood above: what it may see, and that it finds an effect that is there and none that is not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from armmt.model.contract import IMAGE_DIM, ListBatch
from armmt.model.export import example
from armmt.model.ranker import Predictions
from armmt.training.fit import minus_neighbour_effect
from armmt.training.neighbours import REACH, Neighbours

PLACES = torch.arange(1, 13).unsqueeze(0)


def twins(k: int = 12) -> ListBatch:
    """A list whose third candidate has the picture and title of its second"""
    batch = example(k, 4, 3, seed=1)
    image, text = F.normalize(torch.randn(1, k, IMAGE_DIM), dim=-1), F.normalize(torch.randn(1, k, batch.text.shape[2]), dim=-1)
    image[:, 2], text[:, 2] = image[:, 1], text[:, 1]
    return batch._replace(image=image, text=text, presence=torch.ones(1, k, 2), mask=torch.ones(1, k))


def taken(tower: Neighbours, batch: ListBatch, position: Tensor) -> Tensor:
    with torch.no_grad():
        less: Tensor = tower(batch, position)[0]
    return less


def test_a_twin_just_above_takes_most() -> None:
    less = taken(Neighbours(), twins(), PLACES)
    assert less[0] == 0  # nothing stands above the first
    assert int(less.argmax()) == 2
    assert (less >= 0).all()


def test_only_what_was_shown_above_and_near_counts() -> None:
    tower, batch = Neighbours(), twins()
    above = taken(tower, batch, PLACES)[2]
    below = PLACES.clone()
    below[0, 1], below[0, 2] = 3, 2
    assert taken(tower, batch, below)[2] < above
    hidden = PLACES.clone()
    hidden[0, 1] = 0
    assert taken(tower, batch, hidden)[2] < above
    assert taken(tower, batch, hidden)[1] == 0  # what was not shown loses nothing
    alone = torch.zeros_like(PLACES)
    alone[0, 1], alone[0, 2] = 1, 2 + REACH
    assert taken(tower, batch, alone)[2] == 0


def test_a_missing_picture_is_like_none() -> None:
    tower, batch = Neighbours(), twins()
    without = batch._replace(image=torch.zeros_like(batch.image))
    assert taken(tower, without, PLACES)[2] < taken(tower, batch, PLACES)[2]


def test_the_auxiliary_task_teaches_the_tower_nothing() -> None:
    less = torch.ones(1, 3, requires_grad=True)
    auxiliary = minus_neighbour_effect(Predictions(torch.zeros(1, 3), None, torch.zeros(1, 3)), less).auxiliary
    assert auxiliary is not None
    assert not auxiliary.requires_grad
    assert auxiliary.tolist() == [[-1.0] * 3]


@pytest.mark.parametrize("strength", [0.0, 2.0])
def test_the_effect_is_found_where_it_is(strength: float) -> None:
    """Clicks on a made-up page where a twin just above costs `strength` of the logit, and nothing else differs"""
    torch.manual_seed(1)
    tower = Neighbours()
    kinds = F.normalize(torch.randn(5, IMAGE_DIM), dim=-1)
    optimiser = torch.optim.Adam(
        [{"params": tower.scalars(), "lr": 0.05}, {"params": [*tower.image.parameters(), *tower.text.parameters()], "lr": 3e-3}]
    )
    offset = torch.nn.Parameter(torch.zeros(()))
    optimiser.add_param_group({"params": [offset], "lr": 0.05})
    blank = example(12, 4, 3, seed=2)
    batch = ListBatch(*(part.expand(256, *part.shape[1:]) for part in blank))._replace(text=torch.zeros(256, 12, blank.text.shape[2]))
    place = PLACES.expand(256, -1)
    for _ in range(150):
        kind = torch.randint(0, 5, (256, 12))
        twin = F.pad((kind[:, 1:] == kind[:, :-1]).float(), (1, 0))
        click = torch.bernoulli(torch.sigmoid(0.5 - strength * twin))
        logit = offset - tower(batch._replace(image=kinds[kind]), place)
        loss = F.binary_cross_entropy_with_logits(logit, click)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    pair = batch._replace(image=kinds[torch.zeros(256, 12, dtype=torch.long)])
    only_two = torch.zeros_like(place)
    only_two[:, 0], only_two[:, 1] = 1, 2
    found = float(taken(tower, pair, only_two)[1])
    assert abs(found - strength) < 0.35
