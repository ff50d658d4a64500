"""The README's example runs, and its commands are the ones that CI runs."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_examples_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 2
    names = {}
    for code in blocks:
        exec(code, names)
    assert names["features"].shape == (1797, 64)
    assert names["digits"].shape == (10, 64)
    assert re.match(r"-\d+\.\d+ nats, estimate", capsys.readouterr().out)
    # The same bits of grey rows for both models.
    assert list(names["table"]["bit_draws"]) == [10, 10]


def test_commands_are_marked_for_ci():
    ci = (ROOT / ".ci" / "run").read_text()
    for mark in ("tests", "main job"):
        assert re.search(rf"<!-- ci: {mark} -->\n```bash\n.*\n```", README)
        assert f'run "{mark}"' in ci
