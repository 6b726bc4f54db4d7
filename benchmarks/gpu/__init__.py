"""The benchmark of fine-tuning on a CUDA card; `run.py` is the command."""
