"""Summaries of the report on synthetic rows: text, HTML, a table and plain values."""

from html import escape

import numpy as np

from skdgm.metrics.table_report.parts import as_table, listed

# Fields of the report that are tables. HTML has the rows of a long table with the
# lowest values of a column, or with the sign -1 the highest.
TABLES = {
    "columns": ("score", 1),
    "pairs": ("score", 1),
    "distances": ("level", 1),
    "disclosure": ("excess", -1),
    "functions": ("broken", -1),
}
# Property that each score measures, and its value for perfect synthetic rows.
_PROPERTIES = {
    "quality": ("fidelity", 1.0),
    "shapes": ("fidelity", 1.0),
    "trends": ("fidelity", 1.0),
    "trends_of_all": ("fidelity", 1.0),
    "coverage_of_columns": ("fidelity", 1.0),
    "broken_functions": ("fidelity", 0.0),
    "precision": ("fidelity", 1.0),
    "recall": ("fidelity", 1.0),
    "coverage": ("fidelity", 1.0),
    "two_sample_auc": ("fidelity", 0.5),
    "utility_real": ("utility", 1.0),
    "utility_synthetic": ("utility", 1.0),
    "closer_to_train": ("privacy", 0.5),
    "copies": ("privacy", 0.0),
    "disclosure": ("privacy", 0.0),
}
# Maximum number of rows of a table in HTML.
_MANY = 100


def as_text(report):
    """Summary of a report as text."""
    lines = [_title(report)]
    for heading, entries in _sections(report):
        lines += [heading, *(f"  {name:<16} {text}" for name, text in entries)]
    return "\n".join(lines)


def as_html(report):
    """Summary of a report as a table in HTML, with its tables as closed details."""
    parts = [f"<table><caption>{escape(_title(report))}</caption><tbody>"]
    for heading, entries in _sections(report):
        parts.append(
            f'<tr><th colspan="2" scope="colgroup">{escape(heading)}</th></tr>'
        )
        parts += [_row(entry) for entry in entries]
    parts.append("</tbody></table>")
    for name, (score, sign) in TABLES.items():
        table = getattr(report, name)
        if table is not None:
            parts.append(_details(name, listed(table), score, sign))
    return f'<div class="skdgm-tabular-report">{"".join(parts)}</div>'


def as_scores(report):
    """Table of the scores of a report, with the property and the best value of each."""
    names = list(report.scores)
    properties, best = zip(*(_PROPERTIES[name] for name in names))
    columns = {"score": names, "property": list(properties)}
    columns |= {"value": list(report.scores.values()), "best": list(best)}
    return as_table(columns, "score")


