"""Twenty seeds of two rows of the error table: what a table with one number per row hides.

Slide "Why Neural Network?" prints one test error for dropout, 1.8%, and one for ridge, 2.3%; each comes from one run,
and no source says how far the next run would be from it. Here both networks are fitted with many seeds. A seed decides
the first weights, the batches and which units are removed; everything else stays. Three questions have numbers for an
answer:

- How often does one run of ridge beat one run of dropout? By the share of pairs of runs in which it does, the
  Mann-Whitney statistic over the number of pairs, with Newcombe's interval (2006, method 5),
  P(ridge < dropout) + P(ridge = dropout) / 2.
- How many runs of each row put their means in the right order?
- How many until a t test at 95% says so? Both chances are in `formulas/power.py`.

The error table judges whether its order holds on its 10,000 test images; whether it holds on new images too takes more
seeds, and is judged here.
"""

from benchmarks.bench_error_table import METHODS as TABLE
from benchmarks.figures import seeds
from benchmarks.sources.islp import NETWORK, PAIRED, RIDGE, TABLE_10_1
from lecturebench import Benchmark, Drawing, profiles

PRINTED = {"dropout": "1.8%", "ridge": "2.3%"}

# The table's own rows, the choice of the penalty included.
METHODS = tuple(method for name in PRINTED for method in TABLE if method.name == name)

CLAIMS = (
    TABLE_10_1.saying("ISLP (2023), Table 10.1, p. 406, read as a statement on any digits").order(
        "dropout", "ridge", protocol=NETWORK | RIDGE | PAIRED
    ),
)

DRAWINGS = (
    Drawing(
        "seeds",
        "Every run of each row",
        seeds.every_run(PRINTED),
        methods=("dropout", "ridge"),
        caption="A dot is one run with a seed of its own, a diamond the published number; shaded is the normal "
        "distribution with the runs' mean and standard deviation.",
        shows="error",
    ),
    Drawing(
        "seeds-needed",
        "How many seeds tell the rows apart",
        seeds.seeds_needed(PRINTED),
        methods=("dropout", "ridge"),
        caption="If ridge minus dropout truly is the difference shown and runs scatter normally, as widely as these: "
        "the probability that means of n runs of each row are in the right order, and that a t test at 95% says so.",
    ),
)

BENCHMARK = Benchmark(
    title="Seed variance: what one number per row hides",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist", "fashion_mnist", "cifar10", "digits"),
    stand_in="digits",
    profiles=profiles(seeds=20, full=50, time_limit=1800),
)
