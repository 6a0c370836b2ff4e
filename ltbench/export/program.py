"""The model as a program that holds its own computation: `torch.export`, and ONNX."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.errors import ConfigError, RunError
from ltbench.export.trained_model import TrainedModel

TORCH_FILE, ONNX_FILE = "model.pt2", "model.onnx"
TOLERANCE = 1e-3
"""Largest accepted difference of a logit from that of the trained model."""

_LARGEST_ONNX = (
    1_800_000_000  # bytes of weights that fit into the one file; its format ends at 2 GB
)
_LARGEST_BATCH = 65_536
_OPSET = 20


class Program(nn.Module):
    """uint8 images (B, 3, R, R) -> float32 logits (B, K), with the normalisation inside.

    Args:
        model: Trained model. Its text tower is left out.
    """

    def __init__(self, model: TrainedModel) -> None:
        super().__init__()
        self.encoder = model.backbone
        self.encoder.text = None
        self.head = model.head

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits of images."""
        features = self.encoder(self.encoder.normalize(images))
        logits: Tensor = self.head(features.float())
        return logits


def trace(model: TrainedModel) -> Any:
    """Returns the exported program of a model, whose batch has any size.

    Raises:
        RunError: The model cannot be traced, or the program gives other logits.
    """
    batch = torch.export.Dim("batch", min=1, max=_LARGEST_BATCH)
    images = model.images[:2].clone()
    with quiet_libraries(), torch.no_grad():
        try:
            program = torch.export.export(
                Program(model).eval(),
                (images,),
                dynamic_shapes={"images": {0: batch}},
                strict=False,  # the default since torch 2.7: a hook may keep what another one needs
            )
        except Exception as error:  # of any kind, as the model's code is
            raise _untraceable(model, "torch.export", error) from error
    return program


def write_torch(model: TrainedModel, folder: Path) -> float:
    """Writes `model.pt2` and reads it back.

    Returns:
        Largest difference of its logits from those of the trained model.

    Raises:
        RunError: The model cannot be traced, or the program gives other logits.
    """
    path = folder / TORCH_FILE
    program = trace(model)
    with quiet_libraries(), torch.no_grad():
        torch.export.save(program, path)
        read = torch.export.load(path).module()
        error = max(model.error_of(read(model.images)), _one_by_one(model, read))
    return checked_error(error, TORCH_FILE)


def write_onnx(model: TrainedModel, folder: Path) -> float:
    """Writes `model.onnx` and runs it with onnxruntime.

    Returns:
        Largest difference of its logits from those of the trained model.

    Raises:
        ConfigError: A package is missing.
        RunError: The model cannot be traced, or the program gives other logits.
    """
    expect_onnx()
    import onnxruntime

    path = folder / ONNX_FILE
    program = trace(model)
    size = sum(tensor.numel() * tensor.element_size() for tensor in program.state_dict.values())
    with quiet_libraries(), torch.no_grad():
        try:
            torch.onnx.export(
                program,
                (),
                path,
                input_names=["images"],
                output_names=["logits"],
                opset_version=_OPSET,
                dynamo=True,
                external_data=size > _LARGEST_ONNX,
                verbose=False,
            )
        except Exception as error:  # of any kind, as the model's code is
            raise _untraceable(model, "torch.onnx", error) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])

    def read(images: Tensor) -> Tensor:
        (logits,) = session.run(["logits"], {"images": images.numpy()})
        return torch.from_numpy(logits)

    return checked_error(
        max(model.error_of(read(model.images)), _one_by_one(model, read)), ONNX_FILE
    )


def expect_onnx() -> None:
    """Checks that the packages for ONNX are installed.

    Raises:
        ConfigError: One is missing.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"--to onnx needs the package {error.name}", hint="pip install 'ltbench[onnx]'"
        ) from error


def _one_by_one(model: TrainedModel, read: Any) -> float:
    """Returns the same difference where each batch has one image."""
    return model.error_of(torch.cat([read(image[None]) for image in model.images]))


def checked_error(error: float, name: str) -> float:
    """Returns an error that is small enough.

    Raises:
        RunError: It is not.
    """
    if not error <= TOLERANCE:  # NaN is not
        raise RunError(
            f"{name} gives other logits than the trained model: they differ by {error:.2g}, "
            f"expected at most {TOLERANCE:g}",
            hint="try another format",
        )
    return error


def _untraceable(model: TrainedModel, tracer: str, error: Exception) -> RunError:
    spec = model.result.spec
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    hint = "try another format"
    if "Constraints violated" in str(error):
        hint = "its code fixes the number of images, as len(tensor) does: use tensor.shape[0]"
    return RunError(
        f"{tracer} cannot trace method '{spec.method.name}' on backbone '{spec.backbone.name}': "
        f"{type(error).__name__}: {lines[0] if lines else ''}"[:400],
        hint=hint,
    )


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Suppresses what the tracers write about their own work."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
