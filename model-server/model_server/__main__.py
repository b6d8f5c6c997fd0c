"""python -m model_server: read settings, take the home and the port, serve."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import socket
import sys
import time
from types import FrameType

from model_server.errors import StartError
from model_server.serving.model_files import check_models
from model_server.settings import Settings, parse_settings

# A supervisor waits 5 s before it kills.
GRACEFUL_SECONDS = 2


def main() -> int:
    try:
        settings = parse_settings(sys.argv[1:], os.environ)
        if settings.check:
            return check()
        # Before torch is imported: OpenMP reads this once.
        os.environ.setdefault("OMP_NUM_THREADS", str(settings.threads))
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        return serve(settings)
    except StartError as error:
        print(f"model server: {error}", file=sys.stderr)
        return 2


def check() -> int:
    """Imports what serving and training need, which also leaves bytecode behind for a quick first start."""
    begun = time.monotonic()
    import peft  # noqa: PLC0415
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415
    import trl  # noqa: PLC0415

    from model_server.training import train  # noqa: F401, PLC0415

    report = {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "peft": peft.__version__,
        "trl": trl.__version__,
        "cuda": torch.cuda.is_available(),
        "import_seconds": round(time.monotonic() - begun, 1),
    }
    print(json.dumps(report))
    return 0


def serve(settings: Settings) -> int:
    import uvicorn  # noqa: PLC0415

    from model_server.api.app import create_app  # noqa: PLC0415
    from model_server.start import build_services  # noqa: PLC0415

    check_models(settings.models)
    listener = listen(settings.host, settings.port)
    services = build_services(settings)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        create_app(services),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # uvicorn waits for open requests, so a decode must hear of the end first.
            services.engine.stopping.set()
            super().handle_exit(sig, frame)

    # uvicorn raises a caught signal once more after its shutdown; ours is a clean end by then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    print(f"model server on http://{settings.host}:{port} serving {', '.join(settings.models)}", flush=True)
    Server(config).run(sockets=[listener])
    services.database.close()
    services.home.release()
    # Threads that still compute must not hold up the end.
    os._exit(0)


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise StartError(
            f"port {port} on {host} is taken; stop what uses it or give another --port"
            if taken
            else f"cannot listen on {host}:{port}: {error.strerror or error}"
        ) from error
    return listener


if __name__ == "__main__":
    sys.exit(main())
