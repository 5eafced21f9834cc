"""The lecture's slides as they are printed, in its order (Tianhang Zheng, "Deep Learning").

Pictures are left out: what a slide draws, the benchmark's own figures show.
"""

from lecturebench import Formula, Matrix, Sentence, Slide, Table

POOLED = Matrix((("2", "2", "7", "3"), ("9", "4", "6", "1"), ("8", "5", "2", "4"), ("3", "1", "2", "6")))

SLIDES = (
    Slide(
        "Deep Learning",
        (
            Sentence(
                "ImageNet classification with deep convolutional neural networks (NeurIPS 2012) shows that deep neural "
                "networks can outperform traditional machine learning techniques by a large margin!"
            ),
        ),
    ),
    Slide("Single Layer Neural Network"),
    Slide(
        "Activation Function",
        (
            Formula(r"g\left(w_{k0} + \sum_{j=1}^p w_{kj}X_j\right)"),
            Sentence(
                "Activation functions in hidden layers are typically nonlinear, otherwise the model collapses to a "
                "linear model."
            ),
        ),
    ),
    Slide(
        "Softmax Output",
        (
            Sentence(
                r"Let $Z_m = \beta_{m0} + \sum_{\ell=1}^{K_2} \beta_{m\ell} A_{\ell}^{(2)}$, $m = 0, 1, \dots, 9$ be "
                "10 linear combinations of activations at second layer."
            ),
            Sentence("Softmax output:"),
            Formula(r"f_m(X) = \Pr(Y = m | X) = \frac{e^{Z_m}}{\sum_{\ell=0}^9 e^{Z_\ell}}"),
        ),
    ),
    Slide(
        "Cross-Entropy Loss",
        (
            Sentence("Negative multinomial log-likelihood:"),
            Formula(r"-\sum_{i=1}^{n}\sum_{m=0}^{9}y_{im}\log(f_m(x_i))"),
            Sentence(r"$y_{im}$ is 1 if true class for observation $i$ is $m$, else 0"),
        ),
    ),
    Slide(
        "Train Neural Networks",
        (
            Formula(r"\underset{\{w_k\}_1^K, \beta}{\text{minimize}} \frac{1}{2} \sum_{i=1}^n (y_i - f(x_i))^2"),
            Sentence("The objective is non-convex"),
            Formula(r"f(x_i) = \beta_0 + \sum_{k=1}^{K} \beta_k g \left(w_{k0} + \sum_{j=1}^{p} w_{kj} x_{ij} \right)"),
        ),
        about=("gradient_descent/between",),
    ),
    Slide(
        "Train Neural Networks",
        (
            Formula(r"R(\theta) = \frac{1}{2} \sum_{i=1}^{n} (y_i - f_{\theta}(x_i))^2"),
            Sentence(
                r"Start with a guess $\theta^0$ for all the parameters in $\theta$, and set $t = 0$. Iterate until the "
                r"objective $R(\theta)$ fails to decrease:"
            ),
            Sentence(
                r"(a) Find a vector $\delta$ that reflects a small change in $\theta$, such that "
                r"$\theta^{t+1} = \theta^t + \delta$ reduces the objective; i.e. $R(\theta^{t+1}) < R(\theta^t)$."
            ),
            Sentence(r"(b) Set $t \leftarrow t + 1$."),
        ),
        about=("gradient_descent/until",),
    ),
    Slide(
        "Train Neural Networks",
        (
            Sentence(r"How to find a direction $\delta$ that points downhill?"),
            Sentence(r"The gradient points uphill, so our update is $\delta = -\rho \nabla R(\theta^t)$"),
            Formula(r"\theta^{t+1} \leftarrow \theta^t - \rho \nabla R(\theta^t)"),
        ),
    ),
    Slide(
        "Gradients and Backpropagation",
        (
            Sentence("Backpropagation uses the chain rule for differentiation:"),
            Formula(r"\frac{\partial R_i(\theta)}{\partial \beta_k} = -(y_i - f_\theta(x_i)) \cdot g(z_{ik})"),
            Formula(
                r"\frac{\partial R_i(\theta)}{\partial w_{kj}}"
                r" = -(y_i - f_\theta(x_i)) \cdot \beta_k \cdot g'(z_{ik}) \cdot x_{ij}"
            ),
        ),
    ),
    Slide("Stochastic Gradient Descent (SGD)"),
    Slide("Stochastic Gradient Descent with Momentum"),
    Slide("Adam Optimizer"),
    Slide(
        "Why Neural Network?",
        (
            Table(
                ("Method", "Test Error"),
                (
                    ("Neural Network + Ridge Regularization", "2.3%"),
                    ("Neural Network + Dropout Regularization", "1.8%"),
                    ("Multinomial Logistic Regression", "7.2%"),
                    ("Linear Discriminant Analysis", "12.7%"),
                ),
                methods=("ridge", "dropout", "softmax", "lda"),
            ),
        ),
    ),
    Slide("Convolutional Neural Network", (Sentence("A commonly used network architecture for classifying images"),)),
    Slide("Convolutional Kernel"),
    Slide(
        "Convolutional Kernel",
        (
            Sentence("Edge Detection"),
            Matrix((("−1", "−1", "−1"), ("−1", "8", "−1"), ("−1", "−1", "−1"))),
        ),
        about=("kernels/edge",),
    ),
    Slide(
        "Convolutional Kernel",
        (
            Sentence("Box Blur"),
            Matrix((("1", "1", "1"), ("1", "1", "1"), ("1", "1", "1")), factor=r"\frac{1}{9}"),
        ),
        about=("kernels/blur",),
    ),
    Slide(
        "Max Pooling",
        (
            Sentence(
                "Max pooling mainly helps in extracting sharp features, and reduce model variance and computation cost"
            ),
            POOLED,
        ),
    ),
    Slide(
        "Avg Pooling",
        (
            Sentence(
                "Avg pooling mainly helps in extracting smooth features, and reduce model variance and computation cost"
            ),
            POOLED,
        ),
    ),
    Slide("Deep Convolutional Neural Network"),
    Slide(
        "Residual Neural Networks (ResNet)",
        (
            Sentence("1. Address the issue of gradient vanishing"),
            Sentence("2. Easy to model identity function"),
        ),
    ),
    Slide("ResNet-18"),
    Slide(
        "Recurrent Neural Networks",
        (
            Sentence(
                r"The hidden layer is a sequence of vectors $A_\ell$, receiving as input $X_\ell$ as well as "
                r"$A_{\ell-1}$. $A_\ell$ produces an output $O_\ell$."
            ),
        ),
    ),
    Slide(
        "Recurrent Neural Networks",
        (
            Formula(
                r"A_{\ell k} = g \left(w_{k0} + \sum_{j=1}^{p} w_{kj} X_{\ell j}"
                r" + \sum_{s=1}^{K} u_{ks} A_{\ell-1,s} \right)"
            ),
            Formula(r"O_{\ell} = \beta_0 + \sum_{k=1}^{K} \beta_k A_{\ell k}"),
        ),
        about=("rnn_formula",),
    ),
    Slide(
        "Recurrent Neural Network Loss",
        (
            Sentence(
                "Often we are concerned only with the prediction $O_L$ at the last unit. For squared error loss, and "
                "$n$ sequence/response pairs, we would minimize"
            ),
            Formula(r"\sum_{i=1}^{n} (y_i - o_{iL})^2"),
        ),
    ),
    Slide("Word Embedding", (Sentence("… this is one of the best films … starts one fall day …"),)),
    Slide("Transformers"),
    Slide(
        "Tricks of Deep Learning",
        (
            Sentence("Dropout: At each SGD update, randomly remove units with probability"),
            Sentence("Regularization: Minimize $L_2$ norm of model parameters"),
            Sentence("Learning Scheduler: Decay or Periodic"),
            Sentence("Data Augmentation: Randomly crop the images"),
        ),
    ),
)
