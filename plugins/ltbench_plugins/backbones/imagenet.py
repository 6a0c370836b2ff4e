"""Networks trained with ImageNet labels: the papers' "ImageNet-21K" transformers, and ResNets.

The papers' "ImageNet-21K" weights were trained on that set and then fine-tuned on ImageNet-1k: the
engine warns when such a backbone is used on ImageNet-1k's classes. The ResNets have torchvision's
first weights.
"""

from __future__ import annotations

from ltbench_plugins.backbones.named import named
from ltbench_plugins.backbones.timm import TIMM

_VIT = "arXiv:2106.10270"
_RESNET = "arXiv:1512.03385"
_MODELS = {
    "in21k_vit_b16": ("vit_base_patch16_224.augreg_in21k_ft_in1k", "ViT-B/16", _VIT),
    "in21k_vit_b16_384": ("vit_base_patch16_384.augreg_in21k_ft_in1k", "ViT-B/16 at 384", _VIT),
    "in21k_vit_l16": ("vit_large_patch16_224.augreg_in21k_ft_in1k", "ViT-L/16", _VIT),
    "in21k_vit_l16_384": ("vit_large_patch16_384.augreg_in21k_ft_in1k", "ViT-L/16 at 384", _VIT),
    "in1k_rn50": ("resnet50.tv_in1k", "ResNet-50", _RESNET),
    "in1k_rn101": ("resnet101.tv_in1k", "ResNet-101", _RESNET),
    "in1k_rn152": ("resnet152.tv_in1k", "ResNet-152", _RESNET),
}


def _pretraining(name: str) -> str:
    return "ImageNet-21k, then ImageNet-1k" if name.startswith("in21k") else "ImageNet-1k"


IMAGENET = [
    named(TIMM, name, f"{shown}, trained on {_pretraining(name)}", reference, model=model)
    for name, (model, shown, reference) in _MODELS.items()
]
