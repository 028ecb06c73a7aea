"""``ihcscore profiles``: the markers that are known."""

from __future__ import annotations

import typer

from ihcscore.cli.app import app


@app.command()
def profiles() -> None:
    """List the marker profiles with their values and sources."""
    from ihcscore.profiles import known_profiles, load_profile, profile_settings

    for name in known_profiles():
        profile = load_profile(name)
        typer.echo(f"{profile.name}: {profile.description} ({profile.chromogen}, {profile.compartment})")
        for setting in profile_settings(name):
            typer.echo(f"  {setting.key:<26} {setting.value:>6g} {setting.unit:<3} {setting.source}")
        typer.echo()
