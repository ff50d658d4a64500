"""Numbers of estimators with each of their options changed: ``wide_records.json``.

A wider net than tests/test_records.py, for the exhaustive suite. Its forms are
generated (tests/widely.py): every public estimator on rows of several kinds, and with
each option at each of its other words and truth values, and with some other numbers;
learned in one go, with weights, in parts, again, from sparse rows, or from a file. Of
each form it holds what is learned and what all public methods return: two numbers, or
the name of an error. What differs with the kernels of the machine is written as "~"
and not held. Whoever changes numbers on purpose writes the list again, of all classes
or of some, by

    python -m tests.test_wide_records [CLASS ...]
"""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skdgm.registry import ESTIMATORS
from tests import widely

LIST = Path(__file__).with_name("wide_records.json")
KNOWN = json.loads(LIST.read_text()) if LIST.exists() else {}
# Kernels of OpenBLAS with which numbers must be the same up to rounding.
KERNELS = "Haswell", "Nehalem"
N_FORMS = 10
# Independent components of so few rows hang on how a machine rounds.
NAMES = [name for name in ESTIMATORS if name != "S3C"]
PARTS = [
    (name, first)
    for name, known in KNOWN.items()
    for first in range(0, len(known["forms"]), N_FORMS)
]
ABSENT, UNHELD = "-", "~"


def told(value):
    """How what is known of a part of a record is written."""
    return value if isinstance(value, str) else f"{value[0]:.7g},{value[1]:.2g}"


def agree(one, other):
    """Whether two such texts are the same up to rounding."""
    if UNHELD in (one, other) or one == other:
        return True
    if "," not in one or "," not in other:
        return False
    (a, size), (b, other_size) = (map(float, text.split(",")) for text in (one, other))
    # Sums in another order, as of another machine, differ by less.
    close = abs(size - other_size) <= 0.06 * max(size, other_size) + 1e-9
    return close and abs(a - b) <= 1e-5 * max(size, other_size) + 1e-9


def differences(names, known, record):
    """Parts of a record that are not as they are known."""
    if isinstance(record, str) or not known.startswith("="):
        return [] if record == known else [(known[:90], str(record)[:90])]
    expected = dict(zip(names, known[1:].split(" "), strict=True))
    found = {name: told(value) for name, value in record.items()}
    pairs = {
        name: (expected.get(name, ABSENT), found.get(name, ABSENT))
        for name in (*expected, *found)
    }
    # Others' warnings, as at a first import or compilation, depend on what ran before.
    pairs.pop("heard", None)
    return [(name, *pair) for name, pair in pairs.items() if not agree(*pair)]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "first"), PARTS)
def test_numbers_are_those_of_the_list(name, first):
    names, forms = KNOWN[name]["names"], KNOWN[name]["forms"]
    found = {}
    for text in [*forms][first : first + N_FORMS]:
        record = widely.Form(f"{name} | {text}").record()
        found[text] = differences(names, forms[text], record)
    assert not {text: own for text, own in found.items() if own}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
def test_the_list_has_all_options(name):
    held = [text.split(" | ")[2:] for text in KNOWN[name]["forms"]]
    assert {text for own in held for text in own} == set(widely.wanted(name))


def packed(records):
    """Records of a class, by their texts, as the list has them."""
    whole = [record for record in records.values() if not isinstance(record, str)]
    names = sorted({name for record in whole for name in record})
    forms = {
        text: record
        if isinstance(record, str)
        else "=" + " ".join(told(record.get(name, ABSENT)) for name in names)
        for text, record in records.items()
    }
    return {"names": names, "forms": forms}


def without_rounding(known, other):
    """What is known of a class without what another machine's records do not share."""
    names, forms = known["names"], dict(known["forms"])
    for text, record in other.items():
        own = forms[text]
        if isinstance(record, str) or not own.startswith("="):
            if record != own:
                del forms[text]
            continue
        differ = {pair[0] for pair in differences(names, own, record)}
        parts = zip(names, own[1:].split(" "), strict=True)
        kept = (UNHELD if name in differ else part for name, part in parts)
        forms[text] = "=" + " ".join(kept)
    return {"names": names, "forms": forms}


def written(names):
    """Write the list again, for some classes, held to all kernels."""
    known = dict(KNOWN)
    for name in names:
        found = widely.found_forms(name)
        own = {form.text.partition(" | ")[2]: record for form, record in found}
        known[name] = packed(own)
    for kernel in KERNELS:
        command = [sys.executable, "-m", __spec__.name, "--records"]
        texts = [f"{name} | {text}" for name in names for text in known[name]["forms"]]
        made = subprocess.run(
            command,
            env=os.environ | {"OPENBLAS_CORETYPE": kernel},
            input="\n".join(texts),
            capture_output=True,
            text=True,
            check=True,
        )
        others = json.loads(made.stdout)
        for name in names:
            start = f"{name} | "
            own = {
                text.removeprefix(start): record
                for text, record in others.items()
                if text.startswith(start)
            }
            known[name] = without_rounding(known[name], own)
    save(known)


def save(known):
    """Write the list, a line for each form."""
    lines = []
    for name in sorted(known.keys() & {*NAMES}):
        own = known[name]
        forms = ",\n".join(
            f"{json.dumps(text)}: {json.dumps(record)}"
            for text, record in own["forms"].items()
        )
        head = f'{json.dumps(name)}: {{"names": {json.dumps(own["names"])}'
        lines.append(f'{head}, "forms": {{\n{forms}}}}}')
    LIST.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    gc.freeze()
    if sys.argv[1:] == ["--records"]:
        texts = sys.stdin.read().splitlines()
        print(json.dumps({text: widely.Form(text).record() for text in texts}))
    else:
        written(sys.argv[1:] or NAMES)
