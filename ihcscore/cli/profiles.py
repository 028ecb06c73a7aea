"""``ihcscore profiles``: the markers that are known."""

from __future__ import annotations

from typing import Annotated

import typer

from ihcscore.cli.app import app


@app.command()
def profiles(
    marker: Annotated[
        str | None,
        typer.Argument(metavar="[MARKER]", help="Print this profile alone, as --profile reads it."),
    ] = None,
) -> None:
    """List the marker profiles with their values and sources, or print one as TOML."""
    from ihcscore.profiles import known_profiles, load_profile, profile_settings, profile_text

    if marker is not None:
        # As bytes: a file of it is UTF-8 whatever the terminal is.
        typer.echo(profile_text(marker).encode(), nl=False)
        return
    for name in known_profiles():
        profile = load_profile(name)
        typer.echo(f"{profile.name}: {profile.description} ({profile.chromogen}, {profile.compartment})")
        for setting in profile_settings(name):
            typer.echo(f"  {setting.key:<26} {setting.value:>6g} {setting.unit:<3} {setting.source}")
        typer.echo()
    typer.echo(
        "A profile of your own: ihcscore profiles CD3 > mine.toml, change it, give --profile mine.toml"
    )
