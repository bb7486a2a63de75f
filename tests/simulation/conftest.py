"""Puts the modules of this folder within reach of its tests, which are not a package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
