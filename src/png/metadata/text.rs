//! Text, in whichever of three chunks holds it best, and what is compressed.

use super::Wrong;
use crate::deflate;

/// A text and its keyword.
///
/// The keyword has 1 to 79 characters of Latin-1 that can be seen, and single
/// spaces between them (11.3.3.1). `Title`, `Author`, `Description`,
/// `Copyright`, `Creation Time`, `Software`, `Disclaimer`, `Warning`, `Source`
/// and `Comment` have a meaning. The text is any but for the character 0, its
/// lines end with a line feed.
///
/// It is written as `tEXt` if it is short and Latin-1, `zTXt` if it is smaller
/// compressed, `iTXt` in UTF-8 if it has a language or other characters
/// (11.3.3.2 to 11.3.3.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text {
    /// What the text is about.
    pub keyword: String,
    /// The text.
    pub text: String,
    /// The language of the text, such as `en-GB` (BCP 47); empty if not said.
    pub language: String,
    /// The keyword in that language; empty if not said.
    pub translated: String,
}

/// From so many bytes on a text is tried compressed.
const LONG: usize = 256;

impl Text {
    /// A text in no language in particular.
    #[must_use]
    pub fn new(keyword: impl Into<String>, text: impl Into<String>) -> Self {
        Text {
            keyword: keyword.into(),
            text: text.into(),
            ..Text::default()
        }
    }

    /// The chunk that holds it best.
    pub(super) fn write(&self) -> ([u8; 4], Result<Vec<u8>, Wrong>) {
        let plain = self.language.is_empty() && self.translated.is_empty();
        let latin = latin1(&self.text).filter(|_| plain);
        let text = latin.as_deref().unwrap_or(self.text.as_bytes());
        let compressed = (text.len() >= LONG).then(|| deflated(text));
        let compressed = compressed.filter(|compressed| compressed.len() < text.len());
        let name = match (&latin, &compressed) {
            (Some(_), None) => *b"tEXt",
            (Some(_), Some(_)) => *b"zTXt",
            (None, _) => *b"iTXt",
        };
        (
            name,
            self.data(latin.is_some(), text, compressed.as_deref()),
        )
    }

    fn data(&self, latin: bool, text: &[u8], compressed: Option<&[u8]>) -> Result<Vec<u8>, Wrong> {
        if self.text.contains('\0') || self.translated.contains('\0') {
            return Err("text has no character 0");
        }
        let tag = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        if !self.language.bytes().all(tag) {
            return Err("a language has letters, digits and hyphens");
        }
        let mut data = keyword(&self.keyword)?;
        data.push(0);
        if !latin {
            data.extend([compressed.is_some().into(), 0]);
            data.extend(self.language.as_bytes());
            data.push(0);
            data.extend(self.translated.as_bytes());
            data.push(0);
        } else if compressed.is_some() {
            data.push(0);
        }
        data.extend(compressed.unwrap_or(text));
        Ok(data)
    }

    pub(super) fn parse(name: [u8; 4], data: &[u8], room: &mut usize) -> Result<Self, Wrong> {
        let (keyword, rest) = parse_keyword(data)?;
        let from_latin1 =
            |bytes: &[u8]| -> String { bytes.iter().map(|&b| char::from(b)).collect() };
        let mut result = Text {
            keyword,
            ..Text::default()
        };
        match &name {
            b"tEXt" => result.text = from_latin1(rest),
            b"zTXt" => {
                let Some((0, compressed)) = rest.split_first() else {
                    return Err("there is no such compression");
                };
                result.text = from_latin1(&inflated(compressed, room)?);
            }
            _ => {
                let &[compressed @ (0 | 1), 0, ref rest @ ..] = rest else {
                    return Err("there is no such compression");
                };
                let (language, rest) = until_zero(rest)?;
                let (translated, text) = until_zero(rest)?;
                let utf8 = |bytes: &[u8]| match std::str::from_utf8(bytes) {
                    Ok(text) => Ok(text.to_owned()),
                    Err(_) => Err("it is not UTF-8"),
                };
                result.language = utf8(language)?;
                result.translated = utf8(translated)?;
                result.text = if compressed == 1 {
                    utf8(&inflated(text, room)?)?
                } else {
                    utf8(text)?
                };
            }
        }
        if result.text.contains('\0') {
            return Err("text has no character 0");
        }
        Ok(result)
    }
}

/// The bytes before the first that is 0, and those behind it.
fn until_zero(data: &[u8]) -> Result<(&[u8], &[u8]), Wrong> {
    let at = data.iter().position(|&byte| byte == 0);
    let at = at.ok_or("it ends too early")?;
    Ok((&data[..at], &data[at + 1..]))
}

/// As Latin-1, if it has no other characters.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

/// A keyword as Latin-1, if it is one.
pub(super) fn keyword(keyword: &str) -> Result<Vec<u8>, Wrong> {
    let bytes = latin1(keyword).ok_or("a keyword has no characters beyond Latin-1")?;
    if bytes.is_empty() || bytes.len() > 79 {
        return Err("a keyword has 1 to 79 characters");
    }
    if !bytes.iter().all(|byte| matches!(byte, 32..=126 | 161..)) {
        return Err("a keyword has characters that can be seen");
    }
    let outer = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
    if outer || bytes.windows(2).any(|pair| pair == b"  ") {
        return Err("a keyword has single spaces, and none at its ends");
    }
    Ok(bytes)
}

pub(super) fn parse_keyword(data: &[u8]) -> Result<(String, &[u8]), Wrong> {
    let (bytes, rest) = until_zero(data)?;
    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    keyword(&text)?;
    Ok((text, rest))
}

pub(super) fn deflated(data: &[u8]) -> Vec<u8> {
    deflate::zlib(data)
}

pub(super) fn inflated(data: &[u8], room: &mut usize) -> Result<Vec<u8>, Wrong> {
    let inflated =
        deflate::inflate(data, *room).ok_or("what is compressed is damaged, or too long")?;
    *room -= inflated.len();
    Ok(inflated)
}
