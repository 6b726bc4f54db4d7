"""`linguacodus doctor` says what works, what does not and what mends it; nothing that is broken breaks it."""

import json
import sys
from importlib import metadata
from pathlib import Path

import httpx
import pytest
import typer
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner

from linguacodus_core.adapters import registry
from linguacodus_core.adapters.manifest import WEIGHTS
from linguacodus_core.cli import doctor as module
from linguacodus_core.cli.doctor import Finding, doctor, examine
from linguacodus_core.errors import LinguacodusError
from linguacodus_core.llm import models
from linguacodus_core.sandbox import bubblewrap, check, machine
from tests.adapter_files import registered

app = typer.Typer()
app.command()(doctor)


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(module, "CHECKS", {name: module.CHECKS[name] for name in names})


def fixed(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    monkeypatch.setattr(module, "CHECKS", {"fixed": lambda profile: iter(findings)})


def test_every_check_answers_on_this_machine() -> None:
    findings = list(examine("local"))
    assert {"Python", "core packages", "Prefect", "sandbox", "model", "endpoint", "prompts", "home"} <= {
        found.about for found in findings
    }
    for found in findings:
        assert found.verdict in ("ok", "warning", "problem")
        assert found.detail
        assert found.remedy or found.verdict == "ok", found
        assert not found.detail.startswith(("TypeError", "AttributeError", "KeyError", "ImportError")), found


def test_a_program_really_runs_in_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    if not check.available()[0].works:
        pytest.skip(check.available()[0].reason)
    only(monkeypatch, "sandbox")
    found = next(iter(examine("local")))
    assert found.verdict == "ok", found
    assert "a program ran" in found.detail
    assert "no network" in found.detail


def test_a_missing_sandbox_is_a_problem_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "sandbox")
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 1
    assert "problem" in result.output
    assert "apt-get install bubblewrap" in " ".join(result.output.split())


def test_warnings_alone_leave_the_exit_code_at_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed(
        monkeypatch,
        Finding("a", "ok", "fine"),
        Finding("b", "warning", "hm", 'pip install "linguacodus[local]"'),
    )
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 0
    assert 'pip install "linguacodus[local]"' in result.output
    assert "1 worth a look" in result.output


def test_a_check_that_breaks_is_a_problem_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(profile: str):  # type: ignore[no-untyped-def]
        yield Finding("before", "ok", "said before it broke")
        raise RuntimeError("no such luck")

    def refuses(profile: str):  # type: ignore[no-untyped-def]
        raise LinguacodusError("the cellar is wet", "dry it")
        yield

    def leaves(profile: str):  # type: ignore[no-untyped-def]
        sys.exit(1)
        yield

    checks = {"broken": breaks, "refusing": refuses, "leaving": leaves, "Python": module.CHECKS["Python"]}
    monkeypatch.setattr(module, "CHECKS", checks)
    result = CliRunner().invoke(app, ["--json"])
    assert result.exit_code == 1
    said = json.loads(result.output)
    assert said["ok"] is False
    assert [(found["about"], found["verdict"]) for found in said["findings"]] == [
        ("before", "ok"),
        ("broken", "problem"),
        ("refusing", "problem"),
        ("leaving", "problem"),
        ("Python", "ok"),
    ]
    assert said["findings"][1]["detail"] == "RuntimeError: no such luck"
    assert said["findings"][2]["remedy"] == "dry it"


def test_a_fastapi_that_prefect_does_not_work_with_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version
    monkeypatch.setattr(metadata, "requires", lambda name: ["fastapi>=0.139,<0.151", "absent-package>=2"])
    monkeypatch.setattr(metadata, "version", lambda name: "0.160.0" if name == "fastapi" else real(name))
    only(monkeypatch, "packages")
    fastapi, absent, *_ = examine("local")
    assert fastapi.verdict == "problem"
    assert "0.160.0" in fastapi.detail
    assert fastapi.remedy == 'pip install "fastapi<0.151,>=0.139"'
    assert "is missing" in absent.detail
    assert absent.remedy == 'pip install "absent-package>=2"'


def test_an_extra_that_is_missing_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda name: ['absent-package>=2; extra == "train"'])
    only(monkeypatch, "packages")
    train = next(found for found in examine("local") if found.about == "extra train")
    assert train.verdict == "ok"
    assert train.remedy == 'pip install "linguacodus[train]"'


def test_an_unknown_profile_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "models", "endpoint")
    findings = list(examine("locl"))
    assert findings[-1].verdict == "problem"
    assert "locl" in findings[-1].detail
    assert "local" in findings[-1].remedy


def test_a_missing_key_is_a_problem_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    only(monkeypatch, "endpoint")
    (found,) = examine("openai")
    assert found.verdict == "problem"
    assert "OPENAI_API_KEY" in found.detail


