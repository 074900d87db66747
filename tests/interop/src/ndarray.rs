use ndarray::{ArcArray, Array2, Array3, ArrayBase, Data, Dimension, Ix3, s};
use pixview::interop::ndarray::{ArrayElement, from_array};
use pixview::{ErrorKind, Image, Layout, PixelFormat};

use crate::common::{assert_in_place, counted, saved};

/// Returns an array of different elements, in the axes height, width, channel.
fn frame(height: usize, width: usize) -> Array3<u8> {
    let count = (0..).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    let elements = count.take(height * width * 3).collect();
    Array3::from_shape_vec((height, width, 3), elements).unwrap()
}

/// Asserts that the image has the pixels of the array, in memory and in a file.
fn assert_shows<S, D>(array: ArrayBase<S, D>)
where
    S: Data<Elem = u8> + ndarray::RawDataClone,
    D: Dimension,
{
    let expected: Vec<u8> = array.iter().copied().collect();
    let image = from_array(array, PixelFormat::RGB8).unwrap();
    assert_eq!(image.to_vec().unwrap(), expected);
    assert_eq!(saved(&image, PixelFormat::RGB8), expected);
}

/// Whatever lies in memory without gaps is read in place.
#[test]
fn arrays_without_gaps_are_read_in_place() {
    let mut array = frame(7, 5);
    let slice = array.as_slice().unwrap();
    for view in [
        array.view(),
        array.slice(s![..;-1, .., ..]),
        array.slice(s![.., ..;-1, ..]),
        array.slice(s![..;-1, ..;-1, ..;-1]),
        array.view().permuted_axes([1, 0, 2]),
    ] {
        assert_in_place(&from_array(view, PixelFormat::RGB8).unwrap(), slice);
        assert_shows(view);
    }
    // Whole rows have no gaps either, in the middle of the array.
    let rows = array.slice(s![2..5, .., ..]);
    let image = from_array(rows, PixelFormat::RGB8).unwrap();
    assert_in_place(&image, &slice[2 * 15..5 * 15]);
    assert_shows(rows);

    let address = array.as_ptr();
    let image = from_array(array.view_mut(), PixelFormat::RGB8).unwrap();
    assert_eq!(image.source().as_ptr(), address);
    assert_in_place(&image, image.source().as_slice().unwrap());
    let owned = from_array(array, PixelFormat::RGB8).unwrap();
    assert_eq!(owned.source().as_ptr(), address);
    assert_in_place(&owned, owned.source().as_slice().unwrap());
}

#[test]
fn channels_first() {
    let array = frame(7, 5);
    let planes = array.view().permuted_axes([2, 0, 1]);
    let planes = planes.as_standard_layout().into_owned();
    assert_eq!(planes.shape(), [3, 7, 5]);
    let view = planes.view().permuted_axes([1, 2, 0]);
    let image = from_array(view, PixelFormat::RGB8).unwrap();
    assert_in_place(&image, planes.as_slice().unwrap());
    assert_eq!(image.layout(), Layout::planar(5, 7, PixelFormat::RGB8));
    assert_eq!(image.to_vec().unwrap(), array.as_slice().unwrap());
    assert_shows(view.slice(s![1..;2, ..;-2, ..]));
}

/// Views with gaps, each of whose elements is read once.
#[test]
fn arrays_with_gaps_are_read_once() {
    let array = frame(9, 11);
    for view in [
        array.slice(s![2..7, 3..8, ..]),
        array.slice(s![..;2, ..;3, ..]),
        array.slice(s![..;-2, 1..9, ..]),
        array.slice(s![1..8, ..;-3, ..;-1]),
        array.slice(s![2..7, 3..8, ..]).permuted_axes([1, 0, 2]),
        array.slice(s![2..3, 3..4, ..]),
    ] {
        assert_shows(view);
        let image = counted(from_array(view, PixelFormat::RGB8).unwrap());
        image.to_png().unwrap();
        assert_eq!(image.source().bytes.get(), view.len());
    }
    // One element for all rows: ndarray lends no slice of it.
    let row = array.slice(s![..1, .., ..]);
    let repeated = row.broadcast((4, 11, 3)).unwrap();
    assert_shows(repeated);
}

/// Each view of an image over an array with gaps.
#[test]
fn views_of_views() {
    let array = frame(9, 11);
    let crop = array.slice(s![1..8, 2..10, ..]);
    let image = from_array(crop, PixelFormat::RGB8).unwrap();
    let packed: Vec<u8> = crop.iter().copied().collect();
    let packed = Image::from_buffer(&packed, 8, 7, PixelFormat::RGB8).unwrap();
    let same = |a: Image<_>, b: Image<_>| assert!(a.compare(&b).unwrap().is_none());
    same(image.view().transpose(), packed.view().transpose());
    same(
        image.view().flip_horizontal(),
        packed.view().flip_horizontal(),
    );
    let crop = |image: Image<_>| image.crop(1, 2, 3, 4).unwrap();
    assert_eq!(crop(image.view()).to_vec().unwrap(), {
        let image: Image<&&Vec<u8>> = packed.view();
        image.crop(1, 2, 3, 4).unwrap().to_vec().unwrap()
    });
    let red = image.view().channel(pixview::Channel::Red).unwrap();
    let expected = packed.view().channel(pixview::Channel::Red).unwrap();
    assert_eq!(red.to_vec().unwrap(), expected.to_vec().unwrap());
}

