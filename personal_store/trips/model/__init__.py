"""The mode model: a small file of decision trees and what reads it. `CARD.md` says what it is
worth.
"""

from typing import Final

MODEL_FILE: Final = "mode-trees.json"
