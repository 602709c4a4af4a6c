"""Interface of all models of the study: ten tensors in, logits for clicks and purchases out."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from armmt.model.contract import ListBatch

#: Share of the purchase logit in the score that orders a list. The click comes first because a purchase needs one.
PURCHASE_SHARE = 0.25


class Predictions(NamedTuple):
    """All [B, K]. None where a model has no such head."""

    click: Tensor  # logit of a click once examined
    purchase: Tensor | None = None  # logit of a purchase once clicked
    auxiliary: Tensor | None = None  # logit of a click from text and image alone; training only


class Ranker(nn.Module):
    """Base of teacher, student and baselines. `forward` takes the ten tensors of ListBatch in order and returns Predictions."""

    #: Whether the logits are added to the prior, the order of engine and meaning: then a model that has learned nothing is that order.
    adds_to_prior: ClassVar[bool] = False

    def predict(self, batch: ListBatch, prior: Tensor | None = None) -> Predictions:
        """`prior` [B, K] is read by models that add to it"""
        predictions: Predictions = self(*batch)
        if prior is None or not self.adds_to_prior:
            return predictions
        return predictions._replace(click=predictions.click + prior)


def ranking_score(predictions: Predictions) -> Tensor:
    """Score that orders a list, higher is better: the click and, in part, the purchase that may follow. [B, K]"""
    if predictions.purchase is None:
        return predictions.click
    return predictions.click + PURCHASE_SHARE * predictions.purchase
