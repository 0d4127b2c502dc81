"""Everything that the contribution protocol can refuse.

The tree::

    ContributionsError
    ├── Malformed              bytes or values outside the wire format or its bounds
    ├── SignatureRefused       a signature, its key or its header does not hold
    ├── ReportMismatch         a well-formed report that does not answer the task
    ├── MeasurementRefused     values, or units, that cannot be encoded
    ├── ProofRefused           shares that do not prove a measurement within its bounds
    ├── EnvelopeRefused        a sealed share that is not for this keeper, task and report
    ├── ReportSetMismatch      keepers that do not hold the same set of enough reports
    ├── TotalsRefused          aggregate shares that do not add up to a sum of these reports
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
    """A week cannot be encoded: unknown coordinate, negative, not finite or out of bounds."""


class ProofRefused(ContributionsError):
    """The shares of a report do not prove a measurement within its bounds: nothing is added."""


class EnvelopeRefused(ContributionsError):
    """A sealed share does not open for this keeper, task, report and public share."""


class ReportSetMismatch(ContributionsError):
    """The keepers do not hold the same set of reports, or one too small: combine nothing."""


class TotalsRefused(ContributionsError):
    """Aggregate shares do not add up to what a sum of these reports can be: publish nothing."""


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
