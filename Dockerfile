# Spark, the jobs and what they need: `runtime` for docker-compose.yml's Spark services and jobs, `jupyter` for notebooks,
# `kubernetes` for the manifests of deploy/kubernetes.
# Exact releases; where you have pulled the base once, pin its digest as well: python:3.11.14-slim-bookworm@sha256:…
FROM python:3.11.14-slim-bookworm AS base
# procps: Spark's scripts call ps. bookworm carries Java 17, which Spark 4.2 and Kafka 4.2 run on. Java's package links
# its manual pages into a folder that slim images lack.
RUN mkdir -p /usr/share/man/man1 \
 && apt-get update \
 && apt-get install -y --no-install-recommends openjdk-17-jre-headless procps \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --create-home survey \
 # A new volume takes over owner and rights of the folder it is mounted on.
 && install -d -o survey -g survey /data/lake /data/out /data/store /app \
 && install -d -o survey -g survey -m 0700 /secrets
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /app

FROM base AS packages
RUN python -m venv /opt/venv
COPY requirements-build.lock requirements.lock ./
# Wheels only, each with its hash; pyspark alone comes as source and is built by what was installed before it.
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-build.lock \
 && pip install --no-cache-dir --require-hashes --only-binary :all: --no-binary pyspark --no-build-isolation \
      -r requirements.lock

FROM base AS runtime
COPY --from=packages /opt/venv /opt/venv
COPY --chown=survey:survey conf conf
COPY --chown=survey:survey jobs jobs
USER survey
# Fetched once, against the checksums in conf/jars.lock, and in the image from then on, with those for s3a://. Compose brings
# its own Kafka.
RUN python jobs/jars.py --store s3 && rm -rf var/jars/broker
CMD ["python", "jobs/stream.py", "--help"]

# For Kubernetes: Spark starts it with the word driver or executor (docs/kubernetes.md).
FROM runtime AS kubernetes
COPY --chown=survey:survey deploy deploy
# Its lakes are at s3a://: the connector, and the log store that keeps commits apart there.
RUN python jobs/jars.py --store s3 && rm -rf var/jars/broker
ENTRYPOINT ["python", "deploy/kubernetes/entrypoint.py"]

FROM packages AS jupyter-packages
COPY requirements-jupyter.lock ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: --no-binary pyspark --no-build-isolation \
      -r requirements-jupyter.lock

FROM runtime AS jupyter
COPY --from=jupyter-packages /opt/venv /opt/venv
COPY --chown=survey:survey notebooks notebooks
# The notebook finds the package as the jobs do: beside them.
ENV PYTHONPATH=/app/jobs
CMD ["jupyter", "lab"]
