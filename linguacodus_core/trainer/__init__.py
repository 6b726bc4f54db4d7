"""The training itself, in a process of its own: `python -m linguacodus_core.trainer STAGE JOB_FOLDER`.

torch and what is built on it are imported here and nowhere else in the project. `training.launch` starts
the process and reads what it reports (`<job>/<stage>/events.jsonl`).
"""
