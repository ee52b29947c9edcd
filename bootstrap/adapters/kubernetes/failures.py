"""What can go wrong between a request and its answer; none of these leaves the adapter."""


class ApiFailureError(Exception):
    """A request that brought nothing usable; its text is evidence for the user."""


class UnansweredError(ApiFailureError):
    """The API server did not answer, or said that it cannot now: worth another try."""


class RefusedError(ApiFailureError):
    """An answer that trying again will not change: TLS, credentials, a proxy."""


class ForbiddenError(RefusedError):
    """The API server knows who asks and says no."""


class MissingError(RefusedError):
    """The API server has no such object."""


class ExistsError(RefusedError):
    """The API server already has an object of that name."""
