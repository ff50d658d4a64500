"""Model cards: descriptions of fitted estimators for the people who use them.

Reference: Mitchell et al. (2019), Model cards for model reporting.
"""

import re
from html import escape
from typing import NamedTuple


class ModelCard(NamedTuple):
    """Result of :func:`skdgm.card`, which prints as text, and in notebooks as a table.

    Parameters
    ----------
    title : str
        Name and purpose of the estimator.
    sections : dict of dict of str
        For each heading, a text for each entry.

    See Also
    --------
    skdgm.card : Function that returns the result.
    """

    title: str
    sections: dict

    def __repr__(self):
        lines = [self.title]
        for heading, entries in self.sections.items():
            width = max(map(len, entries), default=0)
            lines += ["", heading]
            lines += [f"  {name:<{width}}  {text}" for name, text in entries.items()]
        return "\n".join(lines)

    def _repr_html_(self):
        rows = []
        for heading, entries in self.sections.items():
            rows.append(
                f'<tr><th colspan="2" scope="colgroup">{escape(heading)}</th></tr>'
            )
            rows += [
                f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
                for name, text in entries.items()
            ]
        caption = f"<caption>{escape(self.title)}</caption>"
        table = f"<table>{caption}<tbody>{''.join(rows)}</tbody></table>"
        return f'<div class="skdgm-model-card">{table}</div>'

    def to_markdown(self) -> str:
        """Return the card in Markdown, for a README or an experiment tracker.

        Returns
        -------
        text : str
            A heading and a table for each section.
        """
        lines = [f"# {_cell(self.title)}"]
        for heading, entries in self.sections.items():
            lines += ["", f"## {_cell(heading)}", "", "| | |", "|---|---|"]
            lines += [
                f"| {_cell(name)} | {_cell(text)} |" for name, text in entries.items()
            ]
        return "\n".join(lines) + "\n"

    def to_dict(self) -> dict:
        """Return the card as nested dicts of text, for JSON.

        Returns
        -------
        fields : dict
            "title" and "sections".
        """
        return {"title": self.title, "sections": {**self.sections}}


def _cell(text):
    """Text in a table of Markdown."""
    return re.sub(r"([|*_`<\\])", r"\\\1", " ".join(text.split()))
