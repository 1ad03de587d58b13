"""Threads that decode into the same type for the first time do not end the process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import myogestic_tui

PACKAGE = Path(myogestic_tui.__file__).parent
PLAIN = {"str", "int", "float", "bool", "bytes"}

RACE = """
from __future__ import annotations
import sys, threading, types
import msgspec
from myogestic_tui.msgspec_types import prepared

sys.setswitchinterval(1e-6)
FIELDS = "".join(f"    f{i}: dict[str, list[Inner]] | None = None\\n" for i in range(12))
SOURCE = f'''
from __future__ import annotations
import msgspec
class Inner(msgspec.Struct):
    x: int = 0
class Outer(msgspec.Struct):
{FIELDS}'''

for number in range(100):
    module = sys.modules[f"made{number}"] = types.ModuleType(f"made{number}")
    exec(SOURCE, module.__dict__)
    together = threading.Barrier(4)

    def decode():
        together.wait()
        assert msgspec.convert({"f3": {"a": [{"x": 1}]}}, prepared(module.Outer)).f3["a"][0].x == 1

    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_four_threads_decode_into_a_new_type_at_the_same_time():
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def decoded_types(tree: ast.AST) -> list[ast.expr]:
    """What is decoded into, wherever msgspec is called."""
    found = []
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "msgspec"]
    imported = {one.name for node in imports for one in node.names}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func)
        if name == "msgspec.convert" or (name == "convert" and "convert" in imported):
            found += call.args[1:2]
        elif name in ("msgspec.json.Decoder", "msgspec.msgpack.Decoder"):
            found += call.args[:1]
        found += [one.value for one in call.keywords if one.arg == "type" and name.endswith(".decode")]
    return found


def is_safe(kind: ast.expr) -> bool:
    names = {node.id for node in ast.walk(kind) if isinstance(node, ast.Name)}
    return ast.unparse(kind).startswith("prepared(") or names <= {"list", "dict", *PLAIN}


def test_every_type_that_is_decoded_into_is_prepared_first():
    unsafe = []
    for path in sorted(PACKAGE.rglob("*.py")):
        kinds = decoded_types(ast.parse(path.read_text())) if path.name != "msgspec_types.py" else []
        unsafe += [f"{path.relative_to(PACKAGE)}: {ast.unparse(kind)}" for kind in kinds if not is_safe(kind)]
    assert unsafe == []
