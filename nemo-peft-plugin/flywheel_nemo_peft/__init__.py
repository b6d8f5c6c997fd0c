"""LoRA customization jobs for NeMo Platform: accepted and shown by the platform, trained by the model server."""
