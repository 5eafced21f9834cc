"""Kingma & Ba, "Adam: a method for stochastic optimization" (ICLR 2015), said once."""

from lecturebench import assumed, stated

ALGORITHM_1 = "Kingma & Ba (2015), Algorithm 1"

RULE = {
    "update": stated("m, v, both corrected for their start at 0", ALGORITHM_1),
    "rate": stated("0.001, beta 0.9 and 0.999", ALGORITHM_1),
    "epsilon": stated("1e-7, the paper's epsilon hat", "Keras 3, documentation of Adam; the end of the paper's sec. 2"),
}
TRAINED = {
    "Adam": stated("beta 0.9 and 0.999", ALGORITHM_1),
    "Adam's epsilon": assumed("1e-7, as Keras has it", "the paper's 1e-8 stands in another place"),
}
