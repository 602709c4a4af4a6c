"""A multilayer perceptron that sees one candidate at a time: what the list adds is what the others have over it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from armmt.baselines.inputs import Heads, Inputs
from armmt.model.contract import ListBatch
from armmt.model.ranker import Predictions, Ranker


class Pointwise(Ranker):
    """Input layer, one hidden layer, heads. A candidate's logits do not depend on its neighbours."""

    def __init__(self, token_vectors: Tensor | None = None, width: int = 192) -> None:
        super().__init__()
        self.inputs = Inputs(width, token_vectors)
        self.hidden = nn.Linear(width, width)
        self.heads = Heads(width, width // 2)

    def forward(self, *tensors: Tensor) -> Predictions:
        """The ten tensors of ListBatch in order -> Predictions"""
        batch = ListBatch(*tensors)
        predictions: Predictions = self.heads(F.relu(self.hidden(self.inputs(batch))), batch.features)
        return predictions
