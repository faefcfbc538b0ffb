"""Files of pictures, decoded: what they are is told by their first bytes."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import UInt16
from numpy.typing import NDArray
from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, PpmImagePlugin, TiffImagePlugin, WebPImagePlugin
from torch import Tensor

from neocog.errors import PictureError
from neocog.images.picture import PIXELS_AT_ONCE, Picture, Size, luma, to_depth

__all__ = ["EXIF_ORIENTATION", "SUFFIXES", "Channels", "Colours", "Facts", "decode", "decode_mask", "inspect", "open_image", "read"]

Colours = Mapping[tuple[int, int, int], int]  # red, green, blue -> class index
Channels = Literal["rgb", "grey", "native"]
MAX_PIXELS = 200_000_000

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"})
EXIF_ORIENTATION = 0x0112
SWAPS_SIDES = (5, 6, 7, 8)
NUMBERS = ("1", "L", "P", "I;16", "I;16B", "I")  # modes whose pixels are one number each
PNG_COLOURS = (2, 6)  # colour types with red, green and blue in each pixel

# What a file is follows from its first bytes, never from its name. Only formats whose decoders run no
# foreign code are here; Pillow's own list would also start Ghostscript.
Opener = Callable[[io.BytesIO], Any]
FORMATS: tuple[tuple[str, Callable[[bytes], bool], Opener], ...] = (
    ("JPEG", lambda head: head[:3] == b"\xff\xd8\xff", JpegImagePlugin.jpeg_factory),
    ("PNG", lambda head: head[:8] == b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    ("GIF", lambda head: head[:6] in (b"GIF87a", b"GIF89a"), GifImagePlugin.GifImageFile),
    ("BMP", lambda head: head[:2] == b"BM", BmpImagePlugin.BmpImageFile),
    ("TIFF", lambda head: head[:4] in (b"II*\0", b"MM\0*"), TiffImagePlugin.TiffImageFile),
    ("WebP", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", WebPImagePlugin.WebPImageFile),
    ("PNM", lambda head: head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace(), PpmImagePlugin.PpmImageFile),
)


@dataclass(frozen=True)
class Facts:
    """What a picture's file says of itself before its pixels are decoded.

    Attributes:
        kind: the format by the file's first bytes ("JPEG").
        height, width: of the upright picture, in pixels.
        channels: 1 for grey, 3 for all others.
        depth: bits per channel, 8 or 16.
        cmyk: whether the file holds printing inks.
        animated: whether there is more than one frame.
        orientation: the EXIF orientation, 1 to 8; 1 is upright.
        bits: how many of its bits the largest number of a 16-bit picture fills; None before it is decoded.
    """

    kind: str
    height: int
    width: int
    channels: int
    depth: int
    cmyk: bool
    animated: bool
    orientation: int
    bits: int | None = None


def decode(
    data: bytes,
    *,
    channels: Channels = "rgb",
    depth: Literal[8, 16] = 8,
    at_least: Size | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Picture:
    """Decode one picture file and turn it upright by its EXIF orientation.

    Of an animation the first frame is taken; transparency is laid over white; CMYK becomes RGB.

    Args:
        data: the file's bytes.
        channels: "native" keeps one channel for grey pictures and three for all others.
        depth: bits per channel of the result. 16-bit files lose their lower byte at depth 8; 8-bit files
            are spread over the whole range at depth 16.
        at_least: height and width that the result must still cover. JPEG may then be decoded at 1/2, 1/4
            or 1/8 of its size, which is several times faster.
        max_pixels: a file that claims more pixels than this is refused before any is decoded.

    Returns:
        uint8 or uint16 tensor "c h w".

    Raises:
        PictureError: the bytes are not a picture, are cut short, or claim too many pixels.
    """
    return read(data, channels=channels, depth=depth, at_least=at_least, max_pixels=max_pixels)[0]


def read(
    data: bytes,
    *,
    channels: Channels = "rgb",
    depth: Literal[8, 16] = 8,
    at_least: Size | None = None,
    max_pixels: int = MAX_PIXELS,
) -> tuple[Picture, Facts]:
    """The decoded picture, as `decode` gives it, and what its file says of itself."""
    image, name = open_image(data, max_pixels)
    try:
        if name == "PNG":
            image.load()  # the orientation may stand behind the pixels
        facts = _facts(image, name, data)
        if at_least is not None and name == "JPEG":
            height, width = at_least[::-1] if facts.orientation in SWAPS_SIDES else at_least
            _draft(image, height, width, grey=channels == "grey")
        image.load()
        colours = depth == facts.depth == 16 and name == "PNG" and data[25] in PNG_COLOURS
        array = _sixteen_bit_colours(image, data) if colours else _pixels(image)
        del image  # of a large picture there need not be one more copy
    except (PictureError, MemoryError):  # no memory says nothing of the file
        raise
    except Exception as error:  # a decoder fed with damaged bytes may raise anything
        raise _damaged(name, error) from error
    if facts.depth == 16:  # of an array of 8 bits the lower half of each number is gone already
        facts = replace(facts, bits=int(array.max()).bit_length() + (8 if array.dtype == np.uint8 else 0))
    return _as_picture(_turn(array, facts.orientation), channels, depth), facts


def inspect(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Facts:
    """What a picture's file says of itself; no pixel is decoded, so the file may be cut short further on.

    Raises:
        PictureError: the bytes are not the beginning of a picture, or claim too many pixels.
    """
    image, name = open_image(data, max_pixels)
    return _facts(image, name, data)


def decode_mask(data: bytes, *, colours: Colours | None = None, max_pixels: int = MAX_PIXELS) -> UInt16[Tensor, "h w"]:
    """Decode a mask: palette indices or grey values as they are, or colours by a table. Opacity does not count.

    A mask in RGB that shows nothing but greys says numbers by them.

    Args:
        data: the file's bytes.
        colours: class index for each RGB colour; grey values and a palette's indices then stand for the colours that they show.
        max_pixels: as for `decode`.

    Raises:
        PictureError: not a picture, cut short, in a format that does not keep numbers, in colours without a table, or with
            colours that the table does not have.
    """
    image, name = open_image(data, max_pixels)
    if name == "JPEG":
        raise PictureError("a mask in a format that keeps numbers", "JPEG, which changes them", "save masks as PNG", "lossy")
    try:
        image.load()
        orientation = _orientation(image, name)
    except MemoryError:
        raise
    except Exception as error:  # as in read
        raise _damaged(name, error) from error
    upper_halves = name == "PNG" and data[24] == 16 and not image.mode.startswith("I")  # all that Pillow keeps of 16 bits
    array = _numbers(image, upper_halves) if colours is None else _classes_by_colour(_shown_colours(image), colours)
    return torch.from_numpy(np.require(_turn(array, orientation), requirements=("C", "W")))


def open_image(data: bytes, max_pixels: int = MAX_PIXELS) -> tuple[Any, str]:
    """The image with its header read, and the name of its format.

    Raises:
        PictureError: the bytes are not the beginning of a picture, or claim too many pixels.
    """
    if not data:
        raise PictureError("a picture", "an empty file", "replace the file or take it away", "empty")
    for name, matches, opener in FORMATS:
        if matches(data[:16]):
            try:
                image = opener(io.BytesIO(data))
            except MemoryError:
                raise
            except Exception as error:  # as in read
                raise _damaged(name, error) from error
            break
    else:
        expected = f"a picture in one of the formats {', '.join(name for name, _, _ in FORMATS)}"
        raise PictureError(expected, "a file of another kind", "convert the file or take it away", "foreign")
    width, height = image.size
    if width * height > max_pixels:
        raise PictureError(
            f"a picture of at most {max_pixels:,} pixels",
            f"{width:,} by {height:,} pixels, which may be a decompression bomb",
            "make the picture smaller or take it away",
            "bomb",
        )
    if width * height == 0:
        raise PictureError("a picture with pixels", f"{width} by {height} pixels", "replace the file or take it away")
    return image, name


def _damaged(kind: str, error: Exception) -> PictureError:
    found = f"damaged or cut short ({' '.join(str(error).split()) or type(error).__name__})"
    return PictureError(f"a whole {kind} file", found, "replace the file or take it away")


def _orientation(image: Any, name: str) -> int:
    """How the pixels must still be turned; a TIFF's are upright once they are loaded."""
    if name == "TIFF":
        return 1
    try:
        # Pillow's getexif decodes a whole PNG in search of it; the base class looks at what has been read
        value = int(Image.Image.getexif(image).get(EXIF_ORIENTATION, 1))
    except MemoryError:
        raise
    except Exception:  # broken EXIF says nothing about the pixels, which may be fine
        return 1
    return value if 1 <= value <= 8 else 1


