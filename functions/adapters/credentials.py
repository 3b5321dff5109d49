"""Who it is that Google Cloud is asked as."""

from __future__ import annotations

from typing import Any


def account(credentials: Any) -> str:
    """Whom to grant a role: the service account by its address, or a person's own login."""
    address = getattr(credentials, "service_account_email", None)
    if address and address != "default":
        return f"the service account {address}"
    if address:
        return "the function's service account"
    return "your login (`gcloud auth application-default login`)"
