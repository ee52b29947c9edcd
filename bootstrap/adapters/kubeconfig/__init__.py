"""Write kubeconfigs: the cluster's own, and our entries in the user's."""

from bootstrap.adapters.kubeconfig.user import check_user, merge_into_user, remove_from_user

__all__ = ["check_user", "merge_into_user", "remove_from_user"]
