"""How the code is written: functions that fit on a screen, and comments that say why."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = ("streamseg", "train", "export", "benchmarks")

LONGEST = 50  # lines of a function, its docstring left out: what fits on a screen
LEAST_COMMENTED = 0.03  # of the lines of code; admired code bases of the field have 3 to 12 %

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
_FOR_TOOLS = ("# noqa", "# type:", "# fmt:", "# pragma:", "#!")  # these say nothing to a reader


def python_files() -> list[Path]:
    """All Python files of the project but its tests."""
    return [path for package in PACKAGES for path in sorted((CHECKOUT / package).rglob("*.py"))]


def docstring_of(node: ast.AST) -> ast.Expr | None:
    """The docstring of a module, class or function; None where there is none."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return body[0]
    return None


def lines_of(node: ast.Expr | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a piece of code takes."""
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def long_functions(path: Path) -> Iterator[str]:
    """Each function of a file that is longer than LONGEST, with its place."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = docstring_of(node)
            length = lines_of(node) - (lines_of(docstring) if docstring else 0)
            if length > LONGEST:
                yield f"{path.relative_to(CHECKOUT)}:{node.lineno} {node.name}: {length} lines"


def counted(path: Path) -> tuple[int, int]:
    """(lines that carry a comment for a reader, lines of code) of a file; docstrings and bare strings are neither."""
    source = path.read_text(encoding="utf-8")
    told: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            assert node.end_lineno is not None
            told |= set(range(node.lineno, node.end_lineno + 1))
    commented: set[int] = set()
    code: set[int] = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            lines = range(token.start[0], token.end[0] + 1)
            if token.type == tokenize.COMMENT and not token.string.startswith(_FOR_TOOLS):
                commented |= set(lines)
            elif token.type not in _LAYOUT:
                code |= set(lines)
    return len(commented), len(code - told)


def test_no_function_is_longer_than_a_screen():
    """Fifty lines, its docstring left out."""
    found = [each for path in python_files() for each in long_functions(path)]
    assert not found, "\n".join(found)


def test_comments_say_why():
    """At least three of a hundred lines of code carry a comment, behind code or above it; the figures are printed."""
    figures = {path: counted(path) for path in python_files()}

    def share(package: str) -> float:
        inside = [figures[path] for path in figures if path.is_relative_to(CHECKOUT / package)]
        return sum(comments for comments, _ in inside) / sum(lines for _, lines in inside)

    whole = sum(comments for comments, _ in figures.values()) / sum(lines for _, lines in figures.values())
    print(f"lines with a comment: {whole:.2%}; " + ", ".join(f"{each} {share(each):.2%}" for each in PACKAGES))
    poorest = sorted(figures, key=lambda path: figures[path][0] - LEAST_COMMENTED * figures[path][1])[:20]
    assert whole >= LEAST_COMMENTED, f"{whole:.2%} of the lines carry a comment; most are missing in\n" + "\n".join(
        f"{path.relative_to(CHECKOUT)}: {figures[path][0]} of {figures[path][1]}" for path in poorest
    )
