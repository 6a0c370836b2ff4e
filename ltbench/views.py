"""Views: the rectangles of an image that augmentations and inferences choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Views:
    """Rectangles in source images, each of which becomes one square input of the backbone.

    A view is cropped, mirrored where asked, and resized in one operation, so pixels outside of it
    are never decoded, copied or computed.

    Args:
        boxes: Array (..., 4) of top, left, height, width in source pixels; fractions are allowed.
        flips: Array (...): whether each view is mirrored left to right; None mirrors no view.
        crop_first: Whether a view is cropped before it is resized, as in a random resized crop: the
            filter reads only pixels that the box touches. Otherwise a view is a crop of the resized
            image, as for a test image: at its edges the filter also reads the pixels around it.
    """

    boxes: NDArray[np.float64]
    flips: NDArray[np.bool_] | None = None
    crop_first: bool = False

    def __getitem__(self, images: slice) -> Views:
        """Returns the views of a slice of the images."""
        flips = None if self.flips is None else self.flips[images]
        return Views(self.boxes[images], flips, self.crop_first)


def one_view(views: Views) -> Views:
    """Returns views with boxes (N, 4) as views with one box an image, (N, 1, 4)."""
    flips = None if views.flips is None else views.flips[:, None]
    return Views(views.boxes[:, None], flips, views.crop_first)


def center_square(sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the largest centred square of each image, (N, 4), for sizes (N, 2)."""
    import numpy as np

    side = sizes.min(axis=1, keepdims=True)
    return np.concatenate([(sizes - side) / 2, side, side], axis=1).astype(np.float64)


def crops_of_resized(
    sizes: NDArray[np.int64], short_side: int, resolution: int, corners: bool
) -> NDArray[np.float64]:
    """Returns crops of the image resized to a short side, as boxes in the source image.

    The resized image is never computed: each crop is a box of the source. Sizes and offsets round
    as in torchvision's `Resize` (long side down), `FiveCrop` and `CenterCrop` (half to even).

    Args:
        sizes: Array (N, 2) of height and width of the images.
        short_side: Short side of the resized image in pixels, at least `resolution`.
        resolution: Side of the crops in pixels.
        corners: Whether the four corner crops are returned before the centre crop.

    Returns:
        Boxes (N, 5 or 1, 4): top left, top right, bottom left, bottom right, centre; or only the
        centre.
    """
    import numpy as np

    resized = (short_side * sizes) // sizes.min(axis=1, keepdims=True)
    free = resized - resolution
    center = np.round(free / 2)
    offsets = center[:, None]
    if corners:
        places = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        offsets = np.concatenate([free[:, None] * places, offsets], axis=1)
    ratio = (sizes / resized)[:, None]
    return np.concatenate([offsets * ratio, np.broadcast_to(resolution * ratio, offsets.shape)], 2)
