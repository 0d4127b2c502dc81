"""Trust mode `two-keepers`: what each keeper does alone, and what they do together.

Reading order: `cards` (who the two are), `cosigning` (both sign a task), `reading` (what the second
operator is shown first), `intake` (sealed reports), `checking` (shares into verifier shares, on an
executor), `aggregation` (the leader's jobs) and `answers` (the helper's), `collection` (noise,
once), `publication` (figures). Both keepers run this same program on their own machines; what is
said between them is in `contributions.keeper_messages`.
"""
