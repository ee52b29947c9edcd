"""`bootstrap completion`."""

import click

from bootstrap.resources import resource_directory


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    For bash and zsh: source <(bootstrap completion bash)

    For fish: bootstrap completion fish | source
    """
    script = resource_directory("templates") / "completion" / shell
    click.echo(script.read_text(encoding="utf-8"), nl=False)
