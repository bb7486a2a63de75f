"""What the tests of the runtime share: files of settings in few words."""

import sys
from pathlib import Path

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))
