"""He, Zhang, Ren & Sun, "Deep residual learning for image recognition" (2015), and who trained it again, said once."""

from __future__ import annotations

from benchmarks.sources.lecture import slide
from benchmarks.sources.source import Source
from lecturebench import assumed, selected, stated

PAPER = "He et al. (2015)"
ONE_RUN = {"runs": assumed("one", "one number is printed and no spread")}

# -- CIFAR-10 ---------------------------------------------------------------------------------------------------------

TABLE_6 = Source(
    source=f"{PAPER}, Table 6",
    slide="Residual Neural Networks (ResNet)",
    dataset="cifar10",
    protocol={
        "data": stated("50,000 train, 10,000 test, the mean of each pixel removed", f"{PAPER}, sec. 4.2"),
        "network": stated("6n + 2 layers, 16, 32 and 64 filters, shortcuts without parameters", f"{PAPER}, sec. 4.2"),
        "optimiser": stated("SGD, momentum 0.9, decay 1e-4, batch 128", f"{PAPER}, sec. 4.2"),
        "rate": stated("0.1, divided by 10 after 32,000 and 48,000 steps", f"{PAPER}, sec. 4.2"),
        "steps": stated("64,000", f"{PAPER}, sec. 4.2"),
        "fitted on": assumed("all 50,000", "sec. 4.2 says only that the schedule was set on 45,000 and 5,000 of them"),
        "augmentation": stated("4 pixels of padding, a crop of 32 x 32, flips", f"{PAPER}, sec. 4.2"),
    },
)
# By layers, as printed: test error, and parameters in millions.
PRINTED = {20: "8.75%", 32: "7.51%", 44: "7.17%", 56: "6.97%", 110: "6.43%", 1202: "7.93%"}
MILLIONS = {20: "0.27", 32: "0.46", 44: "0.66", 56: "0.85", 110: "1.7"}
BEST_OF_5 = {"runs": selected("the best of 5, whose mean is 6.61% +- 0.16%", f"{PAPER}, Table 6, 110 layers", 5)}

MEAN_KEPT = (
    "The mean of each pixel is not removed: batch normalisation behind the first convolution removes a mean, except at "
    "the border, where zeros stand.",
    "164 epochs of 391 steps, 64,124 in all, in place of 64,000 steps.",
)

AKAMASTER = "akamaster/pytorch_resnet_cifar10 at d5489e8, README lines 10 to 15"
REIMPLEMENTED = Source(
    source=AKAMASTER,
    slide="Residual Neural Networks (ResNet)",
    dataset="cifar10",
    protocol={
        "network": stated("that of He et al., sec. 4.2", AKAMASTER),
        "epochs": stated("200, the rate divided by 10 after 100 and 150", AKAMASTER),
        "validation": stated("none", AKAMASTER),
        "runs": assumed("one", "one number is printed; an issue there (28) reports 11.27% for ResNet-20"),
    },
)
REIMPLEMENTED_PRINTED = {20: "8.27%", 32: "7.37%", 44: "6.90%", 56: "6.61%", 110: "6.32%"}

PLAIN_NETS = "fish145/ResNet-on-Cifar10, as a secondary source quotes it"
# The paper has its plain networks on CIFAR-10 as curves alone. By layers: test accuracy, of another project.
PLAIN_PRINTED = {20: "90.10%", 32: "86.96%", 44: "84.45%", 56: "85.26%"}

KUANGLIU = "kuangliu/pytorch-cifar at 49b7aa9"
PYTORCH_CIFAR = Source(
    source=f"{KUANGLIU}, README lines 21 to 32",
    slide="ResNet-18",
    dataset="cifar10",
    metric="accuracy",
    protocol={
        "network": stated("ResNet-18 with a 3 x 3 stem and no first pooling", f"{KUANGLIU}, models/resnet.py"),
        "optimiser": stated("SGD, momentum 0.9, decay 5e-4, batch 128", f"{KUANGLIU}, main.py lines 30 to 45 and 86"),
        "rate": stated(
            "0.1, a cosine over 200 epochs",
            f"{KUANGLIU}, main.py lines 86 to 89; the README's number is older, and another README of it says 0.1, "
            "0.01 and 0.001 from epoch 0, 150 and 250 to 350",
        ),
        "augmentation": stated("crops and flips", f"{KUANGLIU}, main.py lines 30 to 45"),
        "which epoch": selected("the one with the best test accuracy", f"{KUANGLIU}, main.py"),
        "runs": assumed("one", "one number is printed; an issue there (149) reports 95.67%"),
    },
)
PYTORCH_CIFAR_PRINTED = {"ResNet18": "93.02%", "PreActResNet18": "95.11%", "VGG16": "92.64%"}

# -- ImageNet ---------------------------------------------------------------------------------------------------------

