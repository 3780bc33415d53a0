"""The map's script: its modules are linked as written, and its types are those of Python."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.project import ROOT, in_project
from quart_heure.outputs.assets import asset
from quart_heure.outputs.map import script
from quart_heure.outputs.map.data import json_in_html

FOLDER = Path(script.__file__).with_name("script")


def linked(monkeypatch: pytest.MonkeyPatch, **modules: str) -> str:
    """Link a few modules as those of the page are."""
    monkeypatch.setattr(script, "asset", lambda name: modules[Path(name).stem])
    return script.page_script.__wrapped__()


def test_modules_come_after_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    text = linked(
        monkeypatch,
        map='import { a } from "./one.js";\nimport { b } from "./two.js";\na(b);\n',
        one='import { b } from "./two.js";\nexport function a() { return b; }\n',
        two="/** @type {number} */\nexport const b = 2; /** for readers */\n",
    )
    assert "@type" not in text
    assert "for readers" in text
    assert "import" not in text
    assert "export" not in text
    assert [text.index(f"const {name}_js") for name in ("two", "one", "map")] == sorted(
        text.index(f"const {name}_js") for name in ("two", "one", "map")
    )
    assert "const { a } = one_js;" in text
    assert "return { a };" in text
    assert text.count("const two_js") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "export default 3;",
        "export { a };",
        'import a from "./one.js";',
        'import * as one from "./one.js";',
        "export let a = 1;",
    ],
)
def test_other_forms_of_import_and_export_are_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    with pytest.raises(ValueError, match=r"map\.js imports or exports in a form"):
        linked(monkeypatch, map=wrong + "\n", one="")


def test_modules_that_need_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="map → one → map"):
        linked(
            monkeypatch,
            map='import { a } from "./one.js";\n',
            one='import { b } from "./map.js";\n',
        )


def test_what_is_imported_is_exported_and_every_module_is_used() -> None:
    names = {file.stem for file in FOLDER.glob("*.js")}
    used = {"map"}
    for name in names:
        for imported, module in script._IMPORT.findall(asset(f"map/script/{name}.js")):
            exported = script._EXPORT.findall(asset(f"map/script/{module}.js"))
            assert set(re.findall(r"\w+", imported)) <= set(exported), (name, module)
            used.add(module)
    assert names - used == {"types"}, "types are for the checker alone"


def test_what_is_at_its_default_takes_no_room() -> None:
    @dataclasses.dataclass(frozen=True)
    class Record:
        size: int
        name: str = ""
        of: Record | None = None

    assert json_in_html(Record(0)) == '{"size":0}'
    assert (
        json_in_html([Record(1, "", Record(0, "a"))]) == '[{"size":1,"of":{"size":0,"name":"a"}}]'
    )


@in_project
def test_the_types_of_the_script_are_those_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import write_map_types  # noqa: PLC0415 - scripts are no package

    written = write_map_types.TYPES.read_text(encoding="utf-8")
    assert written == write_map_types.script_types(), "run scripts/write_map_types.py"


def check_scripts(path: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / "scripts" / "check_map_scripts")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": path, "HOME": str(tmp_path)},
    )


@in_project
def test_checking_the_scripts_without_node_is_skipped_with_the_reason(tmp_path: Path) -> None:
    for tool in ("bash", "dirname"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    done = check_scripts(str(tmp_path), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "skipped: no Node.js" in done.stderr


@in_project
@pytest.mark.skipif(
    shutil.which("node") is None
    or not (ROOT / "scripts" / "map_scripts" / "node_modules").is_dir(),
    reason="no Node.js with the packages of scripts/map_scripts",
)
def test_types_and_habits_of_the_scripts_are_right(tmp_path: Path) -> None:
    done = check_scripts(os.environ["PATH"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
