# Two images: `dataset` draws neurons (no torch), `train` trains, embeds and evaluates. Both run the workflow, too.
#   docker build --target dataset -t axonet:dataset .
#   docker build --target train -t axonet:train .
# PIP_FLAGS goes to pip, for example to take the CPU build of torch from another index.
ARG BASE=python:3.11-slim

# What runs: Python, headless OpenGL (libfontconfig1 is for vispy), an ordinary user.
FROM ${BASE} AS runtime
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      libegl1 libgl1 libgl1-mesa-dri libfontconfig1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 axonet
# A graphics card draws only where the driver's graphics libraries are let in.
ENV PATH=/opt/venv/bin:$PATH \
    NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility \
    PYTHONDONTWRITEBYTECODE=1

# What installs: pip, its caches and the sources stay behind here.
FROM ${BASE} AS install
ARG PIP_FLAGS=""
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /source
COPY constraints constraints
COPY pyproject.toml README.md LICENSE Snakefile config.yaml ./
COPY src src
COPY workflow workflow
COPY configs configs
COPY profiles profiles
COPY envs envs
COPY data data

FROM install AS install-dataset
RUN pip install ${PIP_FLAGS} --quiet --no-cache-dir --disable-pip-version-check -c constraints/py311.txt '.[gl,cloud]'

FROM install-dataset AS install-train
RUN pip install ${PIP_FLAGS} --quiet --no-cache-dir --disable-pip-version-check -c constraints/py311.txt \
      '.[all]'

FROM runtime AS dataset
COPY --from=install-dataset /opt/venv /opt/venv
USER axonet
WORKDIR /work
CMD ["axonet", "--help"]

FROM runtime AS train
COPY --from=install-train /opt/venv /opt/venv
USER axonet
WORKDIR /work
CMD ["axonet", "--help"]
