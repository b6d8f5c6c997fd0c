"""A small server that trains LoRA adapters and serves them, in OpenAI's dialect."""

__version__ = "0.1.0"
