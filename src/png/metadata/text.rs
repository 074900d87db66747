//! Text, in whichever of three chunks holds it best.

use std::borrow::Cow;

use super::parser::Parser;
use super::{Refusal, Wrong};
use crate::alloc::{joined, with_capacity};
use crate::deflate;

/// A text and its keyword.
///
/// The keyword has 1 to 79 printable characters of Latin-1, with single spaces
/// between them (11.3.3.1). `Title`, `Author`, `Description`, `Copyright`,
/// `Creation Time`, `Software`, `Disclaimer`, `Warning`, `Source` and `Comment`
/// have a meaning. The text has any characters but NUL, its lines end with a
/// line feed.
///
/// It is written as `tEXt` if it is short and Latin-1, `zTXt` if it is smaller
/// compressed, `iTXt` in UTF-8 if it has a language or other characters
/// (11.3.3.2 to 11.3.3.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text {
    /// The subject of the text.
    pub keyword: String,
    /// The text.
    pub text: String,
    /// The language of the text, such as `en-GB` (BCP 47); empty if unknown.
    pub language: String,
    /// The keyword in that language; empty if there is none.
    pub translated: String,
}

/// Text of at least this many bytes is tried compressed.
const LONG: usize = 256;

impl Text {
    /// Returns a text in no language in particular.
    #[must_use]
    pub fn new(keyword: impl Into<String>, text: impl Into<String>) -> Self {
        Text {
            keyword: keyword.into(),
            text: text.into(),
            ..Text::default()
        }
    }

    /// Returns the chunk that holds the text best.
    pub(super) fn write(&self) -> ([u8; 4], Result<Vec<u8>, Refusal>) {
        let plain = self.language.is_empty() && self.translated.is_empty();
        if plain && self.text.chars().all(|c| u8::try_from(c).is_ok()) {
            return match self.latin1() {
                Ok((true, data)) => (*b"zTXt", Ok(data)),
                Ok((false, data)) => (*b"tEXt", Ok(data)),
                Err(refusal) => (*b"tEXt", Err(refusal)),
            };
        }
        (*b"iTXt", self.utf8())
    }

    /// Returns whether the data is compressed, and the data.
    fn latin1(&self) -> Result<(bool, Vec<u8>), Refusal> {
        let keyword = self.check()?;
        let text = latin1(&self.text)?;
        let head: &[&[u8]] = &[keyword.bytes(), &[0]];
        if let Some(data) = deflated(&[head[0], &[0, 0]], &text)? {
            return Ok((true, data));
        }
        Ok((false, joined(&[head[0], head[1], &text])?))
    }

    fn utf8(&self) -> Result<Vec<u8>, Refusal> {
        let keyword = self.check()?;
        let head = |compressed: u8| {
            let flags = [0, compressed, 0];
            let (language, translated) = (self.language.as_bytes(), self.translated.as_bytes());
            joined(&[keyword.bytes(), &flags, language, &[0], translated, &[0]])
        };
        let text = self.text.as_bytes();
        if let Some(data) = deflated(&[&head(1)?], text)? {
            return Ok(data);
        }
        Ok(joined(&[&head(0)?, text])?)
    }

    /// Checks all fields and returns the keyword.
    fn check(&self) -> Result<Keyword, Wrong> {
        if self.text.contains('\0') || self.translated.contains('\0') {
            return Err("text has no NUL");
        }
        if !self.language.bytes().all(is_of_language) {
            return Err("a language has letters, digits and hyphens");
        }
        Keyword::new(&self.keyword)
    }

