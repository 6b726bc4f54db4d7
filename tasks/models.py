"""Embedded models as a Prefect task."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from linguacodus_core.llm import fetch


@task(task_run_name="fetch {name}", cache_policy=NO_CACHE, persist_result=False)
def fetch_model(name: str) -> None:
    """Fetch the embedded model unless it is here: a run that no command line prepared needs it too."""
    fetch.fetch_model(name)
