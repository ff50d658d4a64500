"""The snippets of the pages in doc/ run, without a warning."""

import ast
import doctest
import importlib.util
import inspect
import json
import re
import shutil
import subprocess
import sys
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

import skdgm
from skdgm.base import Estimator

ROOT = Path(__file__).parents[1]
DOC = ROOT / "doc"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BUILT = ("_build", "auto_examples", "generated")


def built(path):
    """Whether Sphinx wrote a file."""
    return path.relative_to(DOC).parts[0] in BUILT


PAGES = [
    path.relative_to(DOC)
    for end in ("rst", "md")
    for path in sorted(DOC.rglob(f"*.{end}"))
    if not built(path)
]
SNIPPETS = [page for page in PAGES if ">>> " in (DOC / page).read_text()]
# Packages that no extra of ours brings along.
OPTIONAL = "dask_ml", "imblearn", "mapie", "mlflow", "optuna", "shap"


def examples(page):
    """Examples of a page, without the blocks that need a package which is not there."""
    pieces = doctest.DocTestParser().parse((DOC / page).read_text(), str(page))
    blocks = groupby(
        (piece for piece in pieces if piece),
        lambda piece: isinstance(piece, doctest.Example) or not piece.strip(),
    )
    missing = [name for name in OPTIONAL if not importlib.util.find_spec(name)]
    for is_block, block in blocks:
        found = [one for one in block if isinstance(one, doctest.Example)]
        text = "".join(one.source for one in found)
        if is_block and not any(re.search(rf"\b{name}\b", text) for name in missing):
            yield from found


@pytest.fixture
def nltcs(tmp_path, monkeypatch):
    """Random bits in place of a data set that pages fetch."""
    rng, folder = np.random.default_rng(0), tmp_path / "skdgm"
    folder.mkdir()
    sizes = {"train": 16181, "valid": 2157, "test": 3236}
    bits = {k: rng.integers(0, 2, (n, 16), np.uint8) for k, n in sizes.items()}
    np.savez(folder / "nltcs.npz", **bits)
    (folder / "nltcs.json").write_text(json.dumps({}))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("error", f"ignore:::({'|'.join(OPTIONAL)})")
