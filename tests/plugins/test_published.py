from __future__ import annotations

from pathlib import Path

from ltbench.config.resolve import resolve
from ltbench.registry.registry import Registry

LIFT = "Shi et al., ICML 2024, arXiv:2309.10019"
VL_LTR = "Tian et al., ECCV 2022, arXiv:2111.13579"
GML = "Suh and Seo, ICML 2023, arXiv:2305.01160"
DECOUPLING = "Kang et al., ICLR 2020, arXiv:1910.09217"
# Overall accuracy in percent, as the papers have it.
NUMBERS = {
    ("lift", "clip_vit_b16", "imagenet_lt", None, "tte"): (78.3, LIFT),
    ("lift", "clip_vit_b16", "imagenet_lt", None, "center"): (77.0, LIFT),
    ("lift", "clip_vit_b16", "places_lt", None, "tte"): (52.2, LIFT),
    ("lift", "clip_vit_b16", "places_lt", None, "center"): (51.5, LIFT),
    ("lift", "clip_vit_b16", "cifar100_lt", 100, "tte"): (81.7, LIFT),
    ("lift", "clip_vit_b16", "cifar100_lt", 50, "tte"): (83.1, LIFT),
    ("lift", "clip_vit_b16", "cifar100_lt", 10, "tte"): (84.9, LIFT),
    ("lift", "clip_vit_l14", "imagenet_lt", None, "tte"): (82.9, LIFT),
    ("lift", "clip_vit_l14", "places_lt", None, "tte"): (53.7, LIFT),
    ("lift", "in21k_vit_b16", "cifar100_lt", 100, "tte"): (89.1, LIFT),
    ("lift", "in21k_vit_b16", "cifar100_lt", 50, "tte"): (90.2, LIFT),
    ("lift", "in21k_vit_b16", "cifar100_lt", 10, "tte"): (91.3, LIFT),
    ("VL-LTR", "ViT-B/16", "imagenet_lt", None, None): (77.2, VL_LTR),
    ("VL-LTR", "ViT-B/16", "places_lt", None, None): (50.1, VL_LTR),
    ("VL-LTR", "ViT-B/16", "inat2018", None, None): (76.8, VL_LTR),
    ("GML", "ResNeXt-50", "imagenet_lt", None, None): (58.8, GML),
    ("GML", "ResNet-50", "inat2018", None, None): (74.5, GML),
    ("GML", "ResNet-32", "cifar100_lt", 100, None): (54.0, GML),
    ("GML", "ResNet-32", "cifar100_lt", 50, None): (58.1, GML),
    ("GML", "ResNet-32", "cifar100_lt", 10, None): (67.0, GML),
    ("crt", "ResNeXt-50", "imagenet_lt", None, None): (49.6, DECOUPLING),
    ("tau_norm", "ResNeXt-50", "imagenet_lt", None, None): (49.4, DECOUPLING),
    ("lws", "ResNeXt-50", "imagenet_lt", None, None): (49.9, DECOUPLING),
}


def test_the_numbers_are_those_of_the_papers(registry: Registry) -> None:
    found = {}
    for published in registry.published:
        one = published.result
        ratio, inference = one.settings.get("dataset.ratio"), one.settings.get("inference")
        assert set(one.settings) <= {"dataset.ratio", "inference"}
        assert set(one.metrics) == {"accuracy"}
        key = (one.method, one.backbone, one.dataset, ratio, inference)
        assert key not in found
        found[key] = (one.metrics["accuracy"], one.source)
        assert published.plugin.name == "builtin_published"
    assert found == NUMBERS


def test_numbers_of_methods_here_are_those_of_runs(registry: Registry) -> None:
    for published in registry.published:
        result = published.result
        assert result.dataset in registry.components["dataset"]
        if result.backbone in registry.components["backbone"]:
            spec = resolve(registry, result.run_settings, Path(), identify=False).spec
            assert (spec.method.name, spec.train.epochs, spec.train.lr) == ("lift", 10, 0.01)
            assert spec.inference.name == result.settings["inference"]
