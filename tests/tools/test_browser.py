"""Which page the browser's tests and the help's pictures are given, and their scripts' imports."""

import re
from pathlib import Path

import pytest

from tools.browser.page import page_options
from tools.hosts.checkout import ROOT

SCRIPTS = [path for folder in ("tests", "tools") for path in sorted((ROOT / folder).rglob("*.mjs"))]
ALONE = {"page.mjs", "seeds.mjs"}  # they import nothing

ASYNC = {  # functions of any script
    name
    for script in SCRIPTS
    for name in re.findall(r"async function (\w+)", script.read_text(encoding="utf-8"))
}


def test_the_hosts_own_page_is_taken_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYUI_FRONTEND_ROOT", raising=False)
    assert page_options() == ()


def test_a_named_folder_goes_to_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    monkeypatch.setenv("COMFYUI_FRONTEND_ROOT", str(tmp_path))
    assert page_options() == ("--front-end-root", str(tmp_path.resolve()))


def test_a_folder_without_a_page_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COMFYUI_FRONTEND_ROOT", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no index\.html.*static.*or unset it"):
        page_options()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_files_that_exist(script: Path) -> None:
    imported = re.findall(r'^import .* from "(\..*)";$', script.read_text(), re.MULTILINE)
    assert [name for name in imported if not (script.parent / name).is_file()] == []
    assert imported or script.name in ALONE


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_waits_for_an_async_function(script: Path) -> None:
    """`waitForFunction` takes the promise of one for its answer, and does not wait."""
    waited = re.findall(r"waitForFunction\(\s*(\w+)", script.read_text(encoding="utf-8"))
    assert not {"async", *ASYNC} & set(waited)
