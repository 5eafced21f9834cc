"""Ensembles of trees: a random forest and gradient boosting. scikit-learn is imported when one is fitted."""

from __future__ import annotations

from typing import Any


def random_forest(X: Any, y: Any, *, trees: int = 100, seed: int | None = None) -> Any:
    """Fitted random forest: the mean of the class shares of ``trees`` trees, grown until their leaves are pure.

    X: (n, p) in any units: only their order counts. y: (n,) integers. Each tree sees n examples drawn with replacement
    and, at each split, sqrt(p) columns; ``seed`` draws both. The rest is scikit-learn's default too. The answers are
    the same with any number of threads. Source: ISLP, sec. 8.2.2. Raises ValueError unless trees is above 0.
    """
    from sklearn.ensemble import RandomForestClassifier

    if trees <= 0:
        raise ValueError(f"trees is {trees!r}; it must be above 0")
    return RandomForestClassifier(n_estimators=trees, random_state=seed).fit(X, y)


def gradient_boosting(X: Any, y: Any, *, iterations: int = 100, columns: float = 1.0, seed: int | None = None) -> Any:
    """Fitted gradient boosting of the cross-entropy: F_m(x) = sum_t 0.1 f_tm(x), one tree a class and iteration.

    X: (n, p) in any units: each column is cut into at most 255 bins. y: (n,) integers. Each tree f_tm has 31 leaves and
    is fitted to the gradient at F of the iterations before; these are scikit-learn's defaults. columns: the share that
    each split may choose from, drawn by ``seed``. Beyond 10,000 examples scikit-learn holds out a tenth, drawn by
    ``seed``, and stops when ten iterations have not improved on it. Source: ISLP, sec. 8.2.3; scikit-learn's
    HistGradientBoostingClassifier. Raises ValueError unless iterations is above 0 and columns in (0, 1].
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    if iterations <= 0:
        raise ValueError(f"iterations is {iterations!r}; it must be above 0")
    if not 0 < columns <= 1:
        raise ValueError(f"columns is {columns!r}; it is a share, above 0 and at most 1")
    return HistGradientBoostingClassifier(max_iter=iterations, max_features=columns, random_state=seed).fit(X, y)
