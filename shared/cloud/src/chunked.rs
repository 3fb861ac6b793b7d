//! The `aws-chunked` content coding, in which the SDK sends a body with a trailing checksum.
//!
//! Source: "Signature calculations for the Authorization header: transferring payload in multiple chunks"
//! of the Amazon S3 API reference. Chunk signatures and trailing checksums are not checked: the connection
//! never leaves the machine.

use bytes::Bytes;

/// Takes the data out of its chunks. `None` if the coding is broken or the data is not `length` bytes long.
pub(crate) fn decode(mut rest: &[u8], length: Option<usize>) -> Option<Bytes> {
    let mut data = Vec::with_capacity(rest.len());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let head = std::str::from_utf8(&rest[..end]).ok()?;
        let size = head.split(';').next().unwrap_or(head);
        // No sign, no blank, and no more digits than a length can have.
        if size.is_empty() || size.len() > 8 || !size.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            // Trailing headers follow, which say nothing about the data itself.
            break;
        }
        data.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
    length.is_none_or(|length| length == data.len()).then(|| data.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_trailers_dropped() {
        let body = b"5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        assert_eq!(decode(body, Some(11)).unwrap(), "hello world");
        assert_eq!(decode(b"0\r\n\r\n", Some(0)).unwrap(), "");
    }

    #[test]
    fn a_broken_coding_is_refused() {
        for body in [
            &b""[..],
            b"5\r\nhello",
            b"5\r\nhel\r\n0\r\n\r\n",
            b"5\r\nhello!!0\r\n\r\n",
            b"-1\r\n\r\n",
            b"+5\r\nhello\r\n0\r\n\r\n",
            b"fffffffff\r\n\r\n",
            b"zz\r\n\r\n",
            b"\r\n\r\n",
        ] {
            assert_eq!(decode(body, None), None, "{body:?}");
        }
        assert_eq!(decode(b"5\r\nhello\r\n0\r\n\r\n", Some(6)), None);
    }
}
