"""``python -m augbench.bench`` is ``bench``."""

from .cli import main

if __name__ == "__main__":
    main()
