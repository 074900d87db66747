"""Saves, views, reads, errors."""

import errno
import io
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

import pixview


@pytest.fixture
def rgb():
    y, x = np.mgrid[0:600, 0:800]
    return np.stack([x, y, x * y // 300], axis=-1).astype(np.uint8)


def pixels(png):
    return np.asarray(Pillow.open(io.BytesIO(png)))


@pytest.mark.parametrize("compression", ["stored", "fast", "small", "best"])
@pytest.mark.parametrize("threads", [1, 2])
def test_options(rgb, compression, threads, tmp_path):
    path = tmp_path / "image.png"
    report = pixview.Image(rgb).save(path, compression=compression, threads=threads)
    assert report.png_size == path.stat().st_size
    assert report.strips == report.strips_encoded
    assert np.array_equal(cv2.imread(str(path))[..., ::-1], rgb)
    assert np.array_equal(np.asarray(Pillow.open(path)), rgb)


def test_metadata(rgb):
    text = {"Title": "Bench 3", "Comment": "grün 日本"}
    png = Pillow.open(io.BytesIO(pixview.Image(rgb).to_png(text=text, dpi=300)))
    assert png.text == text
    assert round(png.info["dpi"][0]) == 300
    with pytest.raises(ValueError, match="chunk tEXt"):
        pixview.Image(rgb).to_png(text={"": "no keyword"})


def test_reduce():
    rgb = np.full((9, 9, 3), 7, np.uint8)
    assert Pillow.open(io.BytesIO(pixview.Image(rgb).to_png())).mode == "RGB"
    assert Pillow.open(io.BytesIO(pixview.Image(rgb).to_png(reduce=True))).mode == "P"


def test_save_if_changed(rgb, tmp_path):
    path, image = tmp_path / "image.png", pixview.Image(rgb)
    assert not image.save_if_changed(path).unchanged
    before = path.stat()
    assert image.save_if_changed(path).unchanged
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    rgb[0, 0] ^= 1
    assert not image.save_if_changed(path).unchanged
    assert np.array_equal(pixels(path.read_bytes()), rgb)


def test_an_encoder_saves_what_changed(rgb, tmp_path):
    path, image = tmp_path / "image.png", pixview.Image(rgb)
    encoder = pixview.Encoder(reuse=1)
    first = encoder.save(image, path)
    assert first.strips == first.strips_encoded > 1
    rgb[300, 300] ^= 1
    second = encoder.save(image, path)
    assert (second.strips_encoded, second.strips_reused) == (1, first.strips - 1)
    assert second.bytes_kept > 0
    assert np.array_equal(pixels(path.read_bytes()), rgb)
    assert encoder.to_png(image) == path.read_bytes()


@pytest.mark.parametrize("make", [np.ascontiguousarray, np.asfortranarray])
def test_views(rgb, make):
    rgb = make(rgb)
    image = pixview.Image(rgb)
    keys = [
        np.s_[10:20, 30:70],
        np.s_[10:20],
        np.s_[-5:, :-700],
        np.s_[::-1],
        np.s_[:, ::-1],
        np.s_[20:10:-1, 40:30:-1],
        np.s_[:5000, 799:],
    ]
    for key in keys:
        view = image[key]
        assert np.array_equal(pixels(view.to_png()), rgb[key])
        rgb[key] ^= 0xFF
        assert np.array_equal(pixels(view.to_png()), rgb[key])
    assert np.array_equal(pixels(image.flip().to_png()), rgb[::-1])
    assert image[10:20, 30:70][1, 2] == tuple(rgb[11, 32])
    assert image[-1, -1] == tuple(rgb[-1, -1])
    with pytest.raises(ValueError, match="step of a view is 1 or -1, not 2"):
        image[::2]
    with pytest.raises(ValueError, match="is empty"):
        image[5:5]
    with pytest.raises(IndexError):
        image[600, 0]
    with pytest.raises(TypeError):
        image[0]
    with pytest.raises(TypeError):
        image[0, 1:2]


LAYOUTS = {
    "packed": lambda: np.zeros((600, 800, 3), np.uint8),
    "cropped": lambda: np.zeros((700, 900, 3), np.uint8)[50:650, 50:850],
    "reversed": lambda: np.zeros((600, 800, 3), np.uint8)[::-1, ::-1, ::-1],
    "stepped": lambda: np.zeros((1200, 1600, 3), np.uint8)[::2, ::2],
    "transposed": lambda: np.zeros((800, 600, 3), np.uint8).swapaxes(0, 1),
    "channels first": lambda: np.zeros((3, 600, 800), np.uint8).transpose(1, 2, 0),
    "16 bit": lambda: np.zeros((600, 800, 3), np.uint16),
    "16 bit, transposed": lambda: np.zeros((800, 600, 3), ">u2").swapaxes(0, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_read_into(rgb, layout, tmp_path):
    Pillow.fromarray(rgb).save(tmp_path / "image.png")
    array = LAYOUTS[layout]()
    owner = array if array.base is None else array.base
    used = np.zeros_like(array)
    pixview.Image(array).read_into(tmp_path / "image.png")
    scale = 257 if array.dtype.itemsize == 2 else 1
    assert np.array_equal(array, rgb * np.uint32(scale))
    # Nothing else has been written.
    array[...] = used
    assert not owner.any()


def test_read_into_a_part(rgb, tmp_path):
    Pillow.fromarray(rgb[:10, :20]).save(tmp_path / "image.png")
    for make in (np.ascontiguousarray, np.asfortranarray):
        array = make(np.zeros_like(rgb))
        pixview.Image(array)[100:110, 200:220].read_into(tmp_path / "image.png")
        assert np.array_equal(array[100:110, 200:220], rgb[:10, :20])
        array[100:110, 200:220] = 0
        assert not array.any()


def test_read_into_errors(rgb, tmp_path):
    path = tmp_path / "image.png"
    pixview.Image(rgb).save(path)
    with pytest.raises(ValueError, match="an image of 800x600 pixels is needed, not of 9x9"):
        pixview.Image(np.zeros((9, 9, 3), np.uint8)).read_into(path)
    rgb.flags.writeable = False
    with pytest.raises(ValueError, match="^the array is read-only$"):
        pixview.Image(rgb).read_into(path)
    for strides in [(1, 3, 1), (2399, 3, 1), (0, 3, 1), (600, 1, 1)]:
        owner = np.zeros(2400 * 600, np.uint8)
        windows = np.lib.stride_tricks.as_strided(owner, rgb.shape, strides)
        with pytest.raises(ValueError, match="^elements of the array overlap"):
            pixview.Image(windows).read_into(path)
        assert not owner.any()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="could not decode the PNG"):
        pixview.Image(np.zeros((600, 800, 3), np.uint8)).read_into(path)
    with pytest.raises(FileNotFoundError) as error:
        pixview.Image(np.zeros((9, 9), np.uint8)).read_into(tmp_path / "no.png")
    assert error.value.filename == str(tmp_path / "no.png")


def test_errors_of_files(rgb, tmp_path):
    image = pixview.Image(rgb)
    path = tmp_path / "no" / "image.png"
    with pytest.raises(FileNotFoundError) as error:
        image.save(path)
    assert error.value.errno == errno.ENOENT
    assert error.value.filename == str(path)
    assert error.value.strerror == "could not write: No such file or directory"
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError):
        image.save(tmp_path / "folder.png")
    image.save_new(tmp_path / "new.png")
    with pytest.raises(FileExistsError):
        image.save_new(tmp_path / "new.png")
    with pytest.raises(ValueError, match='unknown file extension "jpg": .* to_png'):
        image.save(tmp_path / "image.jpg")
    for save in (image.save, image.save_new, image.save_if_changed):
        with pytest.raises(TypeError, match=r"BytesIO; for a file object use to_png\(\)"):
            save(io.BytesIO())
    with pytest.raises(TypeError, match="unexpected keyword argument 'quality'"):
        image.save(tmp_path / "image.png", quality=9)
    with pytest.raises(ValueError, match="compression is"):
        image.save(tmp_path / "image.png", compression="fastest")
    assert sorted(os.listdir(tmp_path)) == ["folder.png", "new.png"]


def test_an_array_that_is_reshaped():
    array = np.arange(1200, dtype=np.uint8).reshape(20, 30, 2)
    for view in (array[:], array[..., ::-1]):
        image = pixview.Image(view)
        before = image.to_png()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy advises against it
            view.shape = (30, 20, 2)
        assert image.to_png() == before


@pytest.mark.parametrize("make", [np.ascontiguousarray, np.asfortranarray])
def test_no_copy_of_the_frame(make, tmp_path):
    array = make(np.zeros((3000, 1000, 3), np.uint8))
    pixview.Image(array[:2]).save(tmp_path / "image.png")  # imports modules
    tracemalloc.start()
    image = pixview.Image(array)
    image.save(tmp_path / "image.png")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Python's own allocations: of each row, if the array is asked for rows.
    assert peak < 10_000


def test_threads_wait_for_a_save():
    """The GIL is held during a save, so a file shows one moment."""
    memory = bytearray(1_000_000)
    fills = [bytes([value]) * len(memory) for value in range(256)]
    image, stop = pixview.Image(memory, size=(1000, 1000)), threading.Event()

    def draw():
        while not stop.is_set():
            for fill in fills:
                memory[:] = fill

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=draw)
    thread.start()
    try:
        values = []
        for _ in range(50):
            saved = pixels(image.to_png(compression="stored", threads=2))
            assert saved.min() == saved.max()
            values.append(saved.min())
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert len(set(values)) > 1


SAVE_LARGE = """
import signal, sys, numpy, pixview
# A shell starts processes in the background with this signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
noise = numpy.random.default_rng(1).integers(0, 50, 3_000_000, numpy.uint8)
# Overlapping rows: 1.8 GB of pixels that take 3 MB.
array = numpy.lib.stride_tricks.as_strided(noise, (100_000, 6000, 3), (27, 3, 1))
image = pixview.Image(array)
print("saving", flush=True)
try:
    image.save(sys.argv[1], compression="best", threads=int(sys.argv[2]))
except KeyboardInterrupt:
    image[:9, :9].save(sys.argv[1] + ".png")
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_interrupt(threads, tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", SAVE_LARGE, str(path), str(threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "saving\n"
        # The save has begun once its temporary file is there.
        while len(os.listdir(tmp_path)) == 1 and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "interrupted\n"
        assert child.wait() == 0
    assert path.read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["image.png", "image.png.png"]


def test_error_of_a_signal_handler(rgb, tmp_path):
    """A handler's own exception arrives, and the encoder still works."""

    def handler(number, frame):
        raise LookupError(number)

    encoder = pixview.Encoder(compression="best")
    image = pixview.Image(np.tile(rgb, (5, 5, 1)))
    old = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(LookupError):
            encoder.save(image, tmp_path / "image.png")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert os.listdir(tmp_path) == []
    encoder.save(pixview.Image(rgb), tmp_path / "image.png")
