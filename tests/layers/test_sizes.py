import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from neocog.errors import UsageError
from neocog.layers import output_size, transposed_output_size

pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(max_examples=80, deadline=None)
@given(st.tuples(st.integers(1, 12), st.integers(1, 12)), pairs, pairs, st.tuples(st.integers(0, 2), st.integers(0, 2)), pairs)
def test_sizes_are_torchs(size, kernel, stride, padding, dilation):
    try:
        found = output_size(size, kernel, stride, padding, dilation)
    except UsageError:
        with pytest.raises(RuntimeError, match="greater than"):
            functional.conv2d(torch.zeros(1, 1, *size), torch.zeros(1, 1, *kernel), None, stride, padding, dilation)
        return
    assert found == functional.conv2d(torch.zeros(1, 1, *size), torch.zeros(1, 1, *kernel), None, stride, padding, dilation).shape[2:]


@settings(max_examples=80, deadline=None)
@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), pairs, pairs, st.integers(0, 2), pairs, st.integers(0, 2))
def test_transposed_sizes_are_torchs_and_undo_the_others(size, kernel, stride, padding, dilation, extra):
    assume(extra < min(stride))
    try:
        found = transposed_output_size(size, kernel, stride, padding, dilation, extra)
    except UsageError:
        return
    kernels = torch.zeros(1, 1, *kernel)
    theirs = functional.conv_transpose2d(torch.zeros(1, 1, *size), kernels, None, stride, padding, extra, 1, dilation)
    assert found == theirs.shape[2:]
    assert output_size(found, kernel, stride, padding, dilation) == size


def test_one_number_stands_for_both_sides():
    assert output_size(227, 11, 4) == 55
    assert output_size((227, 224), 11, 4) == (55, 54)
    assert output_size(32, 5) == 28
    assert output_size(32, 3, dilation=2, padding=2) == 32
    assert transposed_output_size(55, 11, 4) == 227
    assert transposed_output_size((7, 8), 4, 2, 1) == (14, 16)


def refusal(*arguments, **choices):
    with pytest.raises(UsageError) as caught:
        output_size(*arguments, strict=True, **choices)
    return str(caught.value)


def test_a_strict_refusal_says_the_arithmetic_and_what_fits():
    assert refusal(7, 3, 3) == (
        "expected: a filter of 3x3 with stride 3 that fits 7x7\nfound: (7 - 3)/3 + 1 = 2.33\nto do: pad by 1 or use stride 1 or 2"
    )
    assert refusal(6, 3, 4, 1) == (
        "expected: a filter of 3x3 with stride 4 and padding 1 that fits 6x6\n"
        "found: (6 + 2*1 - 3)/4 + 1 = 2.25\n"
        "to do: use stride 1 or images of 5x5 or 9x9"
    )
    assert refusal((10, 7), 3, (2, 3), dilation=2) == (
        "expected: a filter of 3x3, which with dilation 2 spans 5x5, with stride 2x3 that fits 10x7\n"
        "found: (10 - 5)/2 + 1 = 3.50 and (7 - 5)/3 + 1 = 1.67\n"
        "to do: use stride 1 or images of 9x5 or 11x8"
    )


def test_where_no_padding_fits_the_nearest_sizes_do():
    assert refusal(224, 11, 4).endswith("found: (224 - 11)/4 + 1 = 54.25\nto do: use stride 1 or 3 or images of 223x223 or 227x227")


@settings(max_examples=100, deadline=None)
@given(st.integers(3, 40), st.integers(1, 9), st.integers(1, 6), st.integers(0, 3), st.integers(1, 2))
def test_what_a_refusal_proposes_fits(size, kernel, stride, padding, dilation):
    assume(size + 2 * padding >= dilation * (kernel - 1) + 1)
    try:
        output_size(size, kernel, stride, padding, dilation, strict=True)
        return
    except UsageError as error:
        remedy = error.remedy
    for words, argument in (("pad by ", "padding"), ("stride ", "stride"), ("images of ", "size")):
        given_ = {"size": size, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        if words in remedy:
            listed = remedy.split(words)[1].split(" or use")[0].split(" or images")[0]
            for choice in listed.replace(" or ", ", ").split(", "):
                output_size(**given_ | {argument: int(choice.split("x")[0])}, strict=True)
    assert "stride 1" in remedy


def test_a_filter_larger_than_the_image_is_refused_always():
    with pytest.raises(UsageError) as caught:
        output_size(7, 11, 4)
    assert str(caught.value) == "expected: a filter of 11x11 no larger than the image\nfound: 7x7\nto do: pad by 2 or use a smaller filter"
    with pytest.raises(UsageError, match="found: 3x3 padded by 1\nto do: pad by 4 or use"):
        output_size(3, 6, 1, 1, dilation=2)
    assert output_size(3, 6, 1, 4, dilation=2) == 1


def test_numbers_out_of_range_are_refused():
    with pytest.raises(UsageError) as caught:
        output_size(7, 3, 0, 1)
    assert str(caught.value) == (
        "expected: size, kernel, stride and dilation of at least 1, padding of at least 0\n"
        "found: size 7x7, kernel 3x3, stride 0, padding 1, dilation 1\nto do: correct the number"
    )
    with pytest.raises(
        UsageError, match="expected: an output padding from 0 to below the stride\nfound: 2 with stride 2\nto do: make it sm"
    ):
        transposed_output_size(4, 3, 2, output_padding=2)
    with pytest.raises(UsageError, match=r"expected: a padding that leaves .*\nfound: -1x-1 with padding 2\nto do: pad less"):
        transposed_output_size(1, 3, padding=2)