@pytest.mark.parametrize("page", SNIPPETS, ids=str)
def test_snippets_run(page, nltcs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTest([*examples(page)], {}, str(page), str(page), 0, None)
    assert test.examples
    with sklearn.config_context():
        assert not doctest.DocTestRunner(optionflags=OPTIONS).run(test).failed


# As what is shown in another way is not run: Python in blocks, and blocks of any text.
UNTESTED = re.compile(
    r"^\s*(?:\.\. code(?:-block)?::|```|~~~)\s*\{?i?py.*$|^(?!\s*\.\. ).*::$",
    re.MULTILINE,
)


def test_snippets_are_doctests():
    found = {str(page): UNTESTED.findall((DOC / page).read_text()) for page in PAGES}
    assert not {page: blocks for page, blocks in found.items() if blocks}


def test_examples_run_as_notebooks():
    """Whose process has arguments that are not those of the example."""
    examples = {path: path.read_text() for path in (ROOT / "examples").rglob("*.py")}
    assert not [path.name for path, text in examples.items() if ".parse_args(" in text]


def test_pictures_have_their_own_colors():
    """No PNG has a palette, by its color type: it merges lines of a plot."""
    pictures = [path for path in DOC.rglob("*.png") if not built(path)]
    assert pictures
    assert not [path.name for path in pictures if path.read_bytes()[25] == 3]


def test_pictures_have_descriptions():
    directive = re.compile(r"( *)\.\. (?:image|figure):: .*\n((?:\1 +:.*\n)*)")
    for page in PAGES:
        text = (DOC / page).read_text()
        bare = [m[0] for m in directive.finditer(text) if ":alt: " not in m[2]]
        bare += re.findall(r":img-top: .*\n(?! *:img-alt: \S)", text)
        bare += re.findall(r"!\[\s*\]\(.*\)", text)
        assert not bare, page
    readme = (ROOT / "README.md").read_text()
    assert not re.findall(r'!\[\s*\]|alt="\s*"', readme)
    assert readme.count("<img") == readme.count("alt=")


SHALLOW = ["git", "rev-parse", "--is-shallow-repository"]


def test_commits_that_pages_of_figures_name_exist():
    """A commit has another name once it is rebased."""
    git = partial(subprocess.run, cwd=ROOT, capture_output=True, text=True)
    if not shutil.which("git") or git(SHALLOW).stdout.strip() != "false":
        pytest.skip("There is no history.")
    pages = [path.read_text() for path in (DOC / "benchmarks").glob("*.md")]
    names = set(re.findall(r"\b(?=[a-f\d]*[a-f])[a-f\d]*\d[a-f\d]*\b", "".join(pages)))
    names = sorted(name for name in names if 7 <= len(name) <= 12)
    assert len(names) > 20
    found = git(["git", "cat-file", "--batch-check"], input="\n".join(names)).stdout
    assert "missing" not in found, found


def test_faults_of_a_site_are_found(tmp_path):
    """By ``.ci/site``, which looks at the whole site, in CI."""
    good = '<p id="here"><a href="#here">1</a> <a href="b.html#there">2</a></p>'
    good += '<img src="c.png" alt="A picture."> <a href="https://elsewhere.org">3</a>'
    faults = {
        "no.html is dead": '<a href="no.html">4</a>',
        "b.html#here has no such anchor": '<a href="b.html#here">5</a>',
        "c.png has no alt text": '<img src="c.png" alt="">',
        "loads https://elsewhere.org/a.js": '<script src="https://elsewhere.org/a.js">',
    }
    (tmp_path / "c.png").write_bytes(b"")
    (tmp_path / "b.html").write_text('<p id="there"></p>')
    command = [sys.executable, ROOT / ".ci" / "site", tmp_path]
    for text, lines in ((good, []), (good + "".join(faults.values()), [*faults])):
        (tmp_path / "a.html").write_text(text)
        run = subprocess.run(command, capture_output=True, text=True)
        *found, last = run.stdout.splitlines()
        assert sorted(found) == sorted(f"a.html: {line}" for line in lines), run.stderr
        assert (run.returncode, last) == (bool(lines), f"2 pages, {len(lines)} faults")


def test_pages_and_examples_are_found():
    """Each page of the guide is in its index, and each model's page in the reference;
    each example is on a page; each benchmark has a line in the summary."""
    index, reference = ((DOC / n).read_text() for n in ("guide/index.rst", "api.rst"))
    pages = {path.stem for path in (DOC / "guide").glob("*.rst")} - {"index"}
    cards, *toctrees = index.split(".. toctree::")
    assert set(re.findall(r":doc:`(\w+)`", cards)) == pages
    assert set(re.findall(r"^   (\w+)$", "".join(toctrees), re.MULTILINE)) == pages
    models = set(re.findall(r"^   (\w+)$", toctrees[-1], re.MULTILINE))
    assert not [name for name in models if f":doc:`guide/{name}`" not in reference]
    tables, _, list_of_pages = (
        (DOC / "benchmarks/index.rst").read_text().partition(".. toctree::")
    )
    benchmarks = set(re.findall(r"^   (\w+)$", list_of_pages, re.MULTILINE))
    assert set(re.findall(r"\* - :doc:`(\w+)`\n", tables)) == benchmarks
    text = "".join((DOC / page).read_text() for page in PAGES)
    names = [path.stem for path in (ROOT / "examples").rglob("plot_*.py")]
    assert not [name for name in names if name not in text]


@pytest.mark.exhaustive
def test_sphinx_reads_all_decorators():
    """Its parser fails at ``**`` in a dict there; pages then have no source."""
    unread = []
    for path in (ROOT / "skdgm").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            for decorator in getattr(node, "decorator_list", ()):
                dicts = [d for d in ast.walk(decorator) if isinstance(d, ast.Dict)]
                unread += [path for d in dicts if None in d.keys]
    assert not unread


# Commands of LaTeX that set no sign, and all others, which set one.
SILENT = r"(?:[Bb]igg?[lr]?|operatorname|text|math\w+|[td]?frac|quad|qquad|sqrt|[,;!])"


def test_formulas_fit_their_pages():
    """Formulas of estimators, line by line: as many signs as fit beside the menus."""
    lines = []
    for name in skdgm.__all__:
        text = f"{inspect.getdoc(getattr(skdgm, name))}\n"
        for formula in re.findall(r"\.\. math::(.*\n(?:\n| +.*\n)*)", text):
            lines += [(name, one) for one in re.split(r"\n\s*\n|\\\\", formula)]
    seen = {
        pair: re.sub(rf"\\{SILENT}(?![a-zA-Z])|[{{}}^_\s]", "", pair[1])
        for pair in lines
    }
    assert len(seen) > 50
    assert not {k for k, v in seen.items() if len(re.sub(r"\\[a-zA-Z]+", "x", v)) > 54}


# Pages of tasks are one series: from a user's data to a decision.
TASKS = (
    "few_labels",
    "synthetic_tables",
    "missing_values",
    "anomalies",
    "topics",
    "images",
    "series",
)
SECTIONS = [
    "Your data",
    "A first model",
    "Is it any good?",
    "Pitfalls",
    "Which estimator, which options",
    "Where to go on",
]


@pytest.mark.parametrize("task", TASKS)
def test_pages_of_tasks_have_one_order(task):
    lines = (DOC / "guide" / f"{task}.rst").read_text().splitlines()
    headings = [line for line, below in pairwise(lines) if below[:3] == "---"]
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS


def test_front_doors_lead_to_each_task():
    doors = ("index.rst", "which_model.rst", "guide/index.rst", "../README.md")
    for door in doors:
        text = (DOC / door).read_text()
        assert not [task for task in TASKS if task not in text], door


# Names in calls on pages that are neither estimators nor options.
OTHERS = {
    "make_pipeline": make_pipeline,
    "make_union": make_union,
    "LogisticRegression": LogisticRegression,
    "constraints": [],
    "priors": {"mean": None},
    "simulator": np.mean,
    "summary": np.mean,
}


def calls(text):
    """Calls of classes of skdgm in literals, whose names are all known."""
    known = {name: getattr(skdgm, name) for name in skdgm.__all__}
    known |= {name: getattr(skdgm.options, name) for name in skdgm.options.__all__}
    known |= OTHERS
    for literal in re.findall(r"(?<!`)``([A-Z]\w*\([^`]*\)|make_\w+\([^`]*\))``", text):
        code = " ".join(literal.split())
        try:
            tree = ast.parse(code, mode="eval").body
        except SyntaxError:
            continue
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if isinstance(tree, ast.Call) and names <= known.keys():
            yield code, names, known


def test_calls_in_the_text_of_pages_are_valid():
    found = [
        (str(page), *call)
        for page in PAGES
        if page.parts[0] not in ("benchmarks", "whats_new")
        for call in calls((DOC / page).read_text())
    ]
    assert len(found) > 60
    faults = []
    for page, code, _, known in found:
        try:
            made = eval(code, dict(known))
            if isinstance(made, Estimator):
                made._validate_params()
        except (TypeError, ValueError) as error:
            faults.append((page, code, str(error)))
    assert not faults


def test_first_choices_are_choices_of_the_pages_of_tasks():
    text = (DOC / "which_model.rst").read_text()
    table = text.split("First choices\n---")[1].split("All are fitted")[0]
    seen = set()
    for task, rows in re.findall(
        r"\* - :doc:`[^<]*<guide/(\w+)>`\n(.*?)(?=   \* - :doc|\Z)", table, re.DOTALL
    ):
        found = [names - OTHERS.keys() for _, names, _ in calls(rows)]
        assert len(found) == len(re.findall(r"\n     - ``", "\n" + rows)), task
        if task in TASKS:
            page = (DOC / "guide" / f"{task}.rst").read_text()
            section = page.split(f"{SECTIONS[4]}\n---")[1]
            assert not [n for names in found for n in names if n not in section], task
            seen.add(task)
    assert seen == set(TASKS)


def test_docstrings_of_slow_defaults_say_how_slow():
    """Every class that takes more than ten times as long as MLPClassifier."""
    table = (DOC / "benchmarks" / "defaults.md").read_text()
    table = table.split("## A mixed table")[0]
    found = re.findall(r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \|", table, re.MULTILINE)
    slow = {
        name: f"about {float(seconds):.0f} s of one core, {float(ratio):.0f} times"
        for name, seconds, ratio in found
        if float(ratio) > 10.5
    }
    assert len(found) > 50
    for name, cost in slow.items():
        assert cost in " ".join(getattr(skdgm, name).__doc__.split()), name


# Numbers in prose, and in tables of benchmarks; a page in a link or a path.
PROSE = re.compile(r"(?<![\w./-])\d[\d,]*(?:\.\d+)?(?![\w-])")
TABLE = re.compile(r"(?<!\w)\d[\d,]*(?:\.\d+)?|(?<!\d)\.\d+")
LINK = re.compile(r"benchmarks/(\w+)(?:`|>|\.md)")
ROW = re.compile(r" {3}\* - :doc:`(\w+)`\n(.*?)(?=\n {3}\* -|\n\n)", re.DOTALL)
# Smallest whole number that is looked for: less is a size, or a count of words.
SMALLEST = 20
MARKUP = re.compile(r"``[^`]*``|:\w+(?::\w+)*:`[^`]*`|`[^`]*`|\]\([^)]*\)")
SENTENCE = re.compile(r"(?<=[\w)`%])[.:;]\s+(?=[A-Z`(*])|\n- |\n *\* - |\n\|")


def claims():
    """Files and sentences that cite benchmarks, with the names of these pages."""
    overview = (DOC / "benchmarks/index.rst").read_text()
    for page, cells in ROW.findall(overview):
        yield "doc/benchmarks/index.rst", [page], cells.rpartition("\n     - ")[2]
    files = [ROOT / "README.md", DOC / "index.rst", *sorted(DOC.glob("guide/*.rst"))]
    for path in [*files, *sorted((ROOT / "skdgm").rglob("*.py"))]:
        for paragraph in re.split(r"\n\s*\n", path.read_text()):
            for sentence in SENTENCE.split(paragraph):
                if pages := set(LINK.findall(sentence)) - {"index"}:
                    yield str(path.relative_to(ROOT)), pages, sentence


def is_rounded(number, found):
    """Whether a number of prose is one of those found, or 100% minus it, rounded."""
    digits = len(number.partition(".")[2])
    value, gap = float(number), 0.5001 * 10**-digits
    return any(abs(x - value) <= gap or abs(100 - x - value) <= gap for x in found)


def test_figures_of_prose_are_on_the_pages_that_it_cites():
    missing = []
    for path, pages, sentence in claims():
        texts = [(DOC / f"benchmarks/{page}.md").read_text() for page in pages]
        found = [float(x.replace(",", "")) for x in TABLE.findall(" ".join(texts))]
        for number in PROSE.findall(MARKUP.sub(" ", sentence)):
            plain = number.replace(",", "")
            is_claim = "." in plain or int(plain) >= SMALLEST
            if is_claim and not is_rounded(plain, found):
                missing.append(f"{path}: {number} is not in {', '.join(pages)}")
    assert not missing, "\n".join(missing)


def test_a_changed_figure_is_noticed():
    assert is_rounded("0.9", [0.874])
    assert is_rounded("8.6", [91.38])
    assert not is_rounded("0.88", [0.874])
    sentences = [sentence for _, _, sentence in claims()]
    assert len(sentences) > 100
    assert sum(len(PROSE.findall(MARKUP.sub(" ", text))) for text in sentences) > 250
