"""What Prometheus reads at /metrics. One place for every name, unit and label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
_PREFIX = "flywheel_model_server"

REQUESTS = Counter(
    f"{_PREFIX}_http_requests", "HTTP requests answered.", ["method", "route", "status"], registry=REGISTRY
)
# Bounds from a nano model's answer on a CPU to a long one of a large model.
REQUEST_SECONDS = Histogram(
    f"{_PREFIX}_http_request_seconds",
    "Time until the whole answer was sent.",
    ["method", "route"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)
TOKENS = Counter(
    f"{_PREFIX}_tokens",
    "Tokens of chats and embeddings: prompt, cached (the part of prompt that was known already), completion.",
    ["base", "kind"],
    registry=REGISTRY,
)
BATCH_ROWS = Histogram(
    f"{_PREFIX}_batch_rows",
    "Chat requests decoded together.",
    buckets=(1, 2, 4, 8, 16, 32),
    registry=REGISTRY,
)
QUEUED_CHATS = Gauge(
    f"{_PREFIX}_queued_chats", "Chat requests that wait for the serving thread.", registry=REGISTRY
)
PREFIX_BYTES = Gauge(
    f"{_PREFIX}_prefix_cache_bytes", "Keys and values kept of earlier prompts.", registry=REGISTRY
)
MODELS_LOADED = Gauge(f"{_PREFIX}_base_models_loaded", "Base models in memory.", registry=REGISTRY)
ADAPTERS_SERVED = Gauge(f"{_PREFIX}_adapters_served", "Adapters that are listed.", registry=REGISTRY)
JOBS = Gauge(f"{_PREFIX}_jobs", "Fine-tuning jobs known, by status.", ["status"], registry=REGISTRY)
RESUMES = Counter(
    f"{_PREFIX}_job_resumes",
    "Times that a job went on after its process or the server died.",
    registry=REGISTRY,
)
ATTESTATIONS = Counter(
    f"{_PREFIX}_attestations",
    "Adapters checked against their recorded answers.",
    ["result"],
    registry=REGISTRY,
)
