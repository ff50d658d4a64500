"""The README's example runs, and its commands are the ones that CI runs."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_examples_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    names = {}
    for code in blocks:
        exec(code, names)
    assert (names["rows"]["target"] == 2).all()
    assert len(names["rows"]) == 100
    known = names["holes"].notna()
    assert names["filled"].notna().all(axis=None)
    assert names["filled"].where(known).equals(names["holes"])
    out = capsys.readouterr().out
    assert float(re.search(r"^(0\.\d+) of the digits", out, re.MULTILINE)[1]) > 0.75
    assert "LikelihoodBracket(" in out
    table = names["table"]
    assert list(table["kind"]) == ["estimate", "exact"]
    assert (table["lower"] <= table["upper"]).all()


def test_commands_are_marked_for_ci():
    ci = (ROOT / ".ci" / "run").read_text()
    for mark in ("tests", "main job"):
        assert re.search(rf"<!-- ci: {mark} -->\n```bash\n.*\n```", README)
        assert f'run "{mark}"' in ci
