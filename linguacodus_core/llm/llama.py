"""The child process that serves one model file, and an adapter on it, with llama.cpp on loopback.

`server.serve` starts it.

It prints `ready <address>` once it serves, and ends when its standard input ends or its parent
dies, however that died (kill -9 included).
"""

import argparse
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until standard input ends. Exit status 3: llama.cpp could not load the model."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model")
    arguments.add_argument("--parent", type=int, required=True, help="process id to die with")
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--alias", default="")
    arguments.add_argument("--lora", default="", help="an adapter's GGUF file")
    arguments.add_argument("--context", type=int, default=8192, help="tokens a slot")
    arguments.add_argument("--slots", type=int, default=1)
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != given.parent:  # it died before the line above
        sys.exit("the parent process is gone")

    import xllamacpp

    try:
        server = xllamacpp.Server(parameters(given))
    except Exception as error:
        print(f"llama.cpp cannot serve {given.model}: {error}", file=sys.stderr, flush=True)
        os._exit(3)
    print(f"ready {server.listening_address}", flush=True)
    os.dup2(2, 1)  # whatever else is printed goes to the log
    while os.read(0, 4096):
        pass
    os._exit(0)  # a reply under way has nobody left to read it


def parameters(given: argparse.Namespace) -> object:
    """llama.cpp's settings: loopback only, no web page, the prompts' common prefix kept between calls."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = given.model
    settings.model_alias = {given.alias} if given.alias else set()
    settings.n_parallel = given.slots
    settings.n_ctx = given.context * given.slots  # llama.cpp shares it among the slots
    settings.cpuparams.n_threads = given.threads
    settings.cpuparams_batch.n_threads = given.threads
    settings.hostnames = ["127.0.0.1"]
    settings.port = given.port
    settings.ui = False
    settings.cors_origins = "http://127.0.0.1"
    settings.verbosity = 1
    if given.lora:
        adapter = xllamacpp.CommonAdapterLoraInfo()
        adapter.path, adapter.scale = given.lora, 1.0
        settings.lora_adapters = [adapter]
    settings.cache_prompt = True
    settings.cache_ram_mib = 1024  # prefixes of other prompts, kept beside the slot's own
    return settings


if __name__ == "__main__":
    main()
