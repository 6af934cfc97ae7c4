"""What stands in the files: docstrings, and none of the calls that make results depend on chance."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from house_support import PACKAGE, calls, is_public, python_files, shown, tree

LINE = 128
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(module: ast.Module, name: str) -> list[tuple[str, Documented]]:
    """The module, its public classes with their public methods, and its public functions."""
    found: list[tuple[str, Documented]] = [(name, module)]
    for node in module.body:
        if isinstance(node, Documented) and not isinstance(node, ast.Module) and is_public(node.name):
            found.append((f"{name}: {node.name}", node))
            if isinstance(node, ast.ClassDef):
                methods = [part for part in node.body if isinstance(part, ast.FunctionDef) and is_public(part.name)]
                found += [(f"{name}: {node.name}.{part.name}", part) for part in methods]
    return found


def _undocumented(module: ast.Module, name: str) -> list[str]:
    """Public things whose docstring doesn't open with a line that is a sentence."""
    problems = []
    for label, node in _public(module, name):
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        if not first:
            problems.append(f"{label} has no docstring")
        elif not first.endswith((".", "?")) or len(first) > LINE:
            problems.append(f"{label}: `{first}` should be a sentence within the line")
    return problems


def test_everything_public_opens_with_a_sentence() -> None:
    problems = [problem for path in python_files(PACKAGE) for problem in _undocumented(tree(path), shown(path))]
    assert problems == []


@pytest.mark.parametrize(
    "text",
    ["x = 1", '"""No full stop"""', '"""Fine."""\ndef f(): ...', '"""Fine."""\nclass A:\n    """A\n    sentence."""',
     '"""Fine."""\nclass A:\n    """Fine."""\n    def f(self): ...'],
)  # fmt: skip
def test_missing_sentences_are_caught(text: str) -> None:
    assert len(_undocumented(ast.parse(text), "x.py")) == 1


def _chance(module: ast.Module) -> list[str]:
    """Calls that print, or that draw from state which other code shares."""
    shared = ("random.", "np.random.", "numpy.random.", "torch.manual_seed", "torch.rand", "torch.random.")
    bad = sorted(name for name in calls(module) if name == "print" or name.startswith(shared) or name.endswith(".default_rng"))
    imports = [ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Import | ast.ImportFrom)]
    return bad + [text for text in imports if "random" in text.replace("import ", "from ").split() or "from random" in text]


def test_nothing_prints_or_draws_by_chance() -> None:
    found = {shown(path): bad for path in python_files(PACKAGE) if (bad := _chance(tree(path)))}
    assert found == {}


@pytest.mark.parametrize(
    "text",
    ["print(1)", "import random", "from random import choice", "import numpy as np\nnp.random.rand(3)",
     "import numpy as np\nr = np.random.default_rng(0)", "from numpy import random", "import torch\ntorch.manual_seed(0)",
     "import torch\ntorch.rand(3)"],
)  # fmt: skip
def test_chance_is_caught(text: str) -> None:
    assert _chance(ast.parse(text))


def test_words_in_texts_are_not_calls() -> None:
    assert _chance(ast.parse('"""print(random.x)"""\nprinted = table.print\n# np.random.rand()')) == []


def _unsafe(module: ast.Module) -> list[str]:
    """What would let a file, a record or a dataset run code here."""
    words = ("eval", "exec", "os.system", "yaml.load", "yaml.unsafe_load", "pickle.load", "pickle.loads", "marshal.loads")
    shell = [ast.unparse(n) for n in ast.walk(module) if isinstance(n, ast.keyword) and n.arg in ("shell", "allow_pickle")]
    return sorted(calls(module) & set(words)) + [text for text in shell if text.endswith("True")]


def test_nothing_read_is_run() -> None:
    found = {shown(path): bad for path in python_files(PACKAGE) if (bad := _unsafe(tree(path)))}
    assert found == {}


@pytest.mark.parametrize(
    "text", ["eval('1')", "import yaml\nyaml.load(x)", "run(x, shell=True)", "np.load(x, allow_pickle=True)"]
)
def test_running_what_was_read_is_caught(text: str) -> None:
    assert _unsafe(ast.parse(text))


def _unfinished(path: Path) -> list[str]:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    return [f"{shown(path)}:{number}" for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
            if any(mark in line for mark in marks)]  # fmt: skip


def test_nothing_is_left_to_do(tmp_path: Path) -> None:
    assert [place for path in python_files(PACKAGE) for place in _unfinished(path)] == []
    (tmp_path / "a.py").write_text("x = 1  # TO" + "DO: more")
    assert _unfinished(tmp_path / "a.py") == ["a.py:1"]
