"""Results of decoupled training (cRT, tau-normalisation, LWS) of a ResNeXt-50 from scratch."""

from __future__ import annotations

from ltbench import PublishedResult


def _result(method: str, accuracy: float) -> PublishedResult:
    return PublishedResult(
        dataset="imagenet_lt",
        backbone="ResNeXt-50",
        method=method,
        metrics={"accuracy": accuracy},
        source="Kang et al., ICLR 2020, arXiv:1910.09217",
    )


DECOUPLING = (_result("crt", 49.6), _result("tau_norm", 49.4), _result("lws", 49.9))