def plain(value):
    """Copy of a value that JSON can represent: NaN becomes None, and names of columns
    that are neither strings nor numbers become strings."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)


def as_dict(report):
    """Fields of a report as plain values; tables are dicts of lists by column."""
    fields = report._asdict()
    for name in TABLES:
        if fields[name] is not None:
            fields[name] = listed(fields[name])
    return {name: plain(value) for name, value in fields.items()}


def _title(report):
    text = [f"{size:,} {name}" for name, size in report.n_rows.items()]
    return f"TabularReport of {', '.join(text)} rows"


def _sections(report):
    """Pairs of a heading and a list of entries, which are pairs of a name and a
    text."""
    yield "Fidelity (1 is best)", list(_fidelity(report))
    utility = report.utility
    if utility is not None:
        metric = f"{utility['metric']} of {utility['target']}"
        scores = f"real {utility['real']:.3f}, synthetic {utility['synthetic']:.3f}"
        difference = f"{utility['difference']:.3f} ± {utility['se']:.3f}"
        entries = [("fitted to", scores), ("difference", difference)]
        yield f"Utility ({metric}, on held-out rows)", entries
    yield f"Privacy (intervals of {report.confidence:.0%})", list(_privacy(report))


def _fidelity(report):
    scores, columns, pairs = report.scores, listed(report.columns), listed(report.pairs)
    shares = f"shapes {scores['shapes']:.3f}, trends {scores['trends']:.3f}"
    n_counted, n_pairs = sum(pairs["counted"]), len(pairs["counted"])
    if n_counted < n_pairs:
        shares += f" ({n_counted} associated pairs; all {n_pairs} pairs "
        shares += f"{scores['trends_of_all']:.3f})"
    yield "quality", f"{scores['quality']:.3f} = mean of {shares}"
    places = _lowest(columns["score"])
    text = [f"{columns['column'][j]} {columns['score'][j]:.3f}" for j in places]
    yield "lowest columns", ", ".join(text)
    names = list(zip(pairs["column_1"], pairs["column_2"]))
    text = [
        f"{names[j][0]} × {names[j][1]} {pairs['score'][j]:.3f}"
        for j in _lowest(pairs["score"])
    ]
    yield "lowest pairs", ", ".join(text)
    functions = listed(report.functions)
    if functions["function"]:
        worst = np.argsort(-np.array(functions["broken"]), kind="stable")[:3]
        text = [
            f"{functions['function'][j]} {functions['broken'][j]:.1%}" for j in worst
        ]
        yield "broken functions", ", ".join(text)
    yield (
        "coverage",
        f"{scores['coverage_of_columns']:.3f} of categories and ranges",
    )
    names = "precision", "recall", "coverage"
    yield "neighbors", ", ".join(f"{name} {scores[name]:.3f}" for name in names)
    test = report.two_sample
    others = "held-out" if "holdout" in report.n_rows else "real"
    yield (
        "two-sample test",
        f"AUC {test['roc_auc']:.3f}, accuracy {test['accuracy']:.3f} "
        f"(p = {test['p_value']:.2g}) against {others} rows; 0.5 is best",
    )


def _privacy(report):
    closest = report.closest
    text = f"{closest['copies']:.2%} ({closest['n_copies']:,})"
    if not np.isnan(closest["share"]):
        interval = _interval(closest["share"], closest["lower"], closest["upper"])
        yield "closer to train", f"{interval}; 0.5 if nothing is copied"
        text += f"; of held-out rows {closest['held_out_copies']:.2%}"
    yield "copies", text
    if report.disclosure is None:
        yield "disclosure", "unknown without held-out rows"
        return
    table = listed(report.disclosure)
    if np.isnan(table["excess"]).all():
        yield "disclosure", "unknown, because the sensitive columns have no value"
        return
    above = np.array(table["excess_lower"]) > 0
    j = int(np.nanargmax(table["excess"]))
    worst = {name: values[j] for name, values in table.items()}
    interval = _interval(worst["excess"], worst["excess_lower"], worst["excess_upper"])
    yield (
        "disclosure",
        f"of {above.sum()} of {len(above)} columns; highest excess "
        f"{worst['column']} {interval}",
    )


def _interval(value, lower, upper):
    return f"{value:.3f} [{lower:.3f}, {upper:.3f}]"


def _lowest(scores, n=3):
    order = np.argsort(scores, kind="stable")[:n]
    return [j for j in order if not np.isnan(scores[j])]


def _details(name, columns, score, sign):
    """Closed element with a table; a long table is cut to the rows with the worst
    scores."""
    n_rows, places = len(next(iter(columns.values()))), None
    if n_rows > _MANY:
        places = np.argsort(sign * np.array(columns[score], float), kind="stable")
        places = places[:_MANY]
        name = f"{name}, {_MANY} of {n_rows:,} with the worst {score}"
    rows = list(zip(*columns.values()))
    rows = rows if places is None else [rows[j] for j in places]
    head = "".join(f'<th scope="col">{escape(str(key))}</th>' for key in columns)
    return (
        f"<details><summary>{escape(name)}</summary><table><thead><tr>{head}</tr>"
        f"</thead><tbody>{''.join(map(_row, rows))}</tbody></table></details>"
    )


def _row(values):
    first, *others = map(_cell, values)
    cells = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr><th scope="row">{first}</th>{cells}</tr>'


def _cell(value):
    if isinstance(value, float):
        value = "" if np.isnan(value) else f"{value:.3f}"
    return escape(str(value))
