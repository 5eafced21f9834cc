"""Linear models: the classifiers of slide "Why Neural Network?", and what the network on Hitters is compared with.

scikit-learn is imported when one is fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Of coordinate descent. scikit-learn's own tolerance, 1e-4, leaves visible errors where columns are nearly collinear,
# as in Hitters (CAtBat and CHits correlate at 0.995).
PRECISE = {"tol": 1e-6, "max_iter": 1_000_000}


def linear_discriminant(X: Any, y: Any) -> Any:
    """Fitted linear discriminant analysis: Gaussian classes with one common covariance, priors as in y.

    X: (n, p). y: (n,) integers. Least squares on the covariance (`lsqr`): on MNIST the same predictions as `svd`,
    seven times faster; `eigen` fails, since constant pixels make the covariance singular. Source: ISLP, sec. 4.4.2.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr").fit(X, y)


def shrunken_discriminant(X: Any, y: Any, *, shrinkage: float) -> Any:
    """Fitted linear discriminant analysis whose covariance S is brought nearer to a sphere: (1 - s) S + s tr(S)/p I.

    X: (n, p). y: (n,) integers. shrinkage: s. For p columns of few examples, S alone has directions of almost no
    variance, which are chance, and its inverse looks at nothing else. Source: Friedman 1989, eq. 18; scikit-learn's
    LinearDiscriminantAnalysis. Raises ValueError unless shrinkage is in [0, 1].
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    if not 0 <= shrinkage <= 1:
        raise ValueError(f"shrinkage is {shrinkage!r}; it must be in [0, 1]")
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X, y)


def multinomial_logistic(X: Any, y: Any, *, iterations: int) -> Any:
    """Fitted multinomial logistic regression by L-BFGS: sum of cross-entropies + ||W||^2 / 2, intercepts free.

    X: (n, p) in [0, 1]. y: (n,) integers. scikit-learn's defaults (C = 1, tolerance 1e-4 on the gradient); it stops
    after ``iterations`` if the tolerance was not reached, and then warns. Convex, so it takes no seed.
    Source: slide "Softmax Output"; ISLP, sec. 4.3.5. Raises ValueError unless iterations is above 0.
    """
    from sklearn.linear_model import LogisticRegression

    if iterations <= 0:
        raise ValueError(f"iterations is {iterations!r}; it must be above 0")
    return LogisticRegression(solver="lbfgs", max_iter=iterations).fit(X, y)


def least_squares(X: Any, y: Any) -> Any:
    """Fitted linear regression: the b that minimise sum_i (y_i - b_0 - sum_j b_j x_ij)^2.

    X: (n, p), in any units: they change no prediction. y: (n,) values. Source: ISLP, sec. 3.2 and 10.6.
    """
    from sklearn.linear_model import LinearRegression

    return LinearRegression().fit(X, y)


def lasso(X: Any, y: Any, *, folds: int | Sequence[int] = 10, seed: int | None = None, lambdas: int = 100) -> Any:
    """Fitted lasso: sum_i (y_i - b_0 - sum_j b_j x_ij)^2 / (2n) + lambda sum_j s_j |b_j|, lambda by cross-validation.

    X: (n, p). y: (n,) values. s_j: standard deviation of column j over the rows fitted, so that units change no
    prediction. folds: how many parts of the rows, drawn by ``seed``, or the part of each row, (n,) integers; nothing is
    random then. lambda is the largest with the smallest mean absolute error over the parts, each predicted from the
    others; there are ``lambdas`` to choose from, evenly spaced on a logarithmic scale from the smallest that leaves no
    coefficient down to 1/10,000 of it. Returns the fit to all rows at this lambda, its ``alpha``; the coefficients are
    those of X as given. This is glmnet's `cv.glmnet(X, y, type.measure = "mae")` with `lambda.min`, except that glmnet
    stops its path where little more is explained. scikit-learn's own LassoCV knows squared errors only. Source: ISLP,
    sec. 6.2.2 and 10.6. Raises ValueError unless there are 2 to n folds with a seed, or a fold for each row, and at
    least 1 lambda.
    """
    import numpy as np

    if lambdas < 1:
        raise ValueError(f"lambdas is {lambdas!r}; it must be at least 1")
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    Z, _, _ = _standardized(X)
    highest = np.abs(Z.T @ (y - y.mean())).max() / len(y)
    path = highest * np.logspace(0, -4, lambdas)
    held_out_errors = np.zeros(lambdas)
    part = _parts(len(y), folds, seed)
    for k in np.unique(part):
        rows, held_out = part != k, part == k
        intercepts, coefficients = _lasso_path(X[rows], y[rows], path)
        predictions = intercepts + X[held_out] @ coefficients  # (held out, lambdas)
        held_out_errors += np.abs(y[held_out, None] - predictions).sum(axis=0)
    return _lasso_at(X, y, path[held_out_errors.argmin()])  # the first of equal ones, so the largest lambda


def _parts(n: int, folds: int | Sequence[int], seed: int | None) -> Any:
    """The part of each of n rows, (n,) integers, as `lasso` takes them."""
    import numpy as np
    from sklearn.model_selection import KFold

    if not isinstance(folds, int):
        given = np.asarray(folds)
        if given.shape != (n,) or len(np.unique(given)) < 2:
            kinds = len(np.unique(given))
            raise ValueError(f"folds names {kinds} parts of {len(given)} rows; it needs 2 at least, of all {n} rows")
        return given
    if not 2 <= folds <= n:
        raise ValueError(f"folds is {folds!r} for {n} rows; it must be 2 at least, and a row for each")
    if seed is None:
        raise ValueError(f"folds is {folds!r} and seed is None; parts are drawn by a seed, or named row by row")
    part = np.empty(n, dtype=int)
    for k, (_, held_out) in enumerate(KFold(folds, shuffle=True, random_state=seed).split(np.zeros(n))):
        part[held_out] = k
    return part


def _lasso_path(X: Any, y: Any, lambdas: Any) -> tuple[Any, Any]:
    """Intercepts (m,) and coefficients (p, m) for X as it is, at each of m decreasing lambdas."""
    from sklearn.linear_model import lasso_path

    Z, mean, spread = _standardized(X)
    _, coefficients, _ = lasso_path(Z, y - y.mean(), alphas=lambdas, precompute=True, **PRECISE)
    coefficients = coefficients / spread[:, None]
    return y.mean() - mean @ coefficients, coefficients


def _lasso_at(X: Any, y: Any, alpha: float) -> Any:
    """scikit-learn's Lasso fitted to standardised columns, its coefficients then brought back to X as it is."""
    from sklearn.linear_model import Lasso

    Z, mean, spread = _standardized(X)
    model = Lasso(alpha=alpha, precompute=True, **PRECISE).fit(Z, y)
    model.coef_ = model.coef_ / spread
    model.intercept_ -= mean @ model.coef_
    return model


def _standardized(X: Any) -> tuple[Any, Any, Any]:
    """(X - mean) / spread, mean and spread of each column; the spread of a constant one is taken as 1."""
    mean, spread = X.mean(axis=0), X.std(axis=0)
    spread[spread == 0] = 1.0
    return (X - mean) / spread, mean, spread
