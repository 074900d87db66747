"""Every array stays live: its edits show in the image before and after saves.

`test_the_table` prints what Pillow does with the same arrays.
"""

import io

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

import pixview

HEIGHT, WIDTH = 6, 8


def test_the_script_of_pillow_8828(tmp_path):
    data = np.array([[255]], np.uint8)
    image = pixview.Image(data)
    assert image[0, 0] == (255,)

    data[:, :] = 128
    assert image[0, 0] == (128,)

    image.save(tmp_path / "before.png")
    data[:, :] = 64
    assert image[0, 0] == (64,)  # The image of Pillow 11.1 still has 128 here.

    image.save(tmp_path / "after.png")
    assert Pillow.open(tmp_path / "before.png").getpixel((0, 0)) == 128
    assert Pillow.open(tmp_path / "after.png").getpixel((0, 0)) == 64


# The type of the elements, the samples of a pixel, and the format. Formats that
# pixview does not have are refused.
TYPES = [
    ("|b1", 1, "INDEXED8"),
    ("|u1", 1, "GRAY8"),
    ("|u1", 2, "GRAY_ALPHA8"),
    ("|u1", 3, "RGB8"),
    ("|u1", 4, "RGBA8"),
    ("|i1", 1, "GRAY_I8"),
    ("<u2", 1, "GRAY16"),
    (">u2", 1, "GRAY16BE"),
    ("<u2", 2, "GRAY_ALPHA16"),
    ("<u2", 3, "RGB16"),
    (">u2", 3, "RGB16BE"),
    ("<u2", 4, "RGBA16"),
    ("<i2", 1, "GRAY_I16"),
    (">i2", 1, "GRAY_I16BE"),
    ("<u4", 1, "GRAY_U32"),
    ("<i4", 1, "GRAY_I32"),
    ("<f2", 1, "GRAY_F16"),
    ("<f4", 1, "GRAY_F32"),
    (">f4", 1, "GRAY_F32BE"),
    ("<f4", 2, "GRAY_ALPHA_F32"),
    ("<f4", 3, "RGB_F32"),
    ("<f4", 4, "RGBA_F32"),
    ("<f8", 1, "GRAY_F64"),
    ("<u8", 1, "GRAY_U64"),
    ("<c8", 1, "GRAY_C64"),
]

# How the array lies in memory. Each function takes the height, the width and the
# further axes, and returns a view of that shape and the array that owns it.


def packed(make, h, w, *more):
    owner = make(h, w, *more)
    return owner, owner


def cropped(make, h, w, *more):
    owner = make(h + 3, w + 5, *more)
    return owner[2:-1, 1:-4], owner


def stepped(make, h, w, *more):
    owner = make(2 * h, 3 * w, *more)
    return owner[::2, ::3], owner


def upside_down(make, h, w, *more):
    owner = make(h, w, *more)
    return owner[::-1], owner


def mirrored(make, h, w, *more):
    owner = make(h, w, *more)
    return owner[:, ::-1], owner


def transposed(make, h, w, *more):
    owner = make(w, h, *more)
    return owner.swapaxes(0, 1), owner


def fortran_order(make, h, w, *more):
    owner = np.asfortranarray(make(h, w, *more))
    return owner, owner


def wide_steps(make, h, w, *more):
    owner = make(h, 40 * w, *more)
    return owner[:, ::40], owner


def read_only(make, h, w, *more):
    owner = make(h, w, *more)
    view = owner[:]
    view.flags.writeable = False
    return view, owner


def repeated_rows(make, h, w, *more):
    owner = make(1, w, *more)
    return np.broadcast_to(owner, (h, w, *more)), owner


def overlapping(make, h, w, *more):
    owner = make(h + w - 1, *more)
    windows = np.lib.stride_tricks.sliding_window_view(owner, w, axis=0)
    return np.moveaxis(windows, -1, 1), owner


def channels_first(make, h, w, *more):
    owner = make(*more, h, w)
    return np.moveaxis(owner, 0, -1), owner


def channels_reversed(make, h, w, *more):
    owner = make(h, w, *more)
    return owner[..., ::-1], owner


def some_channels(make, h, w, channels):
    owner = make(h, w, channels + 2)
    return owner[..., 1:-1], owner


LAYOUTS = [
    packed,
    cropped,
    stepped,
    upside_down,
    mirrored,
    transposed,
    fortran_order,
    wide_steps,
    read_only,
    repeated_rows,
    overlapping,
]
COLOR_LAYOUTS = [channels_first, channels_reversed, some_channels]


def cases():
    for typestr, channels, name in TYPES:
        for layout in LAYOUTS + (COLOR_LAYOUTS if channels > 1 else []):
            yield typestr, channels, name, layout


def build(typestr, channels, layout):
    """Returns a view with random values, and the array that owns it."""
    random = np.random.default_rng(7)

    def make(*shape):
        kind, size = typestr[1], int(typestr[2:])
        if kind == "b":
            return random.integers(0, 2, shape).astype(bool)
        if kind in "fc":
            return random.random(shape).astype(typestr)
        return random.integers(0, 256**size - 1, shape, np.uint64).astype(typestr)

    more = (channels,) if channels > 1 else ()
    return layout(make, HEIGHT, WIDTH, *more)


