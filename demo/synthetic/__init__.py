"""A synthetic week of positions, in four steps: motion, diary, receiver, files.

Nobody lived this week. `motion` moves a resident along invented polylines at plausible speeds,
`diary` says what the week is made of, `receiver` is the telephone that half hears it, `files`
writes what such telephones export. `demo/week.py` is the command.
"""