/// Elements that are pixels or large samples.
#[test]
fn elements_of_every_size() {
    fn check<T: ArrayElement + Clone>(element: impl Fn(u8) -> T, format: PixelFormat) {
        let elements = (0..30).map(element).collect();
        let array = Array2::from_shape_vec((5, 6), elements).unwrap();
        let in_place = from_array(array.view(), format).unwrap();
        let whole = in_place.view().crop(1, 2, 4, 3).unwrap();
        let crop = from_array(array.slice(s![2.., 1..5]), format).unwrap();
        assert_eq!(crop.to_vec().unwrap(), whole.to_vec().unwrap());
        let steps = from_array(array.slice(s![2.., 1..5;2]), format).unwrap();
        for x in 0..2 {
            let pixel = whole.pixels().unwrap().get(2 * x, 1).unwrap();
            assert_eq!(steps.pixels().unwrap().get(x, 1).unwrap(), pixel);
        }
    }
    check(|i| i, PixelFormat::GRAY8);
    check(|i| i & 1, PixelFormat::GRAY1LSB);
    check(|i| u16::from(i) << 8 | 3, PixelFormat::RGB565);
    check(|i| u32::from(i) << 16, PixelFormat::XRGB8888);
    check(|i| u32::from(i) << 16, PixelFormat::BGRA8);
    check(|i| f32::from(i) / 30.0, PixelFormat::GRAY_F32);
    check(|i| [i, 1, 2], PixelFormat::BGR8);
    check(|i| [u16::from(i) * 99; 4], PixelFormat::RGBA16);
}

/// The image writes into the array; the array is edited; the next save shows it.
#[test]
fn writes_and_edits_are_live() {
    let mut array = frame(9, 11);
    let before = array.clone();
    for slice in [s![.., .., ..], s![2..7, 3..8, ..], s![..;-2, ..;3, ..;-1]] {
        let mut image = from_array(array.slice_mut(slice), PixelFormat::RGB8).unwrap();
        image.pixels_mut().unwrap().put(1, 2, [1, 2, 3]).unwrap();
        let red = image.view_mut().channel(pixview::Channel::Red);
        red.unwrap().pixels_mut().unwrap().put(0, 0, [77]).unwrap();
        let mut pixels = image.source_mut().array_mut();
        pixels[[2, 2, 1]] = 99;
        assert_eq!(image.pixels().unwrap().get(2, 2).unwrap()[1], 99);
        let file = saved(&image, PixelFormat::RGB8);
        drop(image);
        let pixels = array.slice(slice);
        assert_eq!(file, pixels.iter().copied().collect::<Vec<_>>());
        assert_eq!(pixels.slice(s![2, 1, ..]).to_vec(), [1, 2, 3]);
        assert_eq!(pixels[[0, 0, 0]], 77);
    }
    let edits = array.iter().zip(&before).filter(|(a, b)| a != b).count();
    assert!(edits <= 3 * 5, "{edits} elements changed");
}

#[test]
fn cells_are_live() {
    let mut array = frame(9, 11);
    let cells = array.cell_view();
    for view in [
        cells,
        cells.slice(s![2..7, 3..8, ..]),
        cells.slice(s![.., ..;-2, ..]),
    ] {
        let image = from_array(view, PixelFormat::RGB8).unwrap();
        for value in [5, 6] {
            view[[1, 2, 0]].set(value);
            assert_eq!(
                image.pixels().unwrap().get(2, 1).unwrap()[0],
                u16::from(value)
            );
            let file = saved(&image, PixelFormat::RGB8);
            assert_eq!(file, view.iter().map(|cell| cell.get()).collect::<Vec<_>>());
        }
        // Cells are written through a shared image.
        image
            .view()
            .pixels_mut()
            .unwrap()
            .put(0, 0, [1, 2, 3])
            .unwrap();
        assert_eq!([0, 1, 2].map(|c| view[[0, 0, c]].get()), [1, 2, 3]);
        let counted = counted(image);
        counted.to_png().unwrap();
        assert_eq!(counted.source().bytes.get(), view.len());
    }
}

/// A shared array is read, and can't be written: it would be detached.
#[test]
fn shared_arrays_are_read() {
    let array: ArcArray<u8, Ix3> = frame(4, 4).into_shared();
    let image = from_array(array.clone(), PixelFormat::RGB8).unwrap();
    assert_in_place(&image, array.as_slice().unwrap());
    assert_in_place(&image.clone(), array.as_slice().unwrap());
}

#[test]
fn arrays_that_are_no_images() {
    let array = frame(4, 4);
    let error =
        |result: Result<_, pixview::Error>| result.err().map(|e: pixview::Error| e.to_string());
    let kind = from_array(array.view(), PixelFormat::RGBA8).unwrap_err();
    assert!(matches!(kind.kind(), ErrorKind::ArrayChannels { .. }));
    let kind = from_array(array.view(), PixelFormat::RGB16).unwrap_err();
    assert!(matches!(kind.kind(), ErrorKind::ArrayElement { .. }));
    let line = array.slice(s![0, 0, ..]);
    let kind = from_array(line, PixelFormat::GRAY8).unwrap_err();
    assert!(matches!(kind.kind(), ErrorKind::ArrayAxes { .. }));
    let empty = array.slice(s![2..2, .., ..]);
    let empty = from_array(empty, PixelFormat::RGB8).map(drop);
    assert!(error(empty).unwrap().contains("empty"));
}