def edit(owner):
    """Edits every element of the memory."""
    if owner.dtype.kind in "fc":
        owner += np.where(owner.real < 0.5, 0.5, -0.5).astype(owner.dtype)
    else:
        np.invert(owner, out=owner)


def expected(view):
    """Returns the samples that a PNG of the view has, and the largest error."""
    kind, size = view.dtype.kind, view.dtype.itemsize
    if kind == "b":
        return view * 255, 0
    if kind == "u" and size <= 2:
        return view.astype(np.uint32), 0
    if kind == "i" and size == 2:
        return view.astype(np.int32) + 32768, 0
    if kind == "f":
        return view.astype(float) * 65535, 0.5 + 1e-2
    low, high = (0, 2**32 - 1) if kind == "u" else (-(2.0 ** (8 * size - 1)), 2.0 ** (8 * size - 1) - 1)
    return (view.astype(float) - low) / (high - low) * 65535, 1


def decoded(png):
    """Returns the samples of a PNG, read by OpenCV, in the order of PNG."""
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        order = [2, 1, 0, 3][: pixels.shape[2]]
        pixels = pixels[..., order]
    return pixels.astype(float)


def check_pixels(png, view):
    samples, error = expected(view)
    pixels = decoded(png)
    if view.dtype.kind == "b" and pixels.ndim == 3:
        pixels = pixels[..., 0]
    elif view.ndim == 3 and view.shape[2] == 2:  # OpenCV makes RGBA of it
        pixels = pixels[..., [0, 3]]
    if view.dtype == np.int8 and pixels.max() <= 255:
        samples = samples / 257
    assert np.abs(pixels - samples).max() <= error


def pixels_of(image):
    return [image[y, x] for y in range(HEIGHT) for x in range(WIDTH)]


@pytest.mark.parametrize("typestr, channels, name, layout", list(cases()))
def test_every_edit_shows(typestr, channels, name, layout, tmp_path):
    view, owner = build(typestr, channels, layout)
    if name not in pixview.FORMATS:
        with pytest.raises(ValueError, match="there is no format for pixels of"):
            pixview.Image(view)
        return
    image = pixview.Image(view)
    if image.address is not None and layout is not channels_reversed:
        assert image.address == view.__array_interface__["data"][0]
    path = tmp_path / "image.png"
    for _ in range(3):
        before = pixels_of(image)
        image.save(path)
        check_pixels(path.read_bytes(), view)
        assert pixels_of(image) == before
        edit(owner)
        assert all(a != b for a, b in zip(before, pixels_of(image)))
    check_pixels(image.to_png(), view)


def pixview_does(view, owner):
    try:
        image = pixview.Image(view)
    except ValueError:
        return "no format"
    return liveness(owner, lambda: image[0, 0], lambda: image.to_png())


def pillow_does(view, owner):
    try:
        image = Pillow.fromarray(view)
    except (TypeError, ValueError):
        return "refused"
    save = lambda: image.save(io.BytesIO(), "png")
    return liveness(owner, lambda: image.getpixel((0, 0)), save)


def liveness(owner, pixel, save):
    """Returns whether an edit shows before a save, and whether one shows after
    it."""

    def edit_shows():
        before = pixel()
        edit(owner)
        return "live" if pixel() != before else "copy"

    before = edit_shows()
    try:
        save()
    except OSError:
        return f"{before}, no PNG"
    return f"{before}, {edit_shows()}"


def test_the_table(capsys):
    names = [layout.__name__.replace("_", " ") for layout in LAYOUTS + COLOR_LAYOUTS]
    rows = []
    for typestr, channels, _ in TYPES:
        layouts = LAYOUTS + (COLOR_LAYOUTS if channels > 1 else [])
        ours, theirs = {}, {}
        for layout in layouts:
            name = layout.__name__.replace("_", " ")
            ours.setdefault(pixview_does(*build(typestr, channels, layout)), []).append(name)
            theirs.setdefault(pillow_does(*build(typestr, channels, layout)), []).append(name)
        assert set(ours) in ({"live, live"}, {"no format"})
        order = ", big-endian" if typestr[0] == ">" else ""
        rows.append((np.dtype(typestr).name + order, channels, cell(ours, names), cell(theirs, names)))
    with capsys.disabled():
        print("\n\nAn edit of the array shows before the first save, and after it:\n")
        print("| type | samples | pixview | Pillow fromarray |\n|---|---|---|---|")
        for name, channels, ours, theirs in rows:
            print(f"| {name} | {channels} | {ours} | {theirs} |")


def cell(results, names):
    if len(results) == 1:
        return f"{next(iter(results))}: all layouts"
    most = max(results, key=lambda result: len(results[result]))
    few = [f"{result}: {', '.join(which)}" for result, which in results.items() if result != most]
    return "; ".join(few + [f"{most}: the others"])
