"""A tenant: one business."""

from dataclasses import dataclass
from datetime import datetime

from contracts.ids import TenantId


@dataclass(frozen=True, slots=True)
class Tenant:
    """A business as it is kept."""

    id: TenantId
    name: str
    industry: str
    created_at: datetime
