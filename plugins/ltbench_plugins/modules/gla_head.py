"""Head of generalised logit adjustment: a learned classifier and the debiased zero-shot one."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone
from ltbench.protocols import TrainingFeatures

_MAX_ITERATIONS = 200
_TOLERANCE = 1e-6  # of a mean probability
_IMAGES_AT_A_TIME = 4096


class GlaHead(nn.Module):
    """Logits s cos(x, w_k) in training, and s cos(x, w_k) + s_0 cos(x, t_k) - log q_k afterwards.

    The class weights w (K, width) are learned from the text features t, which stay. The label bias
    q of the pretrained model is estimated before the training.

    Args:
        num_classes: Number of classes K.
        width: Length of a feature vector.
        scale: Factor s of the learned classifier.
        text_scale: Factor s_0 of the zero-shot classifier, the backbone's logit scale.
        per_class: Largest number of training images of a class in the estimate.
    """

    text: Tensor
    log_bias: Tensor

    def __init__(
        self, num_classes: int, width: int, scale: float, text_scale: float, per_class: int
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_classes, width))
        self.register_buffer("text", torch.zeros(num_classes, width))
        self.register_buffer("log_bias", torch.zeros(num_classes))
        self.scale = scale
        self.text_scale = text_scale
        self.per_class = per_class

    @torch.no_grad()
    def start(self, backbone: Backbone, features: TrainingFeatures) -> None:
        """Keeps the text features, and estimates the label bias on training images."""
        self.text.copy_(F.normalize(self.weight, dim=-1))
        found, labels = features(self.per_class)
        self.log_bias.copy_(label_bias(found, labels, self.text_scale * self.text))

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K), of features (B, width)."""
        unit = F.normalize(features, dim=-1)
        learned = self.scale * F.linear(unit, F.normalize(self.weight, dim=-1))
        if self.training:
            return learned
        return learned + F.linear(unit, self.text_scale * self.text, -self.log_bias)


def label_bias(features: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    """Returns the log label bias of a zero-shot classifier, (K,), with mean 0 over its classes.

    log q minimises the cross entropy of the logits z - log q over images in which all classes are
    equally frequent, so that each class has the mean probability 1 / K; found by L-BFGS, as the
    objective is convex. Classes without images take no part, and have log q = 0.

    Args:
        features: Features of labelled images, (M, width).
        labels: Class ids, (M,).
        weight: Weight of the classifier on unit features, (K, width), times its logit scale.
    """
    counts = labels.bincount(minlength=len(weight))
    present = counts.nonzero()[:, 0]
    share = 1 / (counts[labels] * len(present)).to(weight)
    columns = F.normalize(features, dim=-1), torch.searchsorted(present, labels), share
    parts = list(zip(*(column.split(_IMAGES_AT_A_TIME) for column in columns), strict=True))
    bias = weight.new_zeros(len(present))
    optimizer = torch.optim.LBFGS(
        [bias],
        max_iter=_MAX_ITERATIONS,
        tolerance_grad=_TOLERANCE,
        line_search_fn="strong_wolfe",
    )

    def objective() -> float:
        """Returns the cross entropy, and sets its gradient 1 / K - mean probability."""
        total, mean = weight.new_zeros(()), torch.zeros_like(bias)
        for unit, target, weights in parts:
            logs = F.linear(unit, weight[present], -bias).log_softmax(dim=1)
            mean += weights @ logs.exp()
            total -= weights @ logs.gather(1, target[:, None])[:, 0]
        bias.grad = 1 / len(present) - mean
        return float(total)

    optimizer.step(objective)
    found = weight.new_zeros(len(weight))
    found[present] = bias - bias.mean()
    return found
