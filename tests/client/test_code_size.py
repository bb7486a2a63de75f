"""The guard is small enough to be read by whoever must trust it."""

import ast
import io
import tokenize
from pathlib import Path

import recon_streams.client

CODE_LINES_MAX = 300
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def code_lines(text: str) -> int:
    """Return on how many lines there is code: no blank, comment or docstring counts."""
    said: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                said |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _LAYOUT:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - said)


def test_the_whole_client_has_at_most_300_lines_of_code() -> None:
    place = Path(recon_streams.client.__file__).parent
    counts = {each.name: code_lines(each.read_text()) for each in sorted(place.rglob("*.py"))}
    assert sum(counts.values()) <= CODE_LINES_MAX, counts
