# The training image: `linguacodus finetune` with CUDA, PyTorch and llama.cpp. Built from the repository's root:
#   docker build -f docker/trainer.Dockerfile -t linguacodus-trainer .
ARG CUDA=12.8.1-runtime-ubuntu24.04
FROM nvidia/cuda:${CUDA}

# A C compiler and Python's headers: Triton compiles its kernels when they are first used.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        gcc libc6-dev libgomp1 python3 python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

# PyTorch's wheels bring CUDA's libraries along; the layer stays while only our code changes.
ARG TORCH=torch==2.13.0
ENV PATH=/opt/linguacodus/bin:$PATH
RUN python3 -m venv /opt/linguacodus \
    && pip install --no-cache-dir "${TORCH}"

COPY . /src
RUN pip install --no-cache-dir "/src[train,local,track,kernels]" \
    && useradd --create-home --uid 10001 trainer \
    && install --directory --owner=trainer --group=trainer /data

USER trainer
WORKDIR /data
ENV LINGUACODUS_HOME=/data \
    HF_HOME=/data/huggingface \
    PYTHONUNBUFFERED=1
VOLUME /data

ENTRYPOINT ["linguacodus", "finetune"]
CMD ["--help"]
