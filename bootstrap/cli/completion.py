"""`bootstrap completion`."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    For bash: source <(bootstrap completion bash)
    """
    kind = get_completion_class(shell)
    root = ctx.find_root().command
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(root, {}, "bootstrap", "_BOOTSTRAP_COMPLETE").source())
