"""Badges of the README, which say what setup.cfg says: python doc/badges.py"""

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[1]
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" \
aria-label="{name}: {value}">
<title>{name}: {value}</title>
<rect rx="3" width="{width}" height="20" fill="#555"/>
<rect rx="3" x="{left}" width="{right}" height="20" fill="#2f6fb0"/>
<rect x="{left}" width="4" height="20" fill="#2f6fb0"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,sans-serif" \
font-size="11">
<text x="{name_at}" y="14">{name}</text>
<text x="{value_at}" y="14">{value}</text>
</g>
</svg>
"""


def badge(name, value):
    """A badge as SVG; letters are taken to be 7 pixels wide."""
    left, right = 10 + 7 * len(name), 12 + 7 * len(value)
    places = {"name_at": left / 2, "value_at": left + right / 2}
    width = left + right
    return SVG.format(
        name=name, value=value, left=left, right=right, width=width, **places
    )


def badges():
    """Text of each badge's file, by its path."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    needed = config["options"]["python_requires"].removeprefix(">=")
    said = {
        "license": config["metadata"]["license"],
        "python": f"{needed} or newer",
        "tests": "scikit-learn's estimator checks",
    }
    folder = ROOT / "doc" / "_static"
    return {
        folder / f"badge_{name}.svg": badge(name, value) for name, value in said.items()
    }


if __name__ == "__main__":
    for path, text in badges().items():
        path.write_text(text)