def test_a_model_that_is_not_here_comes_with_its_pull(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "models", "endpoint")
    warnings = [found for found in examine("local") if found.verdict == "warning"]
    assert "linguacodus models pull" in warnings[0].remedy
    assert warnings[-1].about == "endpoint"


def test_each_place_of_a_mixed_profile_has_its_line(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(tmp_path, "small-sft-0123abcd")
    registry.promote("small")
    only(monkeypatch, "models", "endpoint")
    findings = list(examine("tuned"))
    needed = [found for found in findings if found.about == "model" and found.verdict == "warning"]
    assert len(needed) == 2, "the profile's model, and the adapter's base"
    first, second = (found for found in findings if found.about == "endpoint")
    assert "(extractor, refiner, coder)" in first.detail
    assert "(instructor)" in second.detail


def test_the_profile_tuned_without_a_promoted_adapter_is_a_problem(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "endpoint", "adapters")
    first, second = examine("tuned")
    assert (first.verdict, second.verdict) == ("problem", "ok")
    assert "no adapter is promoted" in first.detail
    assert "linguacodus finetune" in first.remedy


def test_the_promoted_adapter_is_looked_at(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "adapters")
    adapter = registered(tmp_path, "small-sft-0123abcd")
    (found,) = examine("local")
    assert (found.verdict, found.remedy) == ("ok", "linguacodus adapters promote small-sft-0123abcd")
    registry.promote("small")
    (found,) = examine("local")
    assert (found.verdict, found.detail) == ("ok", "1, promoted: small-sft-0123abcd")
    (adapter.folder / WEIGHTS).write_bytes(b"flipped")
    (found,) = examine("local")
    assert found.verdict == "warning"
    assert "has changed" in found.detail
    adapter.folder.rename(tmp_path / "elsewhere")
    (found,) = examine("local")
    assert found.verdict == "warning", "the profile local runs all the same"
    assert "is gone" in found.detail


def test_a_damaged_model_is_a_problem(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.list_models()[0]
    only(monkeypatch, "models")
    file = models.folder() / f"{model.name}.gguf"
    file.parent.mkdir(parents=True)
    with file.open("wb") as stream:
        stream.write(b"GGUF")
        stream.truncate(model.bytes)
    (found,) = (found for found in examine("local") if model.name in found.detail)
    assert found.verdict == "problem"
    assert "SHA-256" in found.detail
    assert "linguacodus models pull" in found.remedy


def test_a_home_that_cannot_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LINGUACODUS_HOME", str(tmp_path / "file" / "home"))
    only(monkeypatch, "home")
    (found,) = examine("local")
    assert found.verdict == "problem"
    assert "export LINGUACODUS_HOME=" in found.remedy


@pytest.mark.parametrize(("free", "verdict"), [(50, "problem"), (500, "warning"), (50_000, "ok")])
def test_free_disk_is_judged(home: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str) -> None:
    monkeypatch.setattr(machine, "free_disk_mb", lambda path: free)
    only(monkeypatch, "home")
    assert next(iter(examine("local"))).verdict == verdict


def test_a_store_elsewhere_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LINGUACODUS_HOME", "memory://linguacodus-doctor")
    only(monkeypatch, "home")
    assert [found.about for found in examine("local") if found.verdict != "problem"] == ["home", "store"]


def test_a_prefect_server_that_is_down_is_a_problem(httpserver: HTTPServer) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    httpserver.expect_request("/api/health").respond_with_json(True)
    with temporary_settings({PREFECT_API_URL: httpserver.url_for("/api")}):
        assert [found.verdict for found in module._prefect("local")] == ["ok", "ok"]
    with temporary_settings({PREFECT_API_URL: httpserver.url_for("/elsewhere")}):
        *_, found = module._prefect("local")
    assert found.verdict == "problem"
    assert "prefect config unset PREFECT_API_URL" in found.remedy


def test_a_prefect_server_that_does_not_answer_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    def fails(*_: object, **__: object) -> None:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx, "get", fails)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        *_, found = module._prefect("local")
    assert found.verdict == "problem"
    assert "does not answer" in found.detail


def test_a_broken_prompt_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from linguacodus_core.errors import PromptError
    from linguacodus_core.llm import prompts

    def fails() -> None:
        raise PromptError("plan.md has no front matter", "add it")

    monkeypatch.setattr(prompts, "check_all", fails)
    only(monkeypatch, "prompts")
    assert list(examine("local")) == [Finding("prompts", "problem", "plan.md has no front matter", "add it")]


def test_importing_the_command_is_light() -> None:
    import subprocess

    code = "import sys, linguacodus_core.cli.doctor; print({'pandas', 'prefect', 'lightgbm', 'openai'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
