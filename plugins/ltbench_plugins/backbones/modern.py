"""Foundation models later than CLIP."""

from __future__ import annotations

from ltbench_plugins.backbones.named import named
from ltbench_plugins.backbones.open_clip import OPEN_CLIP
from ltbench_plugins.backbones.timm import TIMM

_SIGLIP2 = "arXiv:2502.14786"
_EVA_CLIP = "arXiv:2303.15389"
_METACLIP = "arXiv:2309.16671"
_DINOV2 = "arXiv:2304.07193"
_DINOV3 = "arXiv:2508.10104"

_OPEN_CLIP = {
    "siglip2_vit_b16": ("ViT-B-16-SigLIP2", "webli", "SigLIP 2 ViT-B/16", _SIGLIP2),
    "siglip2_vit_l16_256": (
        "ViT-L-16-SigLIP2-256",
        "webli",
        "SigLIP 2 ViT-L/16 at 256 pixels",
        _SIGLIP2,
    ),
    "eva02_clip_vit_b16": ("EVA02-B-16", "merged2b_s8b_b131k", "EVA-02-CLIP ViT-B/16", _EVA_CLIP),
    "eva02_clip_vit_l14": ("EVA02-L-14", "merged2b_s4b_b131k", "EVA-02-CLIP ViT-L/14", _EVA_CLIP),
    "metaclip_vit_b16": (
        "ViT-B-16-quickgelu",
        "metaclip_fullcc",
        "MetaCLIP ViT-B/16, 2.5 billion pairs",
        _METACLIP,
    ),
    "metaclip_vit_l14": (
        "ViT-L-14-quickgelu",
        "metaclip_fullcc",
        "MetaCLIP ViT-L/14, 2.5 billion pairs",
        _METACLIP,
    ),
}
# Without DINOv3's `_qkvb` variants: the bias that they add to query, key and value is zero.
_TIMM = {
    "dinov2_vit_b14": ("vit_base_patch14_dinov2.lvd142m", "DINOv2 ViT-B/14 at 518", _DINOV2),
    "dinov2_vit_l14": ("vit_large_patch14_dinov2.lvd142m", "DINOv2 ViT-L/14 at 518", _DINOV2),
    "dinov3_vit_b16": ("vit_base_patch16_dinov3.lvd1689m", "DINOv3 ViT-B/16 at 256", _DINOV3),
    "dinov3_vit_l16": ("vit_large_patch16_dinov3.lvd1689m", "DINOv3 ViT-L/16 at 256", _DINOV3),
}

MODERN = [
    named(OPEN_CLIP, name, summary, reference, model=model, tag=tag)
    for name, (model, tag, summary, reference) in _OPEN_CLIP.items()
] + [
    # timm averages DINOv3's patches; its paper uses the class token, as timm does for DINOv2.
    named(TIMM, name, f"{summary} pixels, no labels", reference, model=model, pool="token")
    for name, (model, summary, reference) in _TIMM.items()
]
