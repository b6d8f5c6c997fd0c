# Trains and serves: on CUDA where the container is given a device, else on the CPU.
FROM python:3.11-slim-bookworm
RUN pip install --no-cache-dir uv==0.13.8
ENV UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/venv PYTHONUNBUFFERED=1 HF_HOME=/var/lib/model-server/huggingface
WORKDIR /app
COPY model-server/pyproject.toml model-server/uv.lock ./
RUN uv sync --locked --no-dev --no-install-project
COPY model-server .
RUN useradd --system --home /var/lib/model-server model-server \
  && install -d -o model-server -g model-server /var/lib/model-server
USER model-server
VOLUME /var/lib/model-server
EXPOSE 8090
ENTRYPOINT ["/opt/venv/bin/python", "-m", "model_server"]
CMD ["--host", "0.0.0.0", "--port", "8090", "--home", "/var/lib/model-server", "--managed"]
