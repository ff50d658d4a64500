"""Sphinx configuration: python -m sphinx -W doc doc/_build

Environment variables:

SKDGM_QUICK=1
    Run one short example instead of all (continuous integration).
SKDGM_DOC_ONLINE=1
    Link to the documentation of NumPy, SciPy and scikit-learn, whose inventories are
    downloaded. Without it the build needs no network.
SKDGM_SOURCE_URL=https://…/blob/main
    Link objects to a repository. Without it the site has pages of the source.
"""

import importlib
import inspect
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

from docutils import nodes

import skdgm

ROOT = Path(__file__).parents[1]
QUICK = os.environ.get("SKDGM_QUICK") == "1"
SOURCE_URL = os.environ.get("SKDGM_SOURCE_URL", "").rstrip("/")

project = "skdgm"
author = "the skdgm developers"
copyright = author
version = release = skdgm.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.linkcode" if SOURCE_URL else "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
    "sphinxcontrib.bibtex",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "auto_examples/**/*.md5",
    "auto_examples/**/*.ipynb",
    "whats_new/next/*",
]
default_role = "literal"
nitpicky = False

# Objects ------------------------------------------------------------------------

autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_member_order = "groupwise"
# Docstrings have types with shapes.
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False


# Methods of scikit-learn's base classes that are documented here all the same.
THEIRS = {"fit_transform", "fit_predict"}


def is_foreign(app, what, name, obj, skip, options):
    """Skip what scikit-learn adds to every estimator, such as set_params."""
    foreign = (getattr(obj, "__module__", None) or "").startswith("sklearn")
    routed = name.startswith("set_") and name.endswith("_request")
    return True if routed or (foreign and name not in THEIRS) else skip


def repair(app, what, name, obj, options, lines):
    """Make docstrings valid reStructuredText before numpydoc reads them.

    Lines that end with a backslash are continued, and a shape such as
    ``(n_features_in_,)`` is no reference.
    """
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    lines[:] = re.sub(r"\((n_\w+_),\)", r"(``\1``,)", text).split("\n")


def linkcode_resolve(domain, info):
    """Address of an object's source."""
    if domain != "py" or not info["module"]:
        return None
    try:
        found = importlib.import_module(info["module"])
        for part in info["fullname"].split("."):
            found = getattr(found, part)
        found = inspect.unwrap(found)
        path = Path(inspect.getsourcefile(found)).relative_to(ROOT)
        lines, first = inspect.getsourcelines(found)
    except (AttributeError, TypeError, ValueError, OSError):
        return None
    return f"{SOURCE_URL}/{path}#L{first}-L{first + len(lines) - 1}"


# Pages --------------------------------------------------------------------------

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# Pages of Markdown link to files that are no pages.
suppress_warnings = ["config.cache"]
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

if os.environ.get("SKDGM_DOC_ONLINE") == "1":
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

# Gallery ------------------------------------------------------------------------

# Logs and warnings that depend on the machine are no part of a page.
os.environ["MPLBACKEND"] = "Agg"
warnings.filterwarnings("ignore", message=".*Agg.*cannot be shown")


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "subsection_order": [
        f"../examples/{name}"
        for name in (
            "pipelines",
            "boltzmann",
            "belief",
            "autoencoder",
            "directed",
            "adversarial",
            "moment_matching",
            "supervised",
            "abc",
            "boosting",
            "flows",
            "diffusion",
            "autoregressive",
            "recurrent",
            "metrics",
        )
    ],
    "filename_pattern": "plot_completing_digits" if QUICK else "plot_",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skdgm",),
    "reference_url": {"skdgm": None},
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    # Pages of these times load scripts from elsewhere.
    "write_computation_times": False,
    "plot_gallery": True,
    "abort_on_example_error": True,
    "min_reported_time": 1,
    "matplotlib_animations": False,
    "thumbnail_size": (400, 280),
    "image_srcset": ["2x"],
}

# Theme --------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = f"skdgm {version}"
html_static_path = ["_static"]
html_css_files = ["skdgm.css"]
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skdgm", "alt_text": "skdgm"},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
html_sidebars = {
    "index": [],
    "getting_started": [],
    "which_model": [],
    "references": [],
    "whats_new": [],
    "whats_new/*": [],
}


def next_version(app):
    """Write the page of changes that no version has yet, of the files in next/."""
    command = "towncrier", "build", "--draft", "--version", "(next version)"
    settings = "--config", ROOT / ".ci/towncrier.toml", "--dir", ROOT
    asked = subprocess.run(
        [sys.executable, "-m", *command, *settings], capture_output=True, text=True
    )
    if asked.returncode:
        raise RuntimeError(asked.stderr)
    page, written = Path(app.srcdir) / "whats_new/next_version.rst", asked.stdout
    # Sphinx reads a page again where it is newer than what was made of it.
    if not page.exists() or page.read_text() != written:
        page.write_text(written)


def name_thumbnails(app, tree, page):
    """Describe pictures of examples in lists of these by the titles of the examples."""
    titles = {Path(name).name: title for name, title in app.env.titles.items()}
    for image in tree.findall(nodes.image):
        found = re.search(r"sphx_glr_(plot_\w+)_thumb\.png", image["uri"])
        if found and not image.get("alt"):
            image["alt"] = f"Picture of the example: {titles[found[1]].astext()}"


def setup(app):
    """Register what Sphinx calls."""
    app.connect("builder-inited", next_version)
    app.connect("autodoc-skip-member", is_foreign)
    app.connect("autodoc-process-docstring", repair, priority=100)
    app.connect("doctree-resolved", name_thumbnails)