IMAGENET_TRAINING = {
    "optimiser": stated(
        "SGD, momentum 0.9, decay 1e-4, batch 256; batch normalisation, no dropout", f"{PAPER}, sec. 3.4"
    ),
    "rate": stated("0.1, divided by 10 where the error stands still", f"{PAPER}, sec. 3.4"),
    "where it stands still": assumed("after 30 and 60 of 90 epochs", "no rule is printed; torchvision's schedule"),
    "steps": stated("up to 600,000", f"{PAPER}, sec. 3.4"),
}
TABLE_2 = Source(
    source=f"{PAPER}, Table 2",
    slide="Residual Neural Networks (ResNet)",
    dataset="imagenet2012",
    protocol={
        "test": stated("top-1 error on validation, the mean over 10 crops", f"{PAPER}, Table 2"),
        "shortcuts": stated("without parameters (option A)", f"{PAPER}, Table 2"),
    }
    | ONE_RUN,
)
# By layers: plain, residual.
PRINTED_TABLE_2 = {18: ("27.94%", "27.88%"), 34: ("28.54%", "25.03%")}

TORCHVISION = "torchvision, ResNet18_Weights.IMAGENET1K_V1"
TORCHVISION_WEIGHTS = Source(
    source=TORCHVISION,
    slide="ResNet-18",
    dataset="imagenet2012",
    metric="accuracy",
    protocol={
        "network": stated("ResNet-18, 11,689,512 parameters", TORCHVISION),
        "test": stated("one crop of 224 x 224 from the middle", TORCHVISION),
        "epochs": stated("90, on 8 GPUs with 32 images each", "pytorch/vision, references/classification/train.py"),
        "rate": assumed("0.1, divided by 10 every 30 epochs", "torchvision's script, from memory; not read"),
    }
    | ONE_RUN,
)
# By layers: parameters, top-1, top-5 accuracy.
TORCHVISION_PRINTED = {18: (11_689_512, "69.758%", "89.078%"), 34: (21_797_672, "73.314%", "91.420%")}

COUNTED = slide("ResNet-18").saying(TORCHVISION)
# 1 channel of 3, and 10 outputs of 1,000: 2 kernels of 7 x 7 fewer for each of 64 maps, 990 rows of 512 and a bias.
ON_DIGITS = TORCHVISION_PRINTED[18][0] - 2 * 7 * 7 * 64 - 990 * (512 + 1)
FEWER = {
    "printed": stated("11,689,512 parameters for 3 channels and 1,000 classes", TORCHVISION),
    "on digits": assumed(f"{ON_DIGITS:,}: 1 channel is 6,272 fewer, 10 classes are 507,870 fewer", "by Table 1"),
}

# -- What it says of vanishing gradients ------------------------------------------------------------------------------

_SLIDE = "Residual Neural Networks (ResNet)"
NOT_VANISHING = slide(_SLIDE).saying(f"{PAPER}, sec. 4.1, of plain networks with batch normalisation")
HEALTHY = {
    "plain nets": stated(
        "their difficulty is 'unlikely to be caused by vanishing gradients', since batch normalisation keeps forward "
        "and backward signals healthy",
        f"{PAPER}, sec. 4.1",
    ),
}

# -- The slides' statements, as this suite measures them ---------------------------------------------------------------

VANISHING = slide(_SLIDE).saying(f'slide "{_SLIDE}": "Address the issue of gradient vanishing"')
IDENTITY = slide(_SLIDE, "cifar10").saying(f'slide "{_SLIDE}": "Easy to model identity function"')
MEASURED = {
    "gradient": assumed("of the mean cross-entropy of 64 images, by each kernel, its norm", "the slide defines none"),
    "vanishing": assumed("powers of ten by which the first layer's norm is below the largest", "likewise"),
    "first weights": assumed("normal, variance 2 / inputs", "He et al. 2015, arXiv:1502.01852"),
}
AN_EPOCH = {
    "epochs": assumed("1, of 2,000 digits", "equal for all; what the lecture's time allows"),
    "loss": assumed(
        "of 1,024 training images, normalised over batches of 64 as in training",
        "the slide defines none; in prediction moving averages lag so far behind after an epoch that losses were 30, "
        "as a first look showed",
    ),
    "rate": assumed(
        "0.01; without normalisation gradients are scaled down to a norm of 1 at most, with shortcuts and without",
        "the slide gives none; without that limit bare residual networks of 34 and 50 layers diverged in a first look",
    ),
}
LAGGING = (
    "Its test error says little: in 32 steps the moving averages with which it predicts fall behind the weights.",
)
EASY = {
    "task": assumed("32 random maps of 8 x 8 x 8, squared error, Adam at 0.001", "the slide names none"),
    "easy": assumed("little of the input's variance left after 500 steps", "likewise"),
}
LEFT = "share of the variance that is left"
