"""The server's state: SQLite rows, and folders that are renamed into place whole."""
