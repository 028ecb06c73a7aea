import shutil
from dataclasses import replace

import pytest

from ihcscore import weights
from ihcscore.cells import finder_of
from ihcscore.errors import ProfileError
from ihcscore.profiles import load_profile, models_folder
from ihcscore.weights import load_cell_model, load_network_model, weights_sha256


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A copy of the models that a test may spoil."""
    copy = tmp_path / "models"
    shutil.copytree(models_folder(), copy, ignore=shutil.ignore_patterns("train"))
    monkeypatch.setattr(weights, "models_folder", lambda: copy)
    for loaded in (load_cell_model, load_network_model):
        loaded.cache_clear()
    yield copy / "counters"
    for loaded in (load_cell_model, load_network_model):
        loaded.cache_clear()


def test_weights_match_their_manifest():
    assert load_cell_model("membrane").weights["covered_full"] > 0
    assert list(load_cell_model("nucleus").weights) == ["covered_half", "nucleus"]
    model = load_network_model()
    assert weights_sha256([model.name]) == {model.name: model.sha256}
    assert set(model.cuts) == {"membrane", "nucleus", "negative", "pigment"}
    assert all(0 < cut < 1 for cut in model.cuts.values())
    # A higher peak is a surer cell.
    assert all(slope > 0 for _, slope in model.calibration.values())


def test_unknown_weights_are_an_error():
    with pytest.raises(ProfileError, match=r"cells_cilium.toml"):
        load_cell_model("cilium")


@pytest.mark.parametrize("marker", ["CD3", "KI67"])
@pytest.mark.parametrize("finder", ["network", "classical"])
@pytest.mark.parametrize("fault", ["missing", "cut", "altered", "without a manifest", "without cuts"])
def test_spoilt_weights_are_one_line(models, marker, finder, fault):
    profile = replace(load_profile(marker), finder=finder)
    name = "network.onnx" if finder == "network" else f"cells_{profile.compartment}.toml"
    file = models / name
    content = file.read_bytes()
    if fault == "missing":
        file.unlink()
    elif fault == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif fault == "altered":
        file.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    elif fault == "without a manifest":
        (models / "manifest.toml").unlink()
    else:
        entry = file.name.partition(".")[0]
        text = (models / "manifest.toml").read_text(encoding="utf-8")
        (models / "manifest.toml").write_text(text.replace(f"[{entry}", "[another"), encoding="utf-8")
    with pytest.raises(ProfileError) as refused:
        finder_of(profile).weights  # noqa: B018
    said = str(refused.value)
    assert said.startswith(name)
    assert said.endswith("install ihcscore again")
    assert "\n" not in said
