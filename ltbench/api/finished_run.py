"""A finished run for Python: its result, predictions, history and trained model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ltbench.api.run_arguments import DiagnosisArguments, data_root_or_default
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DEVICE
from ltbench.errors import ConfigError, quoted
from ltbench.io.notebook import import_tqdm_quietly
from ltbench.io.paths import is_folder, is_path, no_folder
from ltbench.storage.diagnosis_schema import Encoder
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory

if TYPE_CHECKING:
    from ltbench.analysis.diagnosis.feature_diagnosis import FeatureDiagnosis
    from ltbench.analysis.errors.error_analysis import ErrorAnalysis
    from ltbench.engine.stored_model import StoredModel
    from ltbench.export.write import Exported
    from ltbench.prediction.image_predictions import ImagePredictions
    from ltbench.prediction.predictor import Predictor
    from ltbench.prediction.prior import Prior

_RUN_DIRECTORY = "give a directory such as runs/<dataset>/<backbone>/<method>/<hash>"


class FinishedRun(RunResult):
    """Result of a finished run, from which its model is rebuilt."""

    @classmethod
    def from_result(cls, result: RunResult) -> FinishedRun:
        """Returns a result that was read or written as a finished run."""
        values = {name: getattr(result, name) for name in RunResult.model_fields}
        return cls.model_construct(result.model_fields_set, **values).at(result.path)

    def model(self, device: str = "auto", settings: Mapping[str, Any] | None = None) -> StoredModel:
        """Rebuilds the trained model; it needs the backbone's weights, and no data set.

        The model of a run that an older version of ltbench stored needs the data set as well.

        Args:
            device: "auto" (the first GPU, or the CPU), "cpu", "cuda", "cuda:1", ...
            settings: New paths of files that have moved, such as "backbone.path".

        Raises:
            DataError: Weights are missing, damaged, or not those of the run.
            ConfigError: There is no such device, component or setting.
        """
        given = _checked_settings(settings)
        _expect_device(device)
        import_tqdm_quietly()
        from ltbench.engine.stored_model import load_model

        return load_model(self.path, device, given)

    def errors(
        self,
        *,
        inference: str | None = None,
        pictures: int = 0,
        data_root: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> ErrorAnalysis:
        """Analyses the errors on rare classes, as `ltbench errors` does.

        The numbers come from the stored predictions alone. Pictures, and names of images that an
        earlier version did not store, are read from the data set where it is in place and
        unchanged; if not, `notes` has the reason.

        Args:
            inference: Name of the inference whose predictions are read, as stored by `ltbench
                eval`; that of the run where None.
            pictures: Largest number of pictures of the most confident mistakes, 0 to 24.
            data_root: Folder of the data sets; "data" or the variable LTBENCH_DATA where None.
            settings: New paths of data that have moved, such as "dataset.path".

        Returns:
            Findings and data frames, which notebooks show as tables.

        Raises:
            ConfigError: An argument is wrong.
            DataError: The predictions are missing, damaged, or of another run.
        """
        given = _checked_settings(settings)
        from ltbench.analysis.errors.error_analysis import ErrorAnalysis
        from ltbench.analysis.errors.mistake_pictures import MAX_PICTURES
        from ltbench.engine.stored_split import EvaluatedSplits

        if type(pictures) is not int or not 0 <= pictures <= MAX_PICTURES:
            raise ConfigError(
                f"pictures: expected a whole number from 0 to {MAX_PICTURES}, got "
                f"{quoted(pictures)}",
                hint=f"give pictures={MAX_PICTURES}",
            )
        root = data_root_or_default(data_root)
        if not is_path(root):
            raise ConfigError(
                f"data_root: expected the path of a folder, got {quoted(root)}",
                hint="give the folder of the data sets, such as 'data'",
            )
        opened = EvaluatedSplits(Path(root), given)
        opened.expect_settings(self)
        return ErrorAnalysis.of_run(self, inference, open_split=opened, pictures=pictures)

    def diagnose(
        self,
        *,
        encoder: Encoder = "run",
        device: str = DEFAULT_DEVICE,
        workers: int | None = None,
        cache: float = DEFAULT_CACHE_GB,
        data_root: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
        progress: bool = False,
    ) -> FeatureDiagnosis:
        """Compares train and test features class by class, as `ltbench diagnose` does.

        The diagnosis is read from the run directory. Where it is missing, it is computed from plain
        views of the images, for which data and weights are needed, and stored.

        Args:
            encoder: Encoder of the features: "run", or "pretrained" for that of the backbone before
                the run changed it.
            device: "auto" (the first GPU, or the CPU), "cpu", "cuda", "cuda:1", ...
            workers: Number of loader workers; None to measure it.
            cache: Size of the cache of features and images in gigabytes; 0 for no cache.
            data_root: Folder of the data sets; "data" or the variable LTBENCH_DATA where None.
            settings: New paths of data and weights that have moved, such as "dataset.path".
            progress: Whether progress is shown on the standard error.

        Returns:
            Findings and data frames, which notebooks show as tables.

        Raises:
            ConfigError: An argument is wrong.
            DataError: Data or weights are missing, damaged, or not those of the run; or the stored
                diagnosis is damaged.
            RunError: The run directory cannot be written to.
        """
        given = _checked_settings(settings)
        if encoder not in get_args(Encoder):
            raise ConfigError(
                f"encoder: expected {' or '.join(get_args(Encoder))}, got {quoted(encoder)}",
                hint="give encoder='pretrained' for the features before the run changed them",
            )
        arguments = DiagnosisArguments.checked(
            {
                "device": device,
                "workers": workers,
                "cache": cache,
                "data_root": data_root_or_default(data_root),
            }
        )
        from ltbench.analysis.diagnosis.feature_diagnosis import FeatureDiagnosis
        from ltbench.api.run_diagnosis import read_or_compute

        stored = read_or_compute(self, encoder, arguments, given, shown=progress)
        return FeatureDiagnosis.of_runs([self], [stored])

    def export(
        self, to: str, path: Path | str, settings: Mapping[str, Any] | None = None
    ) -> Exported:
        """Writes the trained model to a new folder that needs no ltbench, as `ltbench export` does.

        Args:
            to: Format: safetensors, torch, onnx, openclip, timm or hf-folder.
            path: Folder to create.
            settings: New paths of files that have moved, such as "backbone.path".

        Returns:
            Files with their sizes, and the largest difference of the exported model's logits from
            those of the trained model.

        Raises:
            ConfigError: The format is unknown, does not fit the model or needs a package, or the
                folder exists.
            DataError: Weights are missing, damaged, or not those of the run.
            RunError: The model cannot be traced or written.
        """
        if not is_path(path):
            raise ConfigError(
                f"path: expected the path of a folder to create, got {quoted(path)}",
                hint="give a folder such as 'model'",
            )
        given = _checked_settings(settings)
        from ltbench.export.write import export_run

        return export_run(self.path, to, Path(path), given)

    def predictor(
        self,
        *,
        inference: str | None = None,
        prior: Prior | None = None,
        device: str = "auto",
        settings: Mapping[str, Any] | None = None,
    ) -> Predictor:
        """Rebuilds the trained model for many calls of `Predictor.predict`.

        Args:
            inference: Name of the inference that chooses the views; None for that of the run.
            prior: Class prior of the deployment, to which the probabilities are converted:
                "uniform", "train", a CSV file with class and weight, or weights by class; None for
                the probabilities as the model computes them.
            device: "auto" (the first GPU, or the CPU), "cpu", "cuda", "cuda:1", ...
            settings: Options of the inference, such as "inference.expand", and new paths of files
                that have moved, such as "backbone.path".

        Raises:
            ConfigError: There is no such inference, option, prior, device or component; or the
                prior of the model is not known.
            DataError: Weights are missing, damaged, or not those of the run; or the file of the
                prior cannot be read.
        """
        given = _checked_settings(settings)
        _expect_device(device)
        if not isinstance(inference, str | None):
            raise ConfigError(
                f"inference: expected a name, got {quoted(inference)}",
                hint="give a name such as 'tte'",
            )
        import_tqdm_quietly()
        from ltbench.prediction.predictor import load_predictor

        return load_predictor(self, inference=inference, prior=prior, device=device, settings=given)

    def predict(
        self,
        images: Any,
        *,
        top: int = 5,
        inference: str | None = None,
        prior: Prior | None = None,
        device: str = "auto",
        settings: Mapping[str, Any] | None = None,
        batch_size: int | None = None,
        workers: int | None = None,
        progress: bool = False,
    ) -> ImagePredictions:
        """Predicts the classes of images, as `ltbench predict` does; no data set is needed.

        Each call rebuilds the model: for many calls, take a `predictor`.

        Args:
            images: Path of a file, a folder, a pattern or a CSV file; a list of paths, of PIL
                images or of uint8 arrays (height, width, 3); one PIL image or such an array; a
                uint8 array (N, height, width, 3) or tensor (N, 3, height, width); or a
                `torch.utils.data.DataLoader` of such tensors, alone or followed by labels, which
                are ignored.
            top: Number of classes of each image, the most probable ones.
            inference: Name of the inference, as for `predictor`.
            prior: Class prior of the deployment, as for `predictor`.
            device: Name of the device, as for `predictor`.
            settings: Options of the inference and new paths, as for `predictor`.
            batch_size: Images in a forward pass; None: as in an evaluation, with the same bits.
            workers: Number of processes that decode files; None to measure it.
            progress: Whether progress is shown on the standard error.

        Raises:
            ConfigError: An argument has another type or value.
            DataError: Weights are missing or damaged, no image is found, or none can be decoded.
        """
        predictor = self.predictor(
            inference=inference, prior=prior, device=device, settings=settings
        )
        return predictor.predict(
            images, top=top, batch_size=batch_size, workers=workers, progress=progress
        )


def _checked_settings(settings: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Returns settings of a stored model, which are new paths or options.

    Raises:
        ConfigError: They are no mapping by key.
    """
    given = {} if settings is None else settings
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ConfigError(
            f"settings: expected paths by key, got {quoted(settings)}",
            hint="give the files that have moved: settings={'backbone.path': 'weights/...'}",
        )
    return given


def _expect_device(device: Any) -> None:
    """Checks the type of a device.

    Raises:
        ConfigError: It is no text.
    """
    if not isinstance(device, str):
        raise ConfigError(f"device: expected a text, got {quoted(device)}", hint="as 'cuda:1'")


def load_run(path: Path | str) -> FinishedRun:
    """Returns the result of a run directory.

    >>> load_run("runs/digits_lt/clip_tiny/lift_plus/199f5f1adf86").metrics.few  # doctest: +SKIP
    97.9

    Args:
        path: Run directory, as `runs/<dataset>/<backbone>/<method>/<hash>`.

    Raises:
        DataError: The run is not finished, or its `result.json` is broken.
        ConfigError: The argument is no path of a folder.
    """
    if not is_path(path):
        raise ConfigError(
            f"load_run: expected the path of a run directory, got {quoted(path)}",
            hint=_RUN_DIRECTORY,
        )
    if not is_folder(path):
        raise ConfigError(f"load_run: {path} {no_folder(Path(path))}", hint=_RUN_DIRECTORY)
    return FinishedRun.from_result(RunDirectory(Path(path)).finished())
