"""Linear classifiers on which words, or pairs of words, a text has: Wang & Manning 2012, and the book's lasso.

Texts are strings of words with a space between them; scikit-learn's vectoriser counts them, and is imported when one is
fitted.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def naive_bayes(X: Any, y: Any, *, ngrams: int = 1) -> Any:
    """Fitted multinomial naive Bayes on which n-grams a text has, presence in place of counts, smoothing 1.

    X: (n,) of str. y: (n,) integers. ngrams: 1 is words, 2 is words and pairs, and so on; all of them are used.
    Source: Wang & Manning 2012, sec. 2.1. Raises ValueError unless ngrams is above 0.
    """
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_presence(ngrams), MultinomialNB(alpha=1.0)).fit(X, y)


def word_svm(X: Any, y: Any, *, ngrams: int = 1, C: float = 1.0, seed: int | None = None) -> Any:
    """Fitted linear support vector machine on which n-grams a text has: |w|^2 / 2 + C sum max(0, 1 - t f(x))^2.

    X: (n,) of str. y: (n,) integers. ``seed`` orders the examples for the solver, which may turn a near tie.
    Source: Wang & Manning 2012, sec. 2.2. Raises ValueError unless ngrams and C are above 0.
    """
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_presence(ngrams), _svm(C, seed)).fit(X, y)


class NBSVM:
    """A support vector machine on features weighed by naive Bayes, as scikit-learn's estimators are fitted.

    ratio_: (p,) log-count ratios r. coef_: (p,) weights of the features as they are, r included. intercept_.
    """

    def __init__(self, C: float = 1.0, beta: float = 0.25, seed: int | None = None) -> None:
        self.C, self.beta, self.seed = C, beta, seed

    def fit(self, X: Any, y: Any) -> NBSVM:
        """r = log((p / |p|_1) / (q / |q|_1)), p and q being 1 + the counts in either class; then the SVM on r x.

        Its weights w become (1 - beta) mean|w| + beta w. X: (n, p) sparse, of 0 and 1. y: (n,) of two classes.
        """
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError(f"y has {len(self.classes_)} classes; log-count ratios are of two")
        p, q = (1.0 + np.asarray(X[y == label].sum(axis=0)).ravel() for label in self.classes_[::-1])
        self.ratio_ = np.log(p / p.sum()) - np.log(q / q.sum())
        svm = _svm(self.C, self.seed).fit(X.multiply(self.ratio_).tocsr(), y)
        w = svm.coef_[0]
        self.coef_ = ((1 - self.beta) * np.abs(w).mean() + self.beta * w) * self.ratio_
        self.intercept_ = float(svm.intercept_[0])
        return self

    def decision_function(self, X: Any) -> Any:
        """Above 0 for the second class. X: (m, p)."""
        return X @ self.coef_ + self.intercept_

    def predict(self, X: Any) -> Any:
        """The class of each row of X (m, p), as (m,)."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


class OfWords:
    """A fitted classifier behind the vectoriser that gives it a text's words."""

    def __init__(self, vectoriser: Any, model: Any) -> None:
        self.vectoriser, self.model, self.classes_ = vectoriser, model, model.classes_

    def predict(self, X: Any) -> Any:
        """The class of each text of X (m,), as (m,)."""
        return self.model.predict(self.vectoriser.transform(X))

    def decision_function(self, X: Any) -> Any:
        """Above 0 for the second class, (m,)."""
        return self.model.decision_function(self.vectoriser.transform(X))


def nbsvm(X: Any, y: Any, *, ngrams: int = 1, C: float = 1.0, beta: float = 0.25, seed: int | None = None) -> OfWords:
    """Fitted `NBSVM` on which n-grams a text has.

    X: (n,) of str. y: (n,) integers of two classes. beta: how far to trust the SVM; at 0 it is naive Bayes' direction.
    Source: Wang & Manning 2012, sec. 2.3. Raises ValueError unless ngrams and C are above 0 and beta in [0, 1].
    """
    if not 0 <= beta <= 1:
        raise ValueError(f"beta is {beta!r}; it must be in [0, 1]")
    vectoriser = _presence(ngrams)
    return OfWords(vectoriser, NBSVM(C, beta, seed).fit(vectoriser.fit_transform(X), y))


class ChosenByHeldOut(OfWords):
    """A fitted `lasso_logistic`. penalties: tried, the largest first. held_out_errors: of each. chosen: its place."""

    def __init__(self, vectoriser: Any, model: Any, penalties: Any, held_out_errors: Any, chosen: int) -> None:
        super().__init__(vectoriser, model)
        self.penalties, self.held_out_errors, self.chosen = penalties, held_out_errors, chosen

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class (m, 2)."""
        return self.model.predict_proba(self.vectoriser.transform(X))


def lasso_logistic(
    X: Any, y: Any, *, words: int, penalties: int, held_out: float = 0.08, seed: int | None = None
) -> ChosenByHeldOut:
    """Fitted logistic regression with an L1 penalty on which of the ``words`` most frequent words a text has.

    X: (n,) of str. y: (n,) integers. ``seed`` draws a share of ``held_out`` texts. The others are fitted at
    ``penalties`` values of lambda, evenly spaced on a logarithmic scale from the smallest that leaves no coefficient
    down to 1/10,000 of it; the one with the fewest held-out errors is kept, of equally good ones the largest, and not
    fitted again. The vocabulary is that of the texts fitted. liblinear penalises the intercept too, as the book's
    Python lab has it. Source: ISLP, sec. 10.4. Raises ValueError unless words and penalties are above 0 and something
    is left to fit.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import l1_min_c

    if words < 1 or penalties < 1:
        raise ValueError(f"words is {words!r} and penalties {penalties!r}; both must be above 0")
    apart_from = round(len(y) * held_out)
    if not 0 < apart_from < len(y):
        raise ValueError(f"held_out is {held_out!r} of {len(y)} texts; some must be held out, and some fitted")
    drawn = np.random.default_rng(seed).permutation(len(y))
    apart, fitted = np.sort(drawn[:apart_from]), np.sort(drawn[apart_from:])
    vectoriser = _presence(1, words)
    features, checked = vectoriser.fit_transform(X[fitted]), vectoriser.transform(X[apart])
    path = l1_min_c(features, y[fitted], loss="log") * np.logspace(0, 4, penalties)
    models, errors = [], []
    for C in path:
        model = LogisticRegression(l1_ratio=1.0, C=C, solver="liblinear", random_state=0).fit(features, y[fitted])
        models.append(model)
        errors.append(float(np.mean(model.predict(checked) != y[apart])))
    best = int(np.argmin(errors))  # the first of equal ones, so the largest lambda
    return ChosenByHeldOut(vectoriser, models[best], 1 / (path * len(fitted)), np.array(errors), best)


def _presence(ngrams: int, words: int | None = None) -> Any:
    """A vectoriser of n-grams of up to so many words, 1 where a text has one: all of them, or the most frequent."""
    from sklearn.feature_extraction.text import CountVectorizer

    if ngrams < 1:
        raise ValueError(f"ngrams is {ngrams!r}; it must be above 0")
    # The words are cut already.
    cut: dict[str, Any] = {"tokenizer": str.split, "token_pattern": None, "lowercase": False}
    return CountVectorizer(binary=True, ngram_range=(1, ngrams), max_features=words, **cut)


def _svm(C: float, seed: int | None) -> Any:
    """scikit-learn's linear SVM with squared hinges, not fitted."""
    from sklearn.svm import LinearSVC

    if not C > 0:
        raise ValueError(f"C is {C!r}; it must be above 0")
    return LinearSVC(C=C, random_state=seed)
