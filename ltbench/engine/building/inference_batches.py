"""Batches of the views that an inference takes of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ltbench.data import Dataset
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig, Order
from ltbench.engine.building.checked_components import CheckedInference
from ltbench.views import Views


class InferenceBatches(Batches):
    """Data loader of the test views of a split, with the inference's changes of their pixels.

    Args:
        dataset: Data set.
        split: Name of the split.
        inference: Choice of the views.
        resolution: Side R of the views in pixels.
        loader_config: Configuration of the loader.
        indexed: Whether the random numbers of a view depend on the image's index; without, all
            images have the same.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: str,
        inference: CheckedInference,
        resolution: int,
        loader_config: LoaderConfig,
        *,
        indexed: bool = True,
    ) -> None:
        def indices(draws: NDArray[np.int64]) -> NDArray[np.int64] | None:
            return draws % len(self.split) if indexed else None

        def views_of(sizes: NDArray[np.int64], epoch: int, draws: NDArray[np.int64]) -> Views:
            return inference.views(sizes, indices(draws))

        super().__init__(dataset, split, views_of, resolution, loader_config)
        self._inference = inference
        self._indices = indices

    def of(self, orders: Iterable[Order]) -> Iterator[Batch]:
        """Yields a batch for each order: see `Batches.of`."""
        for batch in super().of(orders):
            changed = self._inference.change(batch.views, self._indices(batch.draws))
            yield replace(batch, views=changed)
