"""Memory other than NumPy arrays, and formats by name."""

import array
import ctypes
import io
import mmap

import numpy as np
import pytest
from PIL import Image as Pillow

import pixview


def gray(image):
    return [[image[y, x][0] for x in range(image.width)] for y in range(image.height)]


def editable_buffers():
    shared = mmap.mmap(-1, 6)
    yield bytearray(6), {"size": (3, 2)}
    yield memoryview(bytearray(6)), {"size": (3, 2)}
    yield memoryview(bytearray(6)).cast("B", (2, 3)), {}
    yield array.array("B", bytes(6)), {"size": (3, 2)}
    yield array.array("H", bytes(12)), {"size": (3, 2)}
    yield shared, {"size": (3, 2)}
    yield (ctypes.c_uint8 * 6)(), {"size": (3, 2)}
    yield (ctypes.c_uint8 * 3 * 2)(), {}
    yield (ctypes.c_uint16 * 3 * 2)(), {}
    yield np.zeros(6, np.uint8), {"size": (3, 2)}
    yield np.frombuffer(bytearray(6), np.uint8).reshape(2, 3), {}


@pytest.mark.parametrize("buffer, options", list(editable_buffers()), ids=lambda v: type(v).__name__)
def test_buffers_are_live(buffer, options, tmp_path):
    image = pixview.Image(buffer, **options)
    flat = np.frombuffer(buffer, {1: np.uint8, 2: np.uint16}[memoryview(buffer).itemsize])
    assert image.address == flat.ctypes.data
    for value in range(1, 4):
        flat[4] = value
        assert gray(image) == [[0, 0, 0], [0, value, 0]]
        image.save(tmp_path / "image.png")
        assert Pillow.open(tmp_path / "image.png").getpixel((1, 1)) == value


def test_bytes_are_read_only(tmp_path):
    image = pixview.Image(bytes(range(6)), size=(3, 2))
    assert image.readonly
    image.save(tmp_path / "image.png")
    with pytest.raises(ValueError, match="read-only"):
        image.read_into(tmp_path / "image.png")


def test_a_mapped_file(tmp_path):
    (tmp_path / "frame").write_bytes(bytes(12))
    with open(tmp_path / "frame", "r+b") as file, mmap.mmap(file.fileno(), 0) as frame:
        image = pixview.Image(frame, "RGB8", size=(2, 2))
        frame[9:12] = b"\x01\x02\x03"
        assert image[1, 1] == (1, 2, 3)
        del image


def test_the_memory_stays_while_the_image_does():
    buffer = bytearray(6)
    image = pixview.Image(buffer, size=(3, 2))
    with pytest.raises(BufferError):
        buffer.append(1)
    del image
    buffer.append(1)

    image = pixview.Image(np.full((2, 3), 7, np.uint8)[:, ::-1])
    assert gray(image) == [[7] * 3] * 2


class Interface:
    """An object whose memory is known by `__array_interface__` alone."""

    def __init__(self, owner):
        self.owner = owner
        self.__array_interface__ = owner.__array_interface__


class Dlpack:
    """An object whose memory is known by `__dlpack__` alone."""

    def __init__(self, owner):
        self.owner = owner

    def __dlpack__(self, **options):
        return self.owner.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.owner.__dlpack_device__()


@pytest.mark.parametrize("kind", [Interface, Dlpack])
def test_array_protocols(kind):
    owner = np.zeros((4, 6, 3), np.uint8)
    view = owner[::2, ::-1]
    image = pixview.Image(kind(view))
    owner[2, 0] = [1, 2, 3]
    assert image[1, 5] == (1, 2, 3)


def test_copies_are_refused():
    with pytest.raises(TypeError, match="^a PIL.Image.Image gives a copy of its pixels, not its memory: make a NumPy"):
        pixview.Image(Pillow.new("RGB", (3, 3)))
    with pytest.raises(TypeError, match="not in a list"):
        pixview.Image([[1, 2], [3, 4]])


def test_images_are_no_arrays():
    image = pixview.Image(np.zeros((2, 2), np.uint8))
    for convert in (np.asarray, np.array, lambda image: np.asarray(image, np.uint8)):
        with pytest.raises(TypeError, match="use the array that you gave"):
            convert(image)