def _facts(image: Any, name: str, data: bytes) -> Facts:
    orientation = _orientation(image, name)
    width, height = image.size[::-1] if orientation in SWAPS_SIDES else image.size
    grey = image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
    deep = image.mode.startswith("I") or (name == "PNG" and data[24:25] == b"\x10")
    return Facts(
        kind=name,
        height=height,
        width=width,
        channels=1 if grey else 3,
        depth=16 if deep else 8,
        cmyk=image.mode == "CMYK",
        animated=_animated(image, name, data),
        orientation=orientation,
    )


def _animated(image: Any, name: str, data: bytes) -> bool:
    try:
        if name == "GIF":  # to tell, Pillow moves an image away from its first frame
            image = GifImagePlugin.GifImageFile(io.BytesIO(data))
        return name in ("GIF", "PNG", "WebP", "TIFF") and bool(getattr(image, "is_animated", False))
    except MemoryError:
        raise
    except Exception:  # cut short behind the first frame, which is all that is wanted
        return False


def _draft(image: Any, height: int, width: int, *, grey: bool) -> None:
    """Let the JPEG decoder scale by a power of two, as long as the result covers height and width."""
    factor = min(image.size[0] / max(width, 1), image.size[1] / max(height, 1))
    if factor >= 2:
        image.draft("L" if grey else image.mode, (image.size[0] // int(factor), image.size[1] // int(factor)))


def _sixteen_bit_colours(image: Any, data: bytes) -> NDArray[Any]:
    """All bits of a PNG's colours, whose upper halves are decoded already.

    Pillow keeps the first byte of each number, and the second of those that it takes for little-endian.
    """
    lower = PngImagePlugin.PngImageFile(io.BytesIO(data))
    lower.tile = [tile._replace(args=f"{image.mode};16L") for tile in lower.tile]
    lower.load()
    array = np.asarray(image).astype(np.uint16) << 8 | np.asarray(lower)
    if array.shape[2] == 4:
        opacity = array[..., 3:].astype(np.float32) / 65535
        array = (array[..., :3] * opacity + 65535 * (1 - opacity)).round().astype(np.uint16)
    return np.asarray(array)


def _pixels(image: Any) -> NDArray[Any]:
    """Pixels as "h w" (grey) or "h w 3", uint8 or uint16."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I;16N"):
        return np.asarray(image).astype(np.uint16)
    if image.mode == "I":
        return _sixteen_bits(np.asarray(image))
    if image.mode == "F":
        raise PictureError("8 or 16 bits per channel", "pixels that are floating-point numbers", "convert the picture to 16 bits", "deep")
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if image.has_transparency_data:
        grey = image.mode in ("LA", "La")
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return np.asarray(Image.alpha_composite(white, image).convert("L" if grey else "RGB"))
    return _as_array(image if image.mode == "RGB" else image.convert("RGB"))  # which would copy what is RGB already


def _as_array(image: Any) -> NDArray[Any]:
    """The pixels of an image in RGB; of a large one some rows at a time, as Pillow hands its pixels over in two copies."""
    width, height = image.size
    rows = max(1, PIXELS_AT_ONCE // width)
    if rows >= height:
        return np.asarray(image)
    array = np.empty((height, width, 3), dtype=np.uint8)
    for top in range(0, height, rows):
        array[top : top + rows] = np.asarray(image.crop((0, top, width, min(top + rows, height))))
    return array


def _sixteen_bits(array: NDArray[Any]) -> NDArray[Any]:
    if array.min() < 0 or array.max() > 65535:
        raise PictureError("8 or 16 bits per channel", "pixels of 32 bits", "convert the picture to 16 bits", "deep")
    return array.astype(np.uint16)


def _turn(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    turns: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }
    return turns[orientation](array) if orientation in turns else array


def _as_picture(array: NDArray[Any], channels: str, depth: int) -> Picture:
    array = to_depth(array, depth)
    planes = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    if channels == "rgb" and len(planes) == 1:
        planes = np.repeat(planes, 3, axis=0)
    if channels == "grey" and len(planes) == 3:
        planes = luma(planes)
    return torch.from_numpy(np.require(planes, requirements=("C", "W")))


def _numbers(image: Any, upper_halves: bool) -> NDArray[Any]:
    """What the pixels of a mask say without a table of colours."""
    if image.mode in NUMBERS:
        return _sixteen_bits(np.asarray(image))
    array = np.asarray(image)
    grey = image.mode == "LA" or (image.mode in ("RGB", "RGBA") and bool((array[..., :1] == array[..., 1:3]).all()))
    if upper_halves or not grey:
        found = f"a mask in {image.mode} colours"
        raise PictureError("a mask of class indices, or a table of its colours", found, "give the colours' classes", "colours")
    return array[..., 0].astype(np.uint16)


def _shown_colours(image: Any) -> NDArray[Any]:
    """Red, green and blue of a mask's pixels, whatever their opacity, "h w 3"."""
    if image.mode.startswith("I"):
        values = _sixteen_bits(np.asarray(image))
        if values.max() > 255:
            raise PictureError("colours of the given table", "grey of 16 bits", "save the mask with 8 bits", "colours")
        return np.repeat(values[..., None], 3, axis=2)
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))[..., :3]


def _classes_by_colour(array: NDArray[Any], colours: Colours) -> NDArray[Any]:
    code = (array[..., 0].astype(np.int64) << 16) | (array[..., 1].astype(np.int64) << 8) | array[..., 2]
    table = {(r << 16) | (g << 8) | b: index for (r, g, b), index in colours.items()}
    found, inverse = np.unique(code, return_inverse=True)
    unknown = [f"#{value:06x}" for value in found.tolist() if value not in table]
    if unknown:
        raise PictureError(
            "colours of the given table", f"the colours {', '.join(unknown[:5])}", "add them to the table of colours", "colours"
        )
    return np.array([table[value] for value in found.tolist()], dtype=np.uint16)[inverse].reshape(code.shape)
