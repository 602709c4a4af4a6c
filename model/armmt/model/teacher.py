"""The teacher: the student's path, wider and deeper, with heads for clicks and purchases and the auxiliary task.

Only its ranking is handed on; it never runs at the edge. Position bias is not its business: `examination.py` explains where an item stood,
the teacher what it is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from armmt.model.backbone import WHOLE, Backbone, Components
from armmt.model.contract import FEATURE_DIM, ListBatch
from armmt.model.ranker import Predictions, Ranker

WIDTH = 96
DEPTH = 1


class Teacher(Ranker):
    """Backbone plus heads.

    The auxiliary task predicts the same clicks from the multimodal path alone, so that prices and ranks cannot dominate its gradient. Ours
    in form; the paper names the task only.
    """

    def __init__(self, token_vectors: Tensor | None = None, width: int = WIDTH, depth: int = DEPTH, components: Components = WHOLE) -> None:
        super().__init__()
        self.trunk = Backbone(width, depth, token_vectors, components)
        self.head = nn.Sequential(nn.Linear(2 * width + FEATURE_DIM, width), nn.ReLU(), nn.Linear(width, 2))
        # Most items are not clicked: start there, not at one half.
        nn.init.constant_(self.head[-1].bias, -1.0)  # type: ignore[arg-type]
        if components.auxiliary:
            inputs = 2 * width if components.personal else width
            self.auxiliary = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, *batch: Tensor) -> Predictions:
        """The ten tensors of ListBatch in order -> Predictions"""
        views = self.trunk(*batch)
        click, purchase = self.head(torch.cat([views.listed, views.personal, ListBatch(*batch).features], -1)).unbind(-1)
        if not self.trunk.components.auxiliary:
            return Predictions(click, purchase)
        path = views.item if views.interest is None else torch.cat([views.item, views.interest], -1)
        return Predictions(click, purchase, self.auxiliary(path).squeeze(-1))