def test_elements_of_numbers():
    for name in ("float16", "float32", "float64", "int8", "int16", "int32", "uint32"):
        image = pixview.Image(np.zeros((2, 3), name))
        assert image.size == (3, 2)
        assert len(image[0, 0]) == 1
    for name in ("float16", "float32"):
        assert len(pixview.Image(np.zeros((2, 3, 3), name))[0, 0]) == 3


def test_stride_and_offset():
    buffer = bytearray(range(100))
    image = pixview.Image(buffer, size=(3, 2), stride=10, offset=5)
    assert gray(image) == [[5, 6, 7], [15, 16, 17]]
    image = pixview.Image(buffer, size=(3, 2), stride=-10, offset=95)
    assert gray(image) == [[95, 96, 97], [85, 86, 87]]
    with pytest.raises(ValueError, match="the image needs 108 bytes, the buffer has 100"):
        pixview.Image(buffer, size=(3, 2), stride=10, offset=95)
    with pytest.raises(ValueError, match="bytes before the start of the buffer: offset= sets .* image.flip"):
        pixview.Image(buffer, size=(3, 20), stride=-10, offset=95)
    # A view of one dimension does not reach into the rest of its owner.
    part = np.frombuffer(buffer, np.uint8)[10:20]
    assert gray(pixview.Image(part, size=(5, 2))) == [[10, 11, 12, 13, 14], [15, 16, 17, 18, 19]]
    with pytest.raises(ValueError, match="the buffer has 10"):
        pixview.Image(part, size=(5, 2), stride=8)


def test_outside_of_the_owner():
    owner = np.zeros(100, np.uint8)
    inside = owner[50:60]
    view = np.lib.stride_tricks.as_strided(inside, (3, 4), (-10, 2))
    image = pixview.Image(view)
    owner[30:40:2] = 9
    assert gray(image) == view.tolist()


# The format, the array, and the samples of its first pixel.
NAMED = [
    ("BGR8", np.array([[[1, 2, 3]]], np.uint8), (3, 2, 1)),
    ("BGRA8", np.array([[[1, 2, 3, 4]]], np.uint8), (3, 2, 1, 4)),
    ("BGRX8", np.array([[[1, 2, 3, 4]]], np.uint8), (3, 2, 1)),
    ("BGRX8", np.array([[0x04030201]], "<u4"), (3, 2, 1)),
    ("XRGB8888", np.array([[0x04030201]], np.uint32), (3, 2, 1)),
    ("RGB565", np.array([[0xF81F]], np.uint16), (255, 0, 255)),
    ("RGB565BE", np.array([[[0xF8, 0x1F]]], np.uint8), (255, 0, 255)),
    ("RGB8", np.zeros((1, 1), [("r", "u1"), ("g", "u1"), ("b", "u1")]), (0, 0, 0)),
    ("GRAY1", np.array([[0x80]], np.uint8), (1,)),
    ("CMYK8", np.array([[[0, 255, 0, 0]]], np.uint8), (255, 0, 255)),
    ("BGR16", np.array([[[1, 2, 3]]], np.uint16), (3, 2, 1)),
]


@pytest.mark.parametrize("name, pixels, samples", NAMED)
def test_formats_by_name(name, pixels, samples):
    image = pixview.Image(pixels, name)
    assert image.format == name
    assert image[0, 0] == samples


def test_every_name_is_known():
    for name in pixview.FORMATS:
        image = pixview.Image(bytearray(4096), name, size=(1, 1), stride=16)
        assert image.format == name


def test_bits():
    rows = np.packbits(np.eye(16, dtype=bool), axis=1)
    image = pixview.Image(rows, "GRAY1")
    assert image.size == (16, 16)
    assert gray(image) == np.eye(16).tolist()
    upside_down = pixview.Image(rows[::-1], "GRAY1")
    assert gray(upside_down) == np.eye(16)[::-1].tolist()


