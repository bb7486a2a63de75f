"""What the tests of the registry share stands in modules beside them."""

import sys
from pathlib import Path

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))
