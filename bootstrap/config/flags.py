"""The options of the command line that a user has chosen."""

from bootstrap.config.profiles import GOVERNED, PROFILE


class Flags:
    """The options that were used, by their names in Python; None stands for not used."""

    def __init__(self, **values: str | int | None) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def chosen_facts(self) -> frozenset[str]:
        """List what the options set, by the names of facts where there are any.

        A profile sets what it governs.
        """
        from bootstrap.config.options import OPTIONS  # noqa: PLC0415 - the table takes time to load

        used = {*self.values, *(GOVERNED if PROFILE in self.values else ())}
        options = (option for option in OPTIONS if option.name in used)
        return frozenset(option.fact or option.name for option in options)
