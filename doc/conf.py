"""Sphinx configuration: python -m sphinx doc doc/_build"""

import skdgm

project = "skdgm"
author = "the skdgm developers"
version = release = skdgm.__version__
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]
numpydoc_show_class_members = False
autodoc_default_options = {
    "members": True,
    "inherited-members": "ClassNamePrefixFeaturesOutMixin",
}
