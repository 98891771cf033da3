"""A linear classifier over sparse text features: trained with scikit-learn, applied with a handful of numpy rows.

Weights carry the inverse document frequency already, so that a prediction is the sum of the rows of the features
present: some 0.1 ms. It is stored as an .npz of numbers and a list of features; nothing is unpickled.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Features = Sequence[str]


@dataclass(frozen=True)
class LinearModel:
    """`labels` and, for each feature of `rows`, its `idf` and its `weights` per label.

    `exclusive`: the labels compete and their probabilities sum to one; else each is judged by itself.
    """

    labels: list[str]
    rows: Mapping[str, int]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    exclusive: bool = False

    @classmethod
    def train(
        cls,
        examples: Sequence[Features],
        targets: Sequence[Collection[str]],
        importance: Sequence[float] | None = None,
        *,
        rarest: int = 2,
        strength: float = 10.0,
        cue_weight: float = 1.0,
        exclusive: bool = False,
    ) -> LinearModel:
        """Fit one logistic regression a label, each against all others, or (`exclusive`) one over all labels.

        `targets` names the labels of each example, `importance` how much it counts (1 unless told). Features seen in
        fewer than `rarest` examples are ignored; `strength` is the inverse of the regularisation. Where labels are
        exclusive, an example with several counts for each in equal parts.
        """
        seen = Counter(feature for features in examples for feature in set(features))
        rows = {feature: row for row, feature in enumerate(sorted(f for f, count in seen.items() if count >= rarest))}
        counts = np.array([seen[feature] for feature in rows], dtype=np.float32)
        idf = (np.log((1 + len(examples)) / (1 + counts)) + 1).astype(np.float32)
        for feature, row in rows.items():
            if feature.startswith("cue:"):
                idf[row] = cue_weight
        matrix = _matrix(examples, rows, idf)

        labels = sorted({label for target in targets for label in target})
        counted = np.ones(len(targets)) if importance is None else np.array(importance)
        fit = _fit_together if exclusive else _fit_apart
        weights, bias = fit(matrix, labels, targets, counted, strength)
        return cls(labels, rows, idf, weights.astype(np.float32), bias.astype(np.float32), exclusive)

    def probabilities(self, features: Features) -> NDArray[np.float32]:
        """For each label the probability that it applies; they sum to one only where they are exclusive."""
        counts = Counter(row for row in map(self.rows.get, features) if row is not None)
        scores = self.bias
        if counts:
            rows = np.fromiter(counts, dtype=np.int64, count=len(counts))
            values = (1 + np.log(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))) * self.idf[rows]
            scores = scores + (values / np.linalg.norm(values)) @ self.weights[rows]
        applies: NDArray[np.float32]
        if self.exclusive:
            raised = np.exp(scores - scores.max())
            applies = raised / raised.sum()
        else:
            applies = 1 / (1 + np.exp(-scores))
        return applies

    def ranked(self, features: Features) -> list[tuple[str, float]]:
        """Labels with their probabilities, most probable first."""
        found = self.probabilities(features)
        return [(self.labels[index], float(found[index])) for index in np.argsort(-found, kind="stable")]

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        np.savez(folder / "weights.npz", idf=self.idf, weights=self.weights.astype(np.float16), bias=self.bias)
        described = {"labels": self.labels, "features": list(self.rows), "exclusive": self.exclusive}
        (folder / "features.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        """Read what `save` wrote."""
        described = json.loads((folder / "features.json").read_text(encoding="utf-8"))
        with np.load(folder / "weights.npz", allow_pickle=False) as stored:
            return cls(
                described["labels"],
                {feature: row for row, feature in enumerate(described["features"])},
                stored["idf"],
                stored["weights"].astype(np.float32),
                stored["bias"],
                described["exclusive"],
            )


def _fit_apart(matrix, labels, targets, counted, strength):  # type: ignore[no-untyped-def]
    """Weights and bias of one regression a label."""
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros((matrix.shape[1], len(labels)), dtype=np.float32)
    bias = np.zeros(len(labels), dtype=np.float32)
    for column, label in enumerate(labels):
        wanted = np.array([label in target for target in targets])
        fitted = LogisticRegression(C=strength, solver="liblinear", dual=True, tol=1e-2, random_state=0)
        fitted.fit(matrix, wanted, sample_weight=counted)
        weights[:, column], bias[column] = fitted.coef_[0], fitted.intercept_[0]
    return weights, bias


def _fit_together(matrix, labels, targets, counted, strength):  # type: ignore[no-untyped-def]
    """Weights and bias of one regression over all labels (more than two), stopped where further steps gain nothing."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    repeated = [place for place, target in enumerate(targets) for _ in target]
    wanted = [labels.index(label) for target in targets for label in target]
    shares = np.array([counted[place] / len(targets[place]) for place in repeated])
    fitted = LogisticRegression(C=strength, max_iter=100, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted.fit(matrix[repeated], wanted, sample_weight=shares)
    return fitted.coef_.T, fitted.intercept_


def _matrix(examples: Sequence[Features], rows: Mapping[str, int], idf: NDArray[np.float32]):  # type: ignore[no-untyped-def]
    """Unit-length rows of damped counts times inverse document frequency, as a scipy matrix."""
    from scipy.sparse import csr_matrix

    indices: list[int] = []
    values: list[NDArray[np.float32]] = []
    starts = [0]
    for features in examples:
        counts = Counter(row for row in map(rows.get, features) if row is not None)
        found = np.fromiter(counts, dtype=np.int64, count=len(counts))
        weighed = (1 + np.log(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))) * idf[found]
        length = float(np.linalg.norm(weighed)) or 1.0
        indices.extend(found.tolist())
        values.append(weighed / length)
        starts.append(len(indices))
    return csr_matrix((np.concatenate(values), indices, starts), shape=(len(examples), len(rows)))
