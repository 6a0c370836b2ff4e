"""Methods: choices of the image encoder's learned parameters."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import MethodSpec, hookimpl
from ltbench_plugins.methods.adapter import ADAPTER
from ltbench_plugins.methods.adaptformer import ADAPTFORMER
from ltbench_plugins.methods.aft import AFT
from ltbench_plugins.methods.ballad import BALLAD
from ltbench_plugins.methods.bitfit import BITFIT
from ltbench_plugins.methods.bn_tuning import BN_TUNING
from ltbench_plugins.methods.classifier_only import CLASSIFIER_ONLY
from ltbench_plugins.methods.clip_adapter import CLIP_ADAPTER
from ltbench_plugins.methods.coop import COOP
from ltbench_plugins.methods.crt import CRT
from ltbench_plugins.methods.full import FULL
from ltbench_plugins.methods.gla import GLA
from ltbench_plugins.methods.lift import LIFT
from ltbench_plugins.methods.lift_plus import LIFT_PLUS
from ltbench_plugins.methods.linear_probe import LINEAR_PROBE
from ltbench_plugins.methods.ln_tuning import LN_TUNING
from ltbench_plugins.methods.lora import LORA
from ltbench_plugins.methods.lpt import LPT
from ltbench_plugins.methods.lt_soups import LT_SOUPS
from ltbench_plugins.methods.lws import LWS
from ltbench_plugins.methods.ncm import NCM
from ltbench_plugins.methods.peft import PEFT
from ltbench_plugins.methods.proj_tuning import PROJ_TUNING
from ltbench_plugins.methods.soup import SOUP
from ltbench_plugins.methods.ssf import SSF
from ltbench_plugins.methods.tau_norm import TAU_NORM
from ltbench_plugins.methods.tip_adapter import TIP_ADAPTER
from ltbench_plugins.methods.tip_adapter_f import TIP_ADAPTER_F
from ltbench_plugins.methods.vpt import VPT
from ltbench_plugins.methods.wise_ft import WISE_FT
from ltbench_plugins.methods.zero_shot import ZERO_SHOT


@hookimpl
def ltbench_register_methods() -> Iterable[MethodSpec]:
    """Returns the built-in methods."""
    return [
        LIFT_PLUS,
        LIFT,
        ADAPTFORMER,
        ADAPTER,
        LORA,
        VPT,
        LPT,
        SSF,
        AFT,
        BITFIT,
        LN_TUNING,
        BN_TUNING,
        PEFT,
        FULL,
        CLASSIFIER_ONLY,
        CLIP_ADAPTER,
        COOP,
        BALLAD,
        PROJ_TUNING,
        TIP_ADAPTER,
        TIP_ADAPTER_F,
        GLA,
        CRT,
        LWS,
        TAU_NORM,
        NCM,
        LINEAR_PROBE,
        WISE_FT,
        SOUP,
        LT_SOUPS,
        ZERO_SHOT,
    ]
