"""``python -m quantum_fabric`` is ``qfabric``."""

import sys

from quantum_fabric.cli import main

if __name__ == "__main__":
    sys.exit(main())
