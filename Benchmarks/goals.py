"""The goals of performance and the one table: from what the parts of a run measured to rows that end in `met` or `not met`.

Pure: nothing here runs a program or reads a clock. A part is what a benchmark printed as JSON, or `{"failed": reason}`.
"""

import math


class Figure:
    """One measured value as it is shown, and whether it meets its goal; what is only told beside meets anything."""

    def __init__(self, text, met=True):
        self.text, self.met = text, met


def at_least(value, goal, before, after="", digits=2):
    """Rounded down, so that a figure never looks met that is not."""
    return Figure(f"{before} {rounded(value, digits, math.floor)}{after}", math.isfinite(value) and value >= goal)


def at_most(value, goal, before, after="", digits=2):
    return Figure(f"{before} {rounded(value, digits, math.ceil)}{after}", math.isfinite(value) and value <= goal)


def rounded(value, digits, how):
    if not math.isfinite(value):
        return str(value)
    # What is exact but for the last bits of its binary form stays what it is.
    scaled = value * 10**digits
    nearest = round(scaled)
    whole = nearest if math.isclose(scaled, nearest, rel_tol=1e-12) else how(scaled)
    return f"{whole / 10**digits:,.{digits}f}"


class Row:
    """One goal: its number, what is measured, what is asked, and what was found."""

    def __init__(self, number, what, goal, figures):
        self.number, self.what, self.goal, self.figures = number, what, goal, figures

    @property
    def met(self):
        return bool(self.figures) and all(figure.met for figure in self.figures)

    @property
    def cells(self):
        figures = "; ".join(figure.text for figure in self.figures) or "nothing was measured"
        return [str(self.number), self.what, self.goal, figures, "met" if self.met else "not met"]


def gathered(parts, *sections):
    """The figures of all sections: each a part's name, and what makes figures of its result. A failed part has one, not met."""
    figures = []
    for name, make in sections:
        result = parts.get(name, {"failed": "it was not run"})
        if "failed" in result:
            figures.append(Figure(f"{name} failed: {result['failed']}", False))
            continue
        try:
            figures += make(result)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            figures.append(Figure(f"{name} gave no figure: {type(error).__name__} {error}", False))
    return figures


def table(rows):
    """Markdown that is also readable as it is."""
    cells = [["#", "what", "goal", "figure", ""]] + [row.cells for row in rows]
    cells = [[" ".join(cell.replace("|", "/").split()) for cell in line] for line in cells]
    head, *body = ["| " + " | ".join(line) + " |" for line in cells]
    return "\n".join([head, "|---|---|---|---|---|", *body]) + "\n"


def replaced(text, name, content):
    """`text` with `content` between the markers of `name`, and everything else as it was."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"there is not exactly one pair of markers {begin.strip()} and {end}")
    before, rest = text.split(begin)
    return before + begin + content.rstrip("\n") + "\n" + end + rest.split(end)[1]
