//! Whether the response to a GET is what was asked for.

use std::ops::Range;

const OK: u16 = 200;
const PARTIAL_CONTENT: u16 = 206;

/// What a response says of its body.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    pub status: u16,
    pub content_range: Option<&'a str>,
    pub content_length: Option<u64>,
}

/// The size of the whole object, if the body is what was asked for. A body from any other place in the object would be
/// taken for the right one: nothing behind this compares it with a hash.
///
/// If the object ends within the range, its size is returned, too: the caller compares it.
pub fn size_of_object(asked: Option<&Range<u64>>, said: Said<'_>) -> Result<u64, String> {
    let Some(asked) = asked else {
        return match (said.status, said.content_length) {
            (OK, Some(length)) => Ok(length),
            (OK, None) => Err("it did not say how long the object is".to_owned()),
            (status, _) => Err(format!(
                "it responded {status} to a request for a whole object"
            )),
        };
    };
    let request = format!(
        "a request for the bytes {}-{}",
        asked.start,
        asked.end.saturating_sub(1)
    );
    if said.status != PARTIAL_CONTENT {
        return Err(format!(
            "it responded {} where 206 is due to {request}",
            said.status
        ));
    }
    let text = said.content_range.unwrap_or_default();
    let Some((first, last, size)) = parse(text) else {
        return Err(format!(
            "it responded with the Content-Range `{text}` to {request}"
        ));
    };
    let end = asked.end.min(size);
    let is_asked = first == asked.start && last.checked_add(1) == Some(end);
    let is_as_long = said
        .content_length
        .is_none_or(|length| Some(length) == end.checked_sub(first));
    if is_asked && is_as_long {
        Ok(size)
    } else {
        Err(format!(
            "it responded with the Content-Range `{text}` and {} bytes to {request}",
            said.content_length.unwrap_or_default()
        ))
    }
}

/// First byte, last byte and size of `bytes 0-99/1000`.
fn parse(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((
        first.trim().parse().ok()?,
        last.trim().parse().ok()?,
        size.trim().parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, content_range: &str, content_length: Option<u64>) -> Said<'_> {
        Said {
            status,
            content_range: Some(content_range).filter(|text| !text.is_empty()),
            content_length,
        }
    }

    #[test]
    fn the_asked_range_is_believed() {
        for (range, length) in [
            ("bytes 10-19/100", Some(10)),
            ("bytes 10-19/100", None),
            ("bytes 10-19/20", Some(10)),
        ] {
            let size = size_of_object(Some(&(10..20)), said(206, range, length));
            assert!(size.is_ok(), "{range}: {size:?}");
        }
        // The object ends within the range.
        let cut = size_of_object(Some(&(10..20)), said(206, "bytes 10-14/15", Some(5)));
        assert_eq!(cut, Ok(15));
    }

    #[test]
    fn anything_else_is_not() {
        for (status, range, length) in [
            (200, "", Some(100)),
            (200, "bytes 10-19/100", Some(10)),
            (206, "", Some(10)),
            (206, "bytes 0-9/100", Some(10)),
            (206, "bytes 10-18/100", Some(9)),
            (206, "bytes 10-29/100", Some(20)),
            (206, "bytes 10-19/100", Some(9)),
            (206, "bytes 10-19/*", Some(10)),
            (206, "bytes 10-18446744073709551615/5", Some(10)),
            (206, "10-19/100", Some(10)),
        ] {
            let size = size_of_object(Some(&(10..20)), said(status, range, length));
            assert!(size.is_err(), "{status} {range} {length:?}: {size:?}");
        }
    }

    #[test]
    fn a_whole_object_is_believed_if_its_length_is_known() {
        assert_eq!(size_of_object(None, said(200, "", Some(7))), Ok(7));
        assert!(size_of_object(None, said(200, "", None)).is_err());
        assert!(size_of_object(None, said(206, "bytes 0-6/9", Some(7))).is_err());
    }
}
