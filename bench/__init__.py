"""From a suite to a filled store."""
