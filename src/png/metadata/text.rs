//! Text, and the choice among its three chunks.

use std::borrow::Cow;

use super::parser::Parser;
use super::{ChunkError, Reason};
use crate::alloc::{joined, with_capacity};
use crate::deflate;

/// A keyword and a text (11.3.3).
///
/// A text in Latin-1 without a language and a translated keyword is written as
/// `tEXt` (11.3.3.2), or as `zTXt` (11.3.3.3) if it is long and smaller when
/// compressed. Any other text is written as `iTXt` (11.3.3.4), in UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Text {
    /// The keyword: 1 to 79 printable characters of Latin-1, without spaces at
    /// the ends and without two spaces in a row (11.3.3.1).
    ///
    /// The specification defines `Title`, `Author`, `Description`, `Copyright`,
    /// `Creation Time`, `Software`, `Disclaimer`, `Warning`, `Source` and
    /// `Comment`, among others.
    pub keyword: String,
    /// The text. Lines end with a line feed. NUL is not allowed.
    pub text: String,
    /// The language of the text, such as `en-GB`: ASCII letters, digits and
    /// hyphens (BCP 47). Empty if unknown.
    pub language: String,
    /// The keyword in the language of the text. NUL is not allowed. Empty if
    /// there is no translation.
    pub translated_keyword: String,
}

/// The bytes of the shortest text that is tried compressed.
const MIN_COMPRESSED: usize = 256;

impl Text {
    /// Returns a text without a language. Does not check the keyword: the save
    /// does.
    #[must_use]
    pub fn new(keyword: impl Into<String>, text: impl Into<String>) -> Self {
        Text {
            keyword: keyword.into(),
            text: text.into(),
            ..Text::default()
        }
    }

    /// Returns the name and the data of the chunk for this text.
    pub(super) fn write(&self) -> ([u8; 4], Result<Vec<u8>, ChunkError>) {
        let plain = self.language.is_empty() && self.translated_keyword.is_empty();
        if plain && self.text.chars().all(|c| u8::try_from(c).is_ok()) {
            return match self.latin1() {
                Ok((true, data)) => (*b"zTXt", Ok(data)),
                Ok((false, data)) => (*b"tEXt", Ok(data)),
                Err(error) => (*b"tEXt", Err(error)),
            };
        }
        (*b"iTXt", self.utf8())
    }

    /// Returns whether the data is that of zTXt instead of tEXt, and the data.
    fn latin1(&self) -> Result<(bool, Vec<u8>), ChunkError> {
        let keyword = self.check()?;
        let text = latin1(&self.text)?;
        let head: &[&[u8]] = &[keyword.bytes(), &[0]];
        if let Some(data) = compress_if_smaller(&[head[0], &[0, 0]], &text)? {
            return Ok((true, data));
        }
        Ok((false, joined(&[head[0], head[1], &text])?))
    }

    /// Returns the data of iTXt.
    fn utf8(&self) -> Result<Vec<u8>, ChunkError> {
        let keyword = self.check()?;
        let head = |compressed: u8| {
            let flags = [0, compressed, 0];
            let (language, translated) =
                (self.language.as_bytes(), self.translated_keyword.as_bytes());
            joined(&[keyword.bytes(), &flags, language, &[0], translated, &[0]])
        };
        let text = self.text.as_bytes();
        if let Some(data) = compress_if_smaller(&[&head(1)?], text)? {
            return Ok(data);
        }
        Ok(joined(&[&head(0)?, text])?)
    }

    /// Checks all fields and returns the keyword.
    fn check(&self) -> Result<Keyword, Reason> {
        if self.text.contains('\0') || self.translated_keyword.contains('\0') {
            return Err("text and translated keyword must not contain NUL");
        }
        if !self.language.bytes().all(is_language_byte) {
            return Err("language must contain only ASCII letters, digits and hyphens");
        }
        Keyword::new(&self.keyword)
    }

