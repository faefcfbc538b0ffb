import neocog.layers
import neocog.models


def test_public_names_are_deliberate():
    assert set(neocog.models.__all__) == {
        "MODELS",
        "Description",
        "Entry",
        "ImageNetClass",
        "LayerRow",
        "Learner",
        "ModelSpec",
        "Network",
        "PublishedWeights",
        "StageInfo",
        "StageRow",
        "StateFile",
        "Trait",
        "WeightsReport",
        "activation_bytes",
        "adapt_input",
        "adapt_preprocess",
        "all_published_weights",
        "create_model",
        "describe",
        "fold",
        "folded_norms",
        "imagenet_classes",
        "load_weights",
        "open_weights",
        "published_weights",
        "read_state",
        "saved_for_backward",
        "write_weights",
    }
    for package in (neocog.layers, neocog.models):
        assert all(hasattr(package, name) for name in package.__all__)
        assert package.__all__ == sorted(package.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
