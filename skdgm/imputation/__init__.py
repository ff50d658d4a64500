"""Imputers: models of this package as scikit-learn transformers that fill tables."""

from skdgm.imputation.generative_imputer import GenerativeImputer

__all__ = ["GenerativeImputer"]
