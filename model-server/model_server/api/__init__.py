"""HTTP: OpenAI's routes, thin over store, training and serving."""
