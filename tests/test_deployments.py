"""What a team starts the fine-tune with: the deployment, and the training image."""

import importlib
import tomllib
from pathlib import Path
from typing import Any

import yaml

from linguacodus_core.training.config import load_config
from linguacodus_core.training.request import FinetuneRequest

ROOT = Path(__file__).parents[1]


def deployments() -> list[dict[str, Any]]:
    return list(yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"])


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_deployment_names_a_flow_and_parameters_that_it_takes() -> None:
    for deployment in deployments():
        module, _, name = deployment["entrypoint"].rpartition(".")
        flow = getattr(importlib.import_module(module), name)
        flow.validate_parameters(deployment["parameters"])


def test_the_fine_tune_runs_in_the_pool_gpu_one_at_a_time() -> None:
    (finetune,) = [found for found in deployments() if found["entrypoint"] == "flows.finetune.finetune"]
    assert finetune["name"] == "gpu"
    assert finetune["work_pool"] == {"name": "gpu", "work_queue_name": "train"}
    assert finetune["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    load_config(FinetuneRequest.model_validate(finetune["parameters"]["request"]).config)


def test_the_training_image_gets_every_package_and_ends_unprivileged() -> None:
    kept = (ROOT / "docker/trainer.Dockerfile.dockerignore").read_text().split()
    built = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert kept[0] == "*"
    assert {f"!{name}" for name in (*built, "pyproject.toml", project()["project"]["readme"])} <= set(kept)
    lines = (ROOT / "docker/trainer.Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in ("root", "0")
    assert 'ENTRYPOINT ["linguacodus", "finetune"]' in lines


def test_the_training_image_installs_extras_that_there_are() -> None:
    text = (ROOT / "docker/trainer.Dockerfile").read_text()
    extras = text.partition("/src[")[2].partition("]")[0].split(",")
    assert "train" in extras
    assert set(extras) <= project()["project"]["optional-dependencies"].keys()