    pub(super) fn parse(
        name: [u8; 4],
        data: &[u8],
        parser: &mut Parser<'_>,
    ) -> Result<Self, Refusal> {
        let (keyword, rest) = match until_zero(data) {
            Ok(parts) => parts,
            // As libpng has it: a keyword without an end has an empty text.
            Err(_) if name == *b"tEXt" => {
                parser.correct("the keyword has no end: the text is empty");
                (data, &[][..])
            }
            Err(what) => return Err(what.into()),
        };
        let mut result = Text {
            keyword: parser.keyword(keyword)?,
            ..Text::default()
        };
        match (&name, rest) {
            (b"tEXt", text) => result.text = parser.latin1(text)?,
            (b"zTXt", [0, compressed @ ..]) => result.text = parser.inflate_latin1(compressed)?,
            // The method of what is not compressed is ignored (11.3.3.4).
            (b"iTXt", [0, _, rest @ ..] | [1, 0, rest @ ..]) => {
                let (language, rest) = until_zero(rest)?;
                let (translated, text) = until_zero(rest)?;
                result.language = parser.language(language)?;
                result.translated = parser.utf8(translated)?;
                result.text = if data[keyword.len() + 1] == 1 {
                    parser.inflate_utf8(text)?
                } else {
                    parser.utf8(text)?
                };
            }
            _ => return Err("there is no such compression".into()),
        }
        Ok(result)
    }
}

/// Returns whether a character may be in the name of a language.
pub(super) fn is_of_language(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'-'
}

/// Returns the bytes before the first that is 0, and those behind it.
pub(super) fn until_zero(data: &[u8]) -> Result<(&[u8], &[u8]), Wrong> {
    let at = data.iter().position(|&byte| byte == 0);
    let at = at.ok_or("the chunk ends too early")?;
    Ok((&data[..at], &data[at + 1..]))
}

/// Returns the characters of a text, which has no others, as Latin-1.
fn latin1(text: &str) -> Result<Cow<'_, [u8]>, Refusal> {
    if text.is_ascii() {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    let mut bytes = with_capacity(text.chars().count())?;
    bytes.extend(text.chars().map(|c| c as u8));
    Ok(Cow::Owned(bytes))
}

/// Returns a text compressed behind its head, if it is smaller so.
fn deflated(head: &[&[u8]], text: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    if text.len() < LONG {
        return Ok(None);
    }
    let head = joined(head)?;
    let data = deflate::zlib(&head, text)?;
    Ok((data.len() - head.len() < text.len()).then_some(data))
}

/// A keyword by the rules of 11.3.3.1, in Latin-1.
#[derive(Clone, Copy)]
pub(super) struct Keyword {
    bytes: [u8; Keyword::MOST],
    len: usize,
}

const SIZE: Wrong = "a keyword has 1 to 79 characters";

impl Keyword {
    pub(super) const MOST: usize = 79;

    pub(super) fn new(keyword: &str) -> Result<Self, Wrong> {
        let mut result = Keyword::empty();
        for c in keyword.chars() {
            let byte = u8::try_from(c);
            result.push(byte.map_err(|_| "a keyword has no characters beyond Latin-1")?)?;
        }
        let bytes = result.bytes();
        if bytes.is_empty() {
            return Err(SIZE);
        }
        if !bytes.iter().all(|&byte| is_printable(byte)) {
            return Err("keyword contains a non-printable character");
        }
        let outer = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
        if outer || bytes.windows(2).any(|pair| pair == b"  ") {
            return Err("a keyword has single spaces, and none at its ends");
        }
        Ok(result)
    }

    /// Returns the keyword of a file by the rules, and whether it followed them.
    ///
    /// Characters that can't be printed become spaces, spaces become single
    /// ones, and those at the ends go: as libpng corrects them when it writes.
    pub(super) fn corrected(given: &[u8]) -> Result<(Self, bool), Wrong> {
        let mut result = Keyword::empty();
        if given.len() > Keyword::MOST {
            return Err(SIZE);
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
            return Err(SIZE);
        }
        Ok((result, result.bytes() == given))
    }

    fn empty() -> Self {
        Keyword {
            bytes: [0; Keyword::MOST],
            len: 0,
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), Wrong> {
        *self.bytes.get_mut(self.len).ok_or(SIZE)? = byte;
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
