"""Support vector machines: a linear one on whatever features it is given, and one with an RBF kernel.

scikit-learn and SciPy are imported when one is fitted.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

# The solver stops where an iteration lessens the objective by less than this share of it, or after so many iterations.
TOLERANCE = 1e-7
ITERATIONS = 1000


class LinearSVM:
    """A fitted linear classifier. coef_: (classes, p). intercept_: (classes,). n_iter_: iterations of the solver."""

    def __init__(self, classes: Any, coefficients: Any, intercepts: Any, iterations: int) -> None:
        self.classes_, self.coef_, self.intercept_, self.n_iter_ = classes, coefficients, intercepts, iterations

    def decision_function(self, X: Any) -> Any:
        """x' w_c + b_c of each row of X (m, p) and class c, as (m, classes)."""
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != self.coef_.shape[1]:
            raise ValueError(f"X is {X.shape}; it must be (m, {self.coef_.shape[1]}), as the training examples are")
        return X @ self.coef_.T + self.intercept_

    def predict(self, X: Any) -> Any:
        """The class with the largest decision for each row of X (m, p), as (m,)."""
        return self.classes_[self.decision_function(X).argmax(axis=1)]


def linear_svm(X: Any, y: Any, *, C: float = 1.0) -> LinearSVM:
    """Fitted linear support vector machine, one class against the rest: for each class c the w, b that minimise

        |w|^2 / 2 + C sum_i max(0, 1 - t_i (x_i' w + b))^2,    t_i = 1 where y_i = c, else -1.

    X: (n, p). y: (n,) integers. This is the objective of scikit-learn's LinearSVC, except that nothing holds b
    back. It is convex, so it takes no seed. All classes are fitted together by L-BFGS, with products of X in
    float32: 10,000 examples of 1,000 features take 2.3 s where LinearSVC, whose solver walks through one class and one
    example after the other, takes 37 s. Another number of threads rounds otherwise, which may turn a prediction where
    two decisions nearly tie. Source: ISLP, sec. 9.4.2; Coates et al. 2011, whose code trains so.
    Raises ValueError unless C is above 0 and y has two classes at least. Warns where it stopped before it converged.
    """
    from scipy.optimize import minimize

    X = np.asarray(X, dtype=np.float32)
    classes, place = np.unique(y, return_inverse=True)
    if not C > 0:
        raise ValueError(f"C is {C!r}; it must be above 0")
    if X.ndim != 2 or len(X) != len(place) or len(classes) < 2:
        raise ValueError(
            f"X is {X.shape} and y has {len(classes)} classes of {len(place)} examples; "
            "X must be (n, p), and y n labels of at least 2 classes"
        )
    sides = np.where(place[:, None] == np.arange(len(classes)), 1, -1).astype(np.float32)  # (n, classes)

    def objective(flat: Any) -> tuple[float, Any]:
        parameters = flat.reshape(-1, len(classes))  # (p + 1, classes), the last row b
        weights, intercepts = parameters[:-1], parameters[-1].astype(np.float32)
        short = np.maximum(0, 1 - sides * (X @ weights.astype(np.float32) + intercepts))
        slopes = -2 * C * sides * short
        gradient = np.vstack([weights + X.T @ slopes, slopes.sum(axis=0, dtype=float)])
        return (weights**2).sum() / 2 + C * np.square(short, dtype=float).sum(), gradient.ravel()

    # gtol is 0: products in float32 leave a slope that never vanishes, and its size says little about how far it is.
    limits: Any = {"maxiter": ITERATIONS, "maxfun": 2 * ITERATIONS, "ftol": TOLERANCE, "gtol": 0}
    start = np.zeros((X.shape[1] + 1) * len(classes))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=limits)
    if found.status == 1:  # the limit; 2 is a step that float32 no longer tells from none, as near as it comes
        warnings.warn(f"the linear SVM stopped after {found.nit} iterations before it converged", stacklevel=2)
    parameters = found.x.reshape(-1, len(classes)).astype(np.float32)
    return LinearSVM(classes, np.ascontiguousarray(parameters[:-1].T), parameters[-1], found.nit)


class KernelSVM:
    """A fitted `rbf_svm`. kernel: scikit-learn's Nystroem. coef_, intercept_, n_iter_: of the linear classifier."""

    def __init__(self, kernel: Any, svm: LinearSVM) -> None:
        self.kernel, self.svm = kernel, svm
        self.classes_, self.coef_, self.intercept_, self.n_iter_ = svm.classes_, svm.coef_, svm.intercept_, svm.n_iter_

    def decision_function(self, X: Any) -> Any:
        """The decisions (m, classes) for the rows of X (m, p)."""
        return self.svm.decision_function(self.kernel.transform(np.asarray(X, dtype=np.float32)))

    def predict(self, X: Any) -> Any:
        """The class of each row of X (m, p), as (m,)."""
        return self.classes_[self.decision_function(X).argmax(axis=1)]


def rbf_svm(
    X: Any, y: Any, *, landmarks: int, gamma: float | None = None, C: float = 1.0, seed: int | None = None
) -> KernelSVM:
    """Fitted support vector machine with the kernel k(x, z) = exp(-gamma |x - z|^2), approximated by Nyström's method.

    X: (n, p) in one unit, such as pixels in [0, 1]. y: (n,) integers. ``landmarks`` training examples z, drawn by
    ``seed``, give the features K_zz^(-1/2) k(z, x), whose inner products are k(x, x') exactly where x or x' is a
    landmark; `linear_svm` is fitted to them. With all n examples as landmarks this is the kernel machine itself, whose
    cost grows with n^2 to n^3; with m of them it grows with n m. gamma: None is 1 / (p Var(X)), scikit-learn's default
    for SVC. Another number of threads rounds otherwise, as in `linear_svm`.

    Source: Williams & Seeger 2001; scikit-learn's Nystroem; ISLP, sec. 9.3.2. Raises ValueError unless landmarks is
    from 1 to n, gamma above 0 and X not constant where gamma is left to it; and as `linear_svm`.
    """
    from sklearn.kernel_approximation import Nystroem

    X = np.asarray(X, dtype=np.float32)
    if not 1 <= landmarks <= len(X):
        raise ValueError(
            f"landmarks is {landmarks!r} and X is {X.shape}; it must be from 1 to the {len(X)} training examples"
        )
    if gamma is None:
        spread = X.var(dtype=float)
        if not spread > 0:
            raise ValueError(f"X {X.shape} is constant, so its variance gives no gamma: say gamma")
        gamma = 1 / (X.shape[1] * spread)
    if not gamma > 0:
        raise ValueError(f"gamma is {gamma!r}; it must be above 0")
    kernel = Nystroem(gamma=gamma, n_components=landmarks, random_state=seed).fit(X)
    return KernelSVM(kernel, linear_svm(kernel.transform(X), y, C=C))
