"""A room gives its classes by name and loads only the one asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sslpipe.core.rooms import class_of, class_stem, stems

FILES = {
    "__init__.py": "from sslpipe.core.rooms import lazy_room\n__getattr__, __dir__ = lazy_room(__name__, __path__)\n",
    "min_hash.py": "from collections import OrderedDict\nclass MinHash: ...\nclass _Helper: ...\n",
    "exact.py": "class Exact: ...\n",
    "nameless.py": "from {room}.exact import Exact as Nameless\n",
    "_private.py": "class Private: ...\n",
}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = "room_under_test"
    (tmp_path / name).mkdir()
    for file, text in FILES.items():
        (tmp_path / name / file).write_text(text.replace("{room}", name))
    monkeypatch.syspath_prepend(tmp_path)
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    return name


@pytest.mark.parametrize(
    ("name", "stem"), [("GopherQuality", "gopherquality"), ("gopher_quality", "gopherquality"), ("MinHash", "minhash")]
)
def test_a_file_and_its_class_share_a_stem(name: str, stem: str) -> None:
    assert class_stem(name) == stem


def test_stems_are_public_and_sorted(room: str, tmp_path: Path) -> None:
    assert stems([str(tmp_path / room)]) == ["exact", "min_hash", "nameless"]


def test_classes_are_loaded_when_asked_for(room: str) -> None:
    package = __import__(room)
    assert not [module for module in sys.modules if module.startswith(f"{room}.")]
    assert package.MinHash.__name__ == "MinHash"
    assert [module for module in sys.modules if module.startswith(f"{room}.")] == [f"{room}.min_hash"]
    assert dir(package) == ["exact", "min_hash", "nameless"]


def test_the_registry_finds_the_same_class(room: str) -> None:
    assert class_of(room, "min_hash") is __import__(room).MinHash


def test_unknown_names_say_what_there_is(room: str) -> None:
    package = __import__(room)
    for name in ("Minhsh", "Private", "_private", "__wrapped__"):
        with pytest.raises(AttributeError) as caught:
            getattr(package, name)
        assert str(caught.value) == f"module '{room}' has no attribute {name!r}; it has exact, min_hash, nameless"
    assert not hasattr(package, "min_hash"), "a module is an attribute once it is imported, and not before"


def test_a_class_from_elsewhere_does_not_count(room: str) -> None:
    with pytest.raises(AttributeError, match=rf"^{room}/nameless\.py has no class named after it$"):
        class_of(room, "nameless")


def test_importing_a_module_works_as_ever(room: str) -> None:
    code = f"from {room} import min_hash; print(min_hash.MinHash.__module__)"
    folder = Path(__import__(room).__file__ or "").parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == f"{room}.min_hash\n"
