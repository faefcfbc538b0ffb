import neocog.layers
import neocog.models


def test_public_names_are_deliberate():
    assert set(neocog.models.__all__) == {
        "MODELS",
        "Description",
        "Entry",
        "ImageNetClass",
        "Learner",
        "ModelSpec",
        "Network",
        "StageInfo",
        "StageRow",
        "StateFile",
        "Trait",
        "WeightsReport",
        "adapt_input",
        "adapt_preprocess",
        "create_model",
        "describe",
        "folded_norms",
        "imagenet_classes",
        "load_weights",
        "read_state",
        "write_weights",
    }
    for package in (neocog.layers, neocog.models):
        assert all(hasattr(package, name) for name in package.__all__)
        assert package.__all__ == sorted(package.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
