"""Priors of a deployment, from their names, files and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltbench.errors import ConfigError, DataError
from ltbench.prediction.prior import target_prior

NAMES, TRAIN = ("ant", "bee", "=cat, big"), (6, 3, 1)


def prior(given: Any, names: tuple[str, ...] = NAMES) -> list[float]:
    return target_prior(given, names, TRAIN).tolist()


def test_named_priors() -> None:
    np.testing.assert_allclose(prior("uniform"), [1 / 3] * 3)
    np.testing.assert_allclose(prior("train"), [0.6, 0.3, 0.1])


def test_weights_need_not_sum_to_one(tmp_path: Path) -> None:
    weights = {"bee": 1e308, "ant": np.float32(0), NAMES[2]: 10**308}
    np.testing.assert_allclose(prior(weights), [0, 0.5, 0.5])
    (tmp_path / "p.csv").write_bytes(b'\xef\xbb\xbfclass,weight\r\n"=cat, big",2\r\nant,1\r\nbee,1')
    np.testing.assert_allclose(prior(tmp_path / "p.csv"), [0.25, 0.25, 0.5])
    np.testing.assert_allclose(prior(str(tmp_path / "p.csv")), [0.25, 0.25, 0.5])


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, "3 of 3 classes have no weight: 'ant', 'bee', '=cat, big'"),
        ({"ant": 1, "bee": 1}, "1 of 3 classes have no weight"),
        ({**dict.fromkeys(NAMES, 1), "bea": 1}, "'bea' is no class of the run; did you mean 'bee'"),
        (dict.fromkeys(NAMES, 0), "all weights are 0"),
        *(
            ({**dict.fromkeys(NAMES, 1), "bee": wrong}, "'bee': expected a weight of at least 0")
            for wrong in (-1, float("nan"), float("inf"), 10**400, "x", True, None)
        ),
    ],
)
def test_wrong_weights_are_listed(weights: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        prior(weights)


def test_names_that_several_classes_have_are_ambiguous() -> None:
    with pytest.raises(ConfigError, match="several classes have the name 'ant'"):
        prior({"ant": 1, "bee": 1}, ("ant", "bee", "ant"))


@pytest.mark.parametrize("given", [3, None, [1, 2, 3], np.ones(3)])
def test_other_types_are_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="expected 'uniform', 'train', a CSV file"):
        prior(given)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected the header class,weight, got nothing"),
        (b"ant,1\nbee,2\n", "expected the header class,weight, got ant,1"),
        (b"class,weight\nant,1,2\n", r"p\.csv:2: expected 2 fields, got 3"),
        (b"class,weight\nant,1\nant,1\n", r"p\.csv:3: 'ant' occurs twice"),
        (b'class,weight\n"ant,1\n', "is not a CSV file"),
        (b"class,weight\n\xff,1\n", "is not UTF-8"),
    ],
)
def test_malformed_files_are_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(DataError, match=expected):
        prior(tmp_path / "p.csv")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        prior("unifrom")
    with pytest.raises(DataError, match="cannot be read"):
        prior(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        prior("a\0b")
