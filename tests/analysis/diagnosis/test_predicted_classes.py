from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.diagnosis.predicted_classes import error_columns, head_chances


def test_errors_are_summed_by_hand() -> None:
    trained_on = np.array([100, 10, 1, 0])
    head = np.array([True, False, False, False])
    labels = np.array([1, 1, 1, 2, 3, 0])
    predicted = np.array([0, 2, 1, 0, 0, 3])
    found = error_columns(labels, predicted, trained_on, head)
    assert found["errors"].tolist() == [1, 2, 1, 1]
    assert found["errors_to_head"].tolist() == [0, 1, 1, 1]
    assert found["rated_errors"].tolist() == [0, 2, 1, 0]  # none to or from a class without images
    logs = np.log(10)
    assert found["log_prior_sum"] == pytest.approx([0, logs - logs, 2 * logs, 0])
    # Of the other classes that were trained on, one has 100 images and one has 1 or 10.
    assert found["log_prior_sum_chance"] == pytest.approx([0, 2 * (logs - logs), 1.5 * logs, 0])
    assert head_chances(head) == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
