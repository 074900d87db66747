//! The vector registers that kernels are compiled for, and the choice among
//! them at run time.
//!
//! An algorithm with kernels has a trait for them, which [`Portable`],
//! [`Avx2`] and [`Avx512`] implement beside the algorithm. [`dispatch!`]
//! compiles a function once for each of the three; which one runs is decided
//! by the [`Registers`] it is called with. The results are the same.
//!
//! Built with `--cfg pixview_level="avx2"` or `"portable"`, the crate uses no
//! wider registers than that, so that one machine can measure what other
//! machines will see.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub(crate) use fearless_simd::{Avx2, Avx512};

/// Code that the compiler vectorizes for the target's baseline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

/// A set of registers that this processor has. The tokens inside prove it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Registers {
    Portable,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Avx2(Avx2),
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Avx512(Avx512),
}

impl Registers {
    /// Returns the widest registers of this processor. Costs one atomic load.
    pub(crate) fn widest() -> Self {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            let level = fearless_simd::Level::new();
            if let Some(token) = level.as_avx512()
                && !cfg!(any(pixview_level = "avx2", pixview_level = "portable"))
            {
                return Registers::Avx512(token);
            }
            if let Some(token) = level.as_avx2()
                && !cfg!(pixview_level = "portable")
            {
                return Registers::Avx2(token);
            }
        }
        Registers::Portable
    }

    /// Returns every set of registers of this processor, for tests,
    /// benchmarks and fuzz targets that compare them.
    #[allow(dead_code, reason = "unused in the library itself")]
    pub(crate) fn all() -> Vec<Self> {
        #[allow(unused_mut, reason = "other processors have no further sets here")]
        let mut all = vec![Registers::Portable];
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            let level = fearless_simd::Level::new();
            all.extend(level.as_avx2().map(Registers::Avx2));
            all.extend(level.as_avx512().map(Registers::Avx512));
        }
        all
    }

    /// Returns the name that benchmarks and tests print.
    #[allow(dead_code, reason = "unused in the library itself")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Registers::Portable => "portable",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Registers::Avx2(_) => "AVX2",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Registers::Avx512(_) => "AVX-512",
        }
    }
}

/// Defines a function that is compiled for each set of [`Registers`]. The
/// parameter in angle brackets stands for the kernels inside the body; the
/// function itself takes the registers as its first argument. Everything that
/// the body calls with these kernels must be `#[inline(always)]`, so that it
/// is compiled for the same registers.
macro_rules! dispatch {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$kernels:ident>($($arg:ident: $type:ty),* $(,)?) -> $result:ty {
            $($body:tt)*
        }
    ) => {
        $(#[$meta])*
        $vis fn $name(registers: $crate::arch::Registers, $($arg: $type),*) -> $result {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            fearless_simd::kernel!(
                #[inline(never)]
                fn avx2($kernels: Avx2, $($arg: $type),*) -> $result { $($body)* }
            );
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            fearless_simd::kernel!(
                #[inline(never)]
                fn avx512($kernels: Avx512, $($arg: $type),*) -> $result { $($body)* }
            );
            match registers {
                $crate::arch::Registers::Portable => {
                    let $kernels = $crate::arch::Portable;
                    $($body)*
                }
                #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
                $crate::arch::Registers::Avx2(token) => avx2(token, $($arg),*),
                #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
                $crate::arch::Registers::Avx512(token) => avx512(token, $($arg),*),
            }
        }
    };
}
pub(crate) use dispatch;
