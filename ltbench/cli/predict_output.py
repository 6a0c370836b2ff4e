"""Output of `ltbench predict`: files, JSON, and a table of the first images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from rich.markup import escape

from ltbench.data.images import ImageSource
from ltbench.errors import shortened
from ltbench.io.console import console
from ltbench.io.fitted_table import FittedTable
from ltbench.io.text import line_text
from ltbench.prediction.prediction_table import (
    PredictedImages,
    PredictionRow,
    SkippedImage,
    none_decoded,
    rows_of,
)
from ltbench.prediction.predictor import Predictor
from ltbench.prediction.writers import JsonObject, PredictionWriter, csv_file, parquet_file
from ltbench.progress import ProgressReporter
from ltbench.storage.result_schema import RunResult

_MAX_SHOWN_ROWS = 20
_MAX_SHOWN_SKIPPED = 20
_MAX_SHOWN_CLASSES = 5
_MAX_REASON_CHARACTERS = 500  # a path has any length


class Output:
    """Outputs of one command, filled while images are predicted.

    Args:
        predictor: The model with its views.
        result: Result of the run.
        images: All images.
        top: Number of classes of each image.
        json_stream: Stream for a JSON object; None for a table of the first images on stdout.

    Attributes:
        count: Number of predicted images.
        skipped: Images that could not be decoded.
    """

    def __init__(
        self,
        predictor: Predictor,
        result: RunResult,
        images: ImageSource,
        top: int,
        json_stream: TextIO | None,
    ) -> None:
        self.count = 0
        self.skipped: list[SkippedImage] = []
        self._names = predictor.class_names
        self._images = images
        self._top = min(top, len(self._names))
        self._first: list[PredictionRow] = []
        self._writers: list[PredictionWriter] = []
        inference = predictor.inference
        self._about = {
            "run": str(result.path),
            "hash": result.hash,
            "inference": {"name": inference.name, "options": dict(inference.options)},
            "prior": predictor.prior,
        }
        self._json_stream = json_stream
        self._json: JsonObject | None = None

    @contextmanager
    def files(self, csv: Path | None, parquet: Path | None) -> Iterator[None]:
        """Opens the files that are put in place at the end of the block.

        Args:
            csv: CSV file to write.
            parquet: Parquet file to write.
        """
        with ExitStack() as stack:
            if csv is not None:
                self._writers.append(stack.enter_context(csv_file(csv, self._top)))
            if parquet is not None:
                about = {
                    key: value if isinstance(value, str) else json.dumps(value)
                    for key, value in self._about.items()
                    if value is not None
                }
                self._writers.append(stack.enter_context(parquet_file(parquet, self._top, about)))
            yield

    def add(self, part: PredictedImages, progress: ProgressReporter) -> None:
        """Writes the predictions of some images, and notes those that were skipped.

        Args:
            part: The predictions.
            progress: Reporter of the first skipped images.
        """
        rows = list(rows_of(part, self._images, self._names))
        if rows and self._json_stream is not None and self._json is None:
            self._json = JsonObject(self._json_stream, self._about)
        for writer in self._writers:
            writer.write(rows)
        if self._json is not None:
            self._json.write(rows)
        self._first += rows[: _MAX_SHOWN_ROWS - len(self._first)]
        self.count += len(rows)
        for one in part.skipped_images(self._images):
            if len(self.skipped) < _MAX_SHOWN_SKIPPED:
                progress.note(
                    shortened(line_text(f"skipped: {one.reason}"), _MAX_REASON_CHARACTERS)
                )
            self.skipped.append(one)

    def expect_some(self) -> None:
        """Checks that an image was predicted.

        Raises:
            DataError: No image could be decoded.
        """
        if not self.count:
            raise none_decoded(self.skipped)

    def finish(self) -> None:
        """Prints the end of the JSON object, or the table of the first images."""
        more = len(self.skipped) - _MAX_SHOWN_SKIPPED
        if more > 0:
            console(stderr=True).print(f"skipped: {more:,} more")
        if self._json is not None:
            self._json.close(self.skipped)
            return
        out = console()
        table = FittedTable("image", "class")
        table.add_column("%", right=True)
        if self._top > 1:
            table.add_column("next")
        for row in self._first:
            (_, name, value), *others = zip(row.classes, row.names, row.probabilities, strict=True)
            following = ", ".join(
                f"{other} {100 * share:.1f}" for _, other, share in others[: _MAX_SHOWN_CLASSES - 1]
            )
            cells = [escape(line_text(row.path)), escape(line_text(name)), f"{100 * value:.1f}"]
            table.add_row(*cells, *([escape(line_text(following))] if others else []))
        out.print(table)
        if self.count > len(self._first):
            place = "in the file" if self._writers else "--csv FILE has them all"
            out.print(f"{self.count - len(self._first):,} more images: {place}")
