"""What convolutional machines find in real pixels, as pictures.

    python doc/benchmarks/convolutional_filters.py --only photographs
    python doc/benchmarks/convolutional_filters.py --only faces --data FOLDER

``photographs``: filters of patches of scikit-learn's two photographs. ``faces``: a
belief network of the Frey faces; filters of its first layer, and for each unit of the
second the mean of the windows that it answers to most, one of an image. Images are
whitened.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_sample_images

from skdgm import ConvDBN, ConvRBM
from skdgm.options import SGD, Filters, Penalty

# Steps that are known to find edges, by contrastive divergence.
LEARNING = {"solver": SGD(momentum=0.5), "learning_rate": 0.1, "gradient": "cd"}
REAL = {"column_types": "gaussian", "penalty__sparsity_cost": 1.0, "random_state": 0}
N_WINDOWS = 30


def whitened(image):
    """An image whose frequencies have about the same amplitude, but the highest."""
    down, across = (np.fft.fftfreq(n) for n in image.shape)
    f = np.hypot(down[:, None], across)
    waves = np.fft.fft2(image - image.mean()) * f * np.exp(-((f / 0.4) ** 4))
    image = np.fft.ifft2(waves).real
    return image / image.std()


def draw(path, images, n_columns, scale=0.6):
    """Write small pictures, in rows."""
    import matplotlib.pyplot as plt

    n_rows = -(-len(images) // n_columns)
    size = scale * n_columns, scale * n_rows * len(images[-1]) / len(images[-1][0])
    figure, axes = plt.subplots(n_rows, n_columns, figsize=size, layout="constrained")
    for ax in axes.flat:
        ax.axis("off")
    for ax, image in zip(axes.flat, images):
        ax.imshow(image, cmap="gray")
    figure.savefig(path, dpi=80)


def photographs(_):
    """Draw filters of patches of photographs."""
    rng, rows = np.random.default_rng(0), []
    for image in load_sample_images().images:
        image = whitened(image.astype(float).mean(axis=2))
        for _ in range(1500):
            i, j = (rng.integers(8, n - 28) for n in image.shape)
            rows.append(image[i : i + 20, j : j + 20].ravel())
    X = np.array(rows, np.float32)
    spread = X.std(axis=1, keepdims=True)
    # Others are of the sky.
    X = (X / np.maximum(spread, 0.5))[spread[:, 0] > 0.3]
    rbm = ConvRBM(
        24, filters=Filters(shape=9), penalty=Penalty(sparsity_target=0.005), n_iter=8
    )
    filters = rbm.set_params(**LEARNING, **REAL).fit(X).components_
    order = np.linalg.norm(filters, axis=1).argsort()[::-1]
    draw("filters_of_photographs.png", filters[order].reshape(-1, 9, 9), 8, 1)
    print(f"{len(X)} patches")


def faces(folder):
    """Draw filters of faces, and the parts that a second layer answers to."""
    found = load(folder, "frey_faces")
    height, width = found["image_shape"]
    gray = found["train"].reshape(-1, height, width).astype(np.float32)
    # Mirrored, so that waves have no steps at the borders.
    wide = (np.block([[x, x[:, ::-1]], [x[::-1], x[::-1, ::-1]]]) for x in gray)
    X = np.array([whitened(image)[:height, :width] for image in wide], np.float32)
    dbn = ConvDBN(
        (24, 40),
        image_shape=(height, width),
        filters=Filters(shape=(7, (6, 4)), pool_shape=(2, 1)),
        visible_bias="channel",
        penalty=Penalty(sparsity_target=(0.01, 0.02)),
        n_iter=(20, 40),
    )
    start = time.process_time()
    dbn.set_params(**LEARNING, **REAL).fit(X.reshape(len(X), -1))
    print(f"{len(X)} faces, {time.process_time() - start:.0f} s")
    _, second = dbn.transform_layers(X.reshape(len(X), -1))
    draw("filters_of_faces.png", dbn.layers_[0].components_.reshape(-1, 7, 7), 12)
    # A unit of the second layer sees so many pixels.
    down, across = 2 * 6 + 6, 2 * 4 + 6
    shape = (height - 6) // 2 - 5, (width - 6) // 2 - 3
    parts = []
    for unit in second.reshape(len(X), *shape, 40).transpose(3, 0, 1, 2):
        # The best place of each face, and the faces that have the best ones.
        best = unit.reshape(len(X), -1)
        faces = best.max(axis=1).argsort()[::-1][:N_WINDOWS]
        rows, columns = np.unravel_index(best[faces].argmax(axis=1), shape)
        windows = zip(faces, 2 * rows, 2 * columns)
        parts.append(
            np.mean([gray[n, i:, j:][:down, :across] for n, i, j in windows], 0)
        )
    draw("parts_of_faces.png", parts, 10)


PARTS = {"photographs": photographs, "faces": faces}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--data", type=Path, help="a folder with the Frey faces")
    asked = parser.parse_args()
    print(describe())
    for part in asked.only:
        PARTS[part](asked.data)
