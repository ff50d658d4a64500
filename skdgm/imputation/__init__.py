"""Imputers: generative models as scikit-learn transformers that impute tables."""

from skdgm.imputation.generative_imputer import GenerativeImputer

__all__ = ["GenerativeImputer"]
