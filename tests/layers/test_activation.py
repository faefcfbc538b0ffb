import pytest
import torch
from torch.nn import functional

from neocog.errors import UsageError
from neocog.layers import activation


@pytest.mark.parametrize(("name", "reference"), [("relu", functional.relu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh)])
def test_each_name_is_its_function(name, reference):
    values = torch.linspace(-3, 3, 13)
    assert torch.equal(activation(name)(values.clone()), reference(values))


def test_an_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(UsageError) as caught:
        activation("rellu")
    assert str(caught.value) == "expected: the name of an activation\nfound: 'rellu'\nto do: did you mean relu?"
