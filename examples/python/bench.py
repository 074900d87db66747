"""Times saves of a frame of 12 megapixels: pixview, Pillow and OpenCV.

Usage: python bench.py [FILE], where FILE is a picture of any size, which is
repeated and cropped to 4000x3000. Without it, the picture is made up.
"""

import os
import sys
import tempfile
import time

import cv2
import numpy as np
import PIL
from PIL import Image

import pixview

WIDTH, HEIGHT, RUNS = 4000, 3000, 7


def picture():
    if len(sys.argv) > 1:
        picture = np.asarray(Image.open(sys.argv[1]).convert("RGB"))
        times = (-(-HEIGHT // picture.shape[0]), -(-WIDTH // picture.shape[1]), 1)
        return np.ascontiguousarray(np.tile(picture, times)[:HEIGHT, :WIDTH])
    # A landscape: waves of several lengths, lit from the left, with grain.
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    height = sum(np.sin(x / s + np.cos(y / s * 1.3)) * s for s in (23.0, 61, 170, 410))
    light = np.clip(110 + 60 * np.gradient(height, axis=1), 0, 255)
    colors = light[..., None] * np.array([0.8, 1.0, 0.7]) + (y / HEIGHT * 60)[..., None]
    grain = np.random.default_rng(1).normal(0, 1.5, (HEIGHT, WIDTH, 3))
    return np.clip(colors + grain, 0, 255).astype(np.uint8)


def row(name, save, path):
    """Prints the median and the shortest time of a save, and the file's size."""
    save()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        save()
        times.append(time.perf_counter() - start)
    median, least = sorted(times)[RUNS // 2] * 1000, min(times) * 1000
    size = os.path.getsize(path) / 1e6
    print(f"| {name} | {median:.0f} | {least:.0f} | {size:.1f} |", flush=True)


def main():
    rgb = picture()
    versions = f"Pillow {PIL.__version__}, OpenCV {cv2.__version__}, NumPy {np.__version__}"
    print(f"{WIDTH}x{HEIGHT} RGB, {os.cpu_count()} cores, {versions}; {RUNS} saves\n")
    print("| save | ms, median | ms, least | MB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "frame.png")
        image = pixview.Image(rgb)
        for mode in ("stored", "fast", "small"):
            row(f"pixview {mode}", lambda: image.save(path, compression=mode), path)
        for mode in ("fast", "small"):
            name = f"pixview {mode}, 2 threads"
            row(name, lambda: image.save(path, compression=mode, threads=2), path)
        assert np.array_equal(np.asarray(Image.open(path)), rgb)

        # Live memory whose pixels are not a plain RGB array.
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        padded = np.zeros((HEIGHT, WIDTH + 8, 3), np.uint8)
        padded[:, :WIDTH] = rgb
        planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
        columns = np.ascontiguousarray(rgb.transpose(1, 0, 2))
        views = {
            "BGR seen as RGB": bgr[..., ::-1],
            "a crop": padded[:, :WIDTH],
            "upside down": rgb[::-1],
            "channels first": planes.transpose(1, 2, 0),
            "transposed": columns.transpose(1, 0, 2),
        }
        for name, view in views.items():
            image = pixview.Image(view)
            name += ", row by row" if image.by_rows else ""
            row(f"pixview fast, {name}", lambda: image.save(path), path)

        encoder = pixview.Encoder(reuse=1)
        image = pixview.Image(rgb)

        def edit_and_save():
            rgb[100, 100, 0] += 1
            encoder.save(image, path)

        row("pixview fast, again after an edit of one pixel", edit_and_save, path)

        for level in (1, 6):
            name = f"Pillow fromarray, compress_level={level}"
            row(name, lambda: Image.fromarray(rgb).save(path, compress_level=level), path)
        for level in (1, 3):
            name = f"OpenCV imwrite, IMWRITE_PNG_COMPRESSION={level}"
            options = [cv2.IMWRITE_PNG_COMPRESSION, level]
            row(name, lambda: cv2.imwrite(path, bgr, options), path)
        row("OpenCV imwrite, default", lambda: cv2.imwrite(path, bgr), path)


main()