    pub(super) fn parse(
        name: [u8; 4],
        data: &[u8],
        parser: &mut Parser<'_>,
    ) -> Result<Self, ChunkError> {
        let (keyword, rest) = match split_at_nul(data) {
            Ok(parts) => parts,
            // libpng reads a keyword without its NUL as one with an empty text.
            Err(_) if name == *b"tEXt" => {
                parser.correct("keyword has no NUL behind it: text is empty");
                (data, &[][..])
            }
            Err(reason) => return Err(reason.into()),
        };
        let mut result = Text {
            keyword: parser.keyword(keyword)?,
            ..Text::default()
        };
        match (&name, rest) {
            (b"tEXt", text) => result.text = parser.latin1(text)?,
            (b"zTXt", [0, compressed @ ..]) => result.text = parser.inflate_latin1(compressed)?,
            // Without compression the method is ignored (11.3.3.4).
            (b"iTXt", [0, _, rest @ ..] | [1, 0, rest @ ..]) => {
                let (language, rest) = split_at_nul(rest)?;
                let (translated, text) = split_at_nul(rest)?;
                result.language = parser.language(language)?;
                result.translated_keyword = parser.utf8(translated)?;
                result.text = if data[keyword.len() + 1] == 1 {
                    parser.inflate_utf8(text)?
                } else {
                    parser.utf8(text)?
                };
            }
            (b"iTXt", _) => {
                return Err("compression flag must be 0 or 1, compression method 0".into());
            }
            _ => return Err("compression method must be 0".into()),
        }
        Ok(result)
    }
}

/// Returns whether a language may contain this byte.
pub(super) fn is_language_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Returns the bytes before and behind the first NUL.
pub(super) fn split_at_nul(data: &[u8]) -> Result<(&[u8], &[u8]), Reason> {
    let at = data.iter().position(|&byte| byte == 0);
    let at = at.ok_or("chunk ends too early: NUL is missing")?;
    Ok((&data[..at], &data[at + 1..]))
}

/// Returns a text as Latin-1. It must have no other characters.
fn latin1(text: &str) -> Result<Cow<'_, [u8]>, ChunkError> {
    if text.is_ascii() {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    let mut bytes = with_capacity(text.chars().count())?;
    bytes.extend(text.chars().map(|c| c as u8));
    Ok(Cow::Owned(bytes))
}

/// Returns `head` and the compressed text, or `None` if compression does not
/// make the text smaller or the text is short.
fn compress_if_smaller(head: &[&[u8]], text: &[u8]) -> Result<Option<Vec<u8>>, ChunkError> {
    if text.len() < MIN_COMPRESSED {
        return Ok(None);
    }
    let head = joined(head)?;
    let data = deflate::zlib(&head, text)?;
    Ok((data.len() - head.len() < text.len()).then_some(data))
}

/// A valid keyword in Latin-1 (11.3.3.1).
#[derive(Clone, Copy)]
pub(super) struct Keyword {
    bytes: [u8; Keyword::MAX_LEN],
    len: usize,
}

const EMPTY: Reason = "keyword must be 1 to 79 bytes, not 0";
const TOO_LONG: Reason = "keyword must be 1 to 79 bytes, not more";

impl Keyword {
    /// The bytes of the longest keyword.
    pub(super) const MAX_LEN: usize = 79;

    pub(super) fn new(keyword: &str) -> Result<Self, Reason> {
        let mut result = Keyword::empty();
        for c in keyword.chars() {
            let byte = u8::try_from(c);
            result.push(byte.map_err(
                |_| "keyword must be Latin-1: use translated_keyword for other characters",
            )?)?;
        }
        let bytes = result.bytes();
        if bytes.is_empty() {
            return Err(EMPTY);
        }
        if !bytes.iter().all(|&byte| is_printable(byte)) {
            return Err("keyword contains a non-printable character");
        }
        let outer = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
        if outer || bytes.windows(2).any(|pair| pair == b"  ") {
            return Err("keyword must have no space at its ends and no two spaces in a row");
        }
        Ok(result)
    }

    /// Corrects the keyword of a file. Returns it, and whether it was valid.
    ///
    /// Non-printable characters become spaces, several spaces in a row become
    /// one, and spaces at the ends are removed. libpng makes the same
    /// corrections when it writes.
    pub(super) fn corrected(given: &[u8]) -> Result<(Self, bool), Reason> {
        let mut result = Keyword::empty();
        if given.len() > Keyword::MAX_LEN {
            return Err(TOO_LONG);
        }
        for &byte in given {
            let byte = if is_printable(byte) { byte } else { b' ' };
            if byte != b' ' || !matches!(result.bytes(), [] | [.., b' ']) {
                result.push(byte)?;
            }
        }
        if let [.., b' '] = result.bytes() {
            result.len -= 1;
        }
        if result.len == 0 {
            return Err(EMPTY);
        }
        Ok((result, result.bytes() == given))
    }

    fn empty() -> Self {
        Keyword {
            bytes: [0; Keyword::MAX_LEN],
            len: 0,
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), Reason> {
        *self.bytes.get_mut(self.len).ok_or(TOO_LONG)? = byte;
        self.len += 1;
        Ok(())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, 32..=126 | 161..)
}
