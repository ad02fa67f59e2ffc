"""`python -m streamseg`, for where the command is not on the PATH."""

import sys

from streamseg.cli import main

sys.exit(main())
