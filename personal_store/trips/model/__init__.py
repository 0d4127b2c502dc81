"""The mode model: a small file of decision trees and what reads it. `CARD.md` says what it is
worth.
"""
