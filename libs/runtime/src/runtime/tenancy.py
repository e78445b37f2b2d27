"""TenantScope: whose data a piece of work may touch. Made from a verified token or from a message, nowhere else."""

from dataclasses import dataclass

from contracts import subjects
from contracts.ids import TenantId


@dataclass(frozen=True, slots=True)
class TenantScope:
    """One tenant, and who acts in it: `user:<id>`, `key:<id>`, `visitor:<id>` or `service:<name>`."""

    tenant_id: TenantId
    actor: str

    @classmethod
    def from_subject(cls, subject: str, service: str) -> "TenantScope":
        """The scope of a fact or job; its subject names the tenant.

        Raises:
            ValueError: the subject names none.
        """
        return cls(subjects.tenant_of(subject), f"service:{service}")
