"""The suites that come with augbench, one TOML file each."""
