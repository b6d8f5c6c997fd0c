"""From a job row to an adapter folder: checked here, trained in a process of its own."""
