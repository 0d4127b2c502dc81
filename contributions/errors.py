"""Everything that the contribution protocol can refuse.

The tree::

    ContributionsError
    ├── Malformed              bytes or values outside the wire format or its bounds
    ├── SignatureRefused       a signature, its key or its header does not hold
    ├── ReportMismatch         a well-formed report that does not answer the task
    ├── MeasurementRefused     kilometres that cannot be encoded
    ├── NoiseRefused           noise that would not give the privacy promised
    ├── TrustModeNotServed     a trust mode that this version does not serve yet
    └── BudgetError            the privacy ledger says no
        ├── BudgetExceeded     a 52-week window would go over the resident's cap
        ├── AlreadyDecided     the task was already reserved, sent or refused
        └── LedgerViolation    a state change that the ledger does not know

Messages say what was expected, what was seen and what to do; none holds a resident's value.
"""


class ContributionsError(Exception):
    """Something in the contribution protocol was refused."""


class Malformed(ContributionsError):
    """Bytes or values lie outside the wire format or its bounds."""


class SignatureRefused(ContributionsError):
    """A signature, its key or its header does not hold."""


class ReportMismatch(ContributionsError):
    """A report is well formed but does not answer this task."""


class MeasurementRefused(ContributionsError):
    """The kilometres cannot be encoded: unknown label, negative or not finite."""


class NoiseRefused(ContributionsError):
    """The noise asked for would not give the privacy promised, or is undefined."""


class TrustModeNotServed(ContributionsError):
    """The task names a trust mode that this version does not serve yet."""


class BudgetError(ContributionsError):
    """The privacy ledger does not allow it."""


class BudgetExceeded(BudgetError):
    """A 52-week window would go over the resident's cap."""


class AlreadyDecided(BudgetError):
    """The ledger already holds this task: one decision per task, for good."""


class LedgerViolation(BudgetError):
    """A state change that the ledger does not know; what was sent stays spent."""