def test_reversed_words_are_not_other_words():
    # The bytes of a word, reversed, are not a word of reversed channels.
    swapped = np.array([[[0x1F, 0xF8]]], np.uint8)[..., ::-1]
    image = pixview.Image(swapped, "RGB565BE")
    assert image[0, 0] == (255, 0, 255)


def test_bool_is_black_and_white(tmp_path):
    eye = np.eye(9, dtype=bool)
    image = pixview.Image(eye)
    image.save(tmp_path / "image.png")
    saved = Pillow.open(tmp_path / "image.png")
    assert np.array_equal(np.asarray(saved.convert("L")), eye * np.uint8(255))
    assert saved.info.get("transparency") is None
    with pytest.raises(ValueError, match="can be read, not written"):
        image.read_into(tmp_path / "image.png")


def test_options():
    assert pixview.Image(np.zeros((1, 1), np.float32), "GRAY_F32 from -1 to 1")[0, 0] == (32768,)
    field = np.array([[250.0, 300, 350]], np.float32)
    assert gray(pixview.Image(field, range=(250, 350))) == [[0, 32768, 65535]]
    sensor = np.array([[0, 4095]], np.uint16)
    assert gray(pixview.Image(sensor, bits=12)) == [[0, 65535]]
    half = np.array([[[64, 0, 128, 128]]], np.uint8)
    assert pixview.Image(half, "BGRA8", premultiplied=True)[0, 0] == (255, 0, 128, 128)
    with pytest.raises(ValueError, match="does not support a range"):
        pixview.Image(half, range=(0, 1))
    with pytest.raises(TypeError, match=r"^range is a pair \(black, white\)"):
        pixview.Image(field, range=5)
    assert gray(pixview.Image(field, range=None, format="GRAY_F32")) == [[65535] * 3]


def test_a_palette(tmp_path):
    indices = np.array([[0, 1, 1]], np.uint8)
    image = pixview.Image(indices, "INDEXED8", palette=[(1, 2, 3), (4, 5, 6, 7)])
    with pytest.raises(ValueError, match="needs a palette: give palette=$"):
        pixview.Image(indices, "INDEXED8").save(tmp_path / "image.png")
    png = Pillow.open(io.BytesIO(image.to_png())).convert("RGBA")
    assert [png.getpixel((x, 0)) for x in (0, 1)] == [(1, 2, 3, 255), (4, 5, 6, 7)]


@pytest.mark.parametrize(
    "shape, message",
    [
        ((3, 40, 50), "for channels first use array.transpose"),
        ((1, 40, 50), "for channels first use array.transpose"),
        ((4, 4, 5), r"not \[4, 4, 5\]$"),
        ((1, 2, 3, 4), "has the shape"),
        ((12,), "needs size="),
        ((0, 5), "is empty"),
        ((4, 0, 3), "is empty"),
    ],
)
def test_wrong_shapes(shape, message):
    with pytest.raises(ValueError, match=message):
        pixview.Image(np.zeros(shape, np.uint8))


def test_wrong_formats():
    with pytest.raises(ValueError, match="no format for pixels of one complex64:"):
        pixview.Image(np.zeros((2, 2), np.complex64))
    with pytest.raises(ValueError, match="no format for pixels of 3 elements of complex64:"):
        pixview.Image(np.zeros((2, 2, 3), np.complex64))
    with pytest.raises(ValueError, match="that is 1 byte a pixel, not 3; is the format right"):
        pixview.Image(bytearray(4), "RGB8", size=(2, 2))
    with pytest.raises(ValueError, match='unknown pixel format "RGB", did you mean'):
        pixview.Image(np.zeros((2, 2), np.uint8), "RGB")
    with pytest.raises(ValueError, match="a pixel of RGB8 has 3 bytes, the array has 1 byte a pixel$"):
        pixview.Image(np.zeros((2, 2), np.uint8), "RGB8")
    with pytest.raises(ValueError, match="3 bytes a pixel, not 1; is the format right"):
        pixview.Image(bytearray(12), size=(2, 2))
    with pytest.raises(ValueError, match="300 bytes a row, not 256; for padded rows give stride=$"):
        pixview.Image(bytearray(900), size=(256, 3))
