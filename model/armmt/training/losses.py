"""Losses of teacher, student and baselines. All take [B, K] tensors with a mask and return one number, a mean over the B lists."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from armmt.model.layers import FAR


def masked_log_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Log-softmax along the list; masked entries get about -FAR"""
    return torch.log_softmax(logits + (mask - 1.0) * FAR, -1)


def examined_click(click_logit: Tensor, examined_logit: Tensor, click: Tensor, shown: Tensor) -> Tensor:
    """Click log-loss with examination kept apart: P(click) = sigmoid(e_position) * sigmoid(c_item).

    The form of PAL (Huawei, RecSys 2019), as far as its abstract and summaries tell: trained on the product, served without the first
    factor.
    """
    log_p = F.logsigmoid(examined_logit) + F.logsigmoid(click_logit)
    log_not = torch.log1p(-log_p.exp().clamp(max=1.0 - 1e-6))
    loss = -(click * log_p + (1.0 - click) * log_not)
    return ((loss * shown).sum(-1) / shown.sum(-1).clamp(min=1.0)).mean()


def listwise_click(logit: Tensor, examined_logit: Tensor, gain: Tensor, shown: Tensor) -> Tensor:
    """-sum_i (y_i / sum y) log softmax_i(s + log P(examined)) over lists with a click; y is a click, or worth more where more followed.

    Examination shifts the logits and learns nothing here.
    """
    log_p = masked_log_softmax(logit + F.logsigmoid(examined_logit).detach(), shown)
    share = gain / gain.sum(-1, keepdim=True).clamp(min=1.0)
    return -(share * log_p).sum(-1).mean()  # a list without a click has no share, so it adds nothing


def purchase_given_click(logit: Tensor, purchase: Tensor, click: Tensor) -> Tensor:
    """Log-loss of purchases over clicked items, summed per list"""
    loss = F.binary_cross_entropy_with_logits(logit, purchase, reduction="none")
    return (loss * click).sum(-1).mean()


def standardise(logits: Tensor, mask: Tensor) -> Tensor:
    """Teacher logits z-scored within each list, masked entries 0: tz_i = (t_i - mean) / (std + 1e-6)"""
    count = mask.sum(-1, keepdim=True).clamp(min=1.0)
    centred = (logits - (logits * mask).sum(-1, keepdim=True) / count) * mask
    std = (centred.square().sum(-1, keepdim=True) / count).sqrt()
    return centred / (std + 1e-6)


def listwise_kl(student: Tensor, teacher: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """T^2 * mean over lists of KL(softmax(teacher / T) || softmax(student / T))"""
    log_t = masked_log_softmax(teacher / temperature, mask)
    log_s = masked_log_softmax(student / temperature, mask)
    return temperature**2 * (log_t.exp() * (log_t - log_s) * mask).sum(-1).mean()


def margin(student: Tensor, teacher: Tensor, mask: Tensor, scale: Tensor) -> Tensor:
    """Margin-MSE over the pairs that the teacher tells apart: the student's gap must be `scale` times the teacher's.

    omega_ij = |1 / log2(1 + rank_i) - 1 / log2(1 + rank_j)| by the teacher's ranks, so pairs that would change the top count most.
    """
    gap_t = teacher.unsqueeze(2) - teacher.unsqueeze(1)  # [B, K, K]
    gap_s = student.unsqueeze(2) - student.unsqueeze(1)
    both = mask.unsqueeze(2) * mask.unsqueeze(1)
    pairs = (gap_t > 0.1).float() * both
    rank = 1.0 + ((gap_t < 0).float() * both).sum(-1)  # how many stand above, plus one
    discount = 1.0 / torch.log2(1.0 + rank)
    omega = (discount.unsqueeze(2) - discount.unsqueeze(1)).abs() * pairs
    loss = (omega * (gap_s - scale * gap_t).square()).sum((1, 2)) / omega.sum((1, 2)).clamp(min=1e-6)
    return loss.mean()
