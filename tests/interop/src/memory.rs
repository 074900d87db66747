use ndarray::{Array3, s};
use peak_alloc::PeakAlloc;
use pixview::PixelFormat;
use pixview::interop::ndarray::from_array;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Ten megabytes of pixels, of which a save takes what contract 2 allows. The other
/// tests take less than the rest of the limit.
#[test]
fn arrays_with_gaps_are_not_copied() {
    let array = Array3::<u8>::zeros((2000, 3000, 3));
    let crop = array.slice(s![100..1900, 100..2000, ..]);
    for view in [crop, crop.slice(s![.., ..;-1, ..])] {
        let image = from_array(view, PixelFormat::RGB8).unwrap();
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        image.write_png(std::io::sink()).unwrap();
        let most = MEMORY.peak_usage().saturating_sub(before);
        assert!(most < 4 << 20, "{most} bytes");
    }
}
