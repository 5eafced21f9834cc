"""Classifiers of words: against naive Bayes by hand, scikit-learn's own, and what they must refuse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from baselines.words import NBSVM, lasso_logistic, naive_bayes, nbsvm, word_svm


def reviews(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Texts of 12 words out of 30, the first six of which are more frequent in one class, the next six in the other."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    weights = np.ones((2, 30))
    weights[0, :6] = weights[1, 6:12] = 4
    texts = [" ".join(f"w{k}" for k in rng.choice(30, 12, p=weights[label] / weights[label].sum())) for label in y]
    return np.array(texts, dtype=object), y


def has(texts: np.ndarray) -> np.ndarray:
    return np.array([[f"w{k}" in text.split() for k in range(30)] for text in texts], float)


def test_naive_bayes_is_the_log_count_ratio_of_presences_with_one_added():
    X, y = reviews()
    counts = np.stack([1 + has(X)[y == label].sum(axis=0) for label in (0, 1)])
    ratio = np.log(counts[1] / counts[1].sum()) - np.log(counts[0] / counts[0].sum())
    expected = (has(X) @ ratio > 0).astype(int)  # both classes are equally frequent
    np.testing.assert_array_equal(naive_bayes(X, y).predict(X), expected)


def test_nbsvm_weighs_features_by_the_ratio_and_interpolates_the_weights_with_their_mean_size():
    from sklearn.svm import LinearSVC

    X, y = reviews()
    features = csr_matrix(has(X))
    model = NBSVM(C=1.0, beta=0.25, seed=0).fit(features, y)
    counts = np.stack([1 + has(X)[y == label].sum(axis=0) for label in (0, 1)])
    ratio = np.log(counts[1] / counts[1].sum()) - np.log(counts[0] / counts[0].sum())
    np.testing.assert_allclose(model.ratio_, ratio)
    svm = LinearSVC(C=1.0, random_state=0).fit(has(X) * ratio, y)
    w = 0.75 * np.abs(svm.coef_[0]).mean() + 0.25 * svm.coef_[0]
    np.testing.assert_allclose(model.decision_function(features), has(X) @ (ratio * w) + svm.intercept_, atol=1e-3)
    bayes = NBSVM(C=1.0, beta=0.0, seed=0).fit(features, y)
    np.testing.assert_allclose(bayes.coef_ / ratio, np.abs(svm.coef_[0]).mean(), rtol=1e-3)


def test_swapped_classes_swap_the_answers():
    X, y = reviews()
    new, _ = reviews(seed=5)
    for fit in (naive_bayes, nbsvm, word_svm):
        np.testing.assert_array_equal(fit(X, y).predict(new), 1 - fit(X, 1 - y).predict(new))


@pytest.mark.parametrize("fit", [naive_bayes, word_svm, nbsvm])
def test_all_learn_the_words_and_pairs_of_words_are_features_too(fit):
    X, y = reviews()
    new, truth = reviews(seed=9)
    assert np.mean(fit(X, y).predict(new) != truth) < 0.2
    fitted = fit(X, y, ngrams=2)
    vectoriser = fitted.vectoriser if fit is nbsvm else fitted.steps[0][1]
    pairs = [name for name in vectoriser.get_feature_names_out() if " " in name]
    assert f"{X[0].split()[0]} {X[0].split()[1]}" in pairs
    assert set(vectoriser.transform(X[:1]).data) == {1}


def test_an_empty_text_is_predicted():
    X, y = reviews()
    for fit in (naive_bayes, word_svm, nbsvm):
        assert fit(X, y).predict(np.array([""], dtype=object)).shape == (1,)
    lasso = lasso_logistic(X, y, words=30, penalties=5, held_out=1 / 6, seed=0)
    assert lasso.predict(np.array([""], dtype=object)).shape == (1,)


def test_lasso_keeps_the_largest_penalty_of_those_with_fewest_held_out_errors():
    X, y = reviews()
    model = lasso_logistic(X, y, words=30, penalties=12, held_out=1 / 3, seed=3)
    errors = model.held_out_errors
    assert errors[model.chosen] == errors.min()
    assert (errors[: model.chosen] > errors.min()).all()
    assert (np.diff(model.penalties) < 0).all()
    assert errors[0] > 0.3, "at the smallest penalty that leaves no coefficient nothing is known"
    fitted = np.sort(np.random.default_rng(3).permutation(len(y))[80:])
    held_out = np.setdiff1d(np.arange(len(y)), fitted)
    assert np.mean(model.predict(X[held_out]) != y[held_out]) == errors.min()
    assert not np.isin([f"only in {i}" for i in held_out], list(model.vectoriser.vocabulary_)).any()


def test_lasso_knows_only_the_most_frequent_words_of_the_texts_it_fits():
    X, y = reviews()
    X = X.copy()
    held_out = np.random.default_rng(3).permutation(len(y))[:80]
    X[held_out] = [f"{text} secret secret" for text in X[held_out]]
    model = lasso_logistic(X, y, words=10, penalties=3, held_out=1 / 3, seed=3)
    assert len(model.vectoriser.vocabulary_) == 10
    assert "secret" not in model.vectoriser.vocabulary_


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X, y: naive_bayes(X, y, ngrams=0), "ngrams is 0; it must be above 0"),
        (lambda X, y: word_svm(X, y, C=0), "C is 0; it must be above 0"),
        (lambda X, y: nbsvm(X, y, beta=2), r"beta is 2; it must be in \[0, 1\]"),
        (lambda X, y: nbsvm(X, np.arange(len(y)) % 3), "y has 3 classes; log-count ratios are of two"),
        (lambda X, y: lasso_logistic(X, y, words=0, penalties=5), "words is 0 and penalties 5; both must be above 0"),
        (
            lambda X, y: lasso_logistic(X, y, words=5, penalties=5, held_out=1),
            "held_out is 1 of 240 texts",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_its_name(call, message):
    with pytest.raises(ValueError, match=message):
        call(*reviews())
