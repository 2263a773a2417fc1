//! JSON as the predecessor's Python wrote it, so that built parts keep their bytes.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// Writes `, ` and `: ` between elements, as Python's `json.dumps` does by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// Writes a value on one line as `json.dumps(value, ensure_ascii=False)` would, with a closing line feed.
pub fn write_line(writer: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *writer, PythonFormatter);
    value.serialize(&mut serializer).map_err(io::Error::from)?;
    writer.write_all(b"\n")
}

/// Reads one line up to `\n` into `line` without its end (`\n` or `\r\n`); `false` at the end of the input.
///
/// Splits on the line feed only: U+2028, U+0085 and a lone carriage return are text (guarantees, P16).
pub fn read_line(reader: &mut impl io::BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if reader.read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_look_like_python_json() {
        let mut out = Vec::new();
        let value = serde_json::json!({"a": [1, "é\u{2028}"], "b": {"c": null}});
        assert!(write_line(&mut out, &value).is_ok());
        assert_eq!(
            String::from_utf8_lossy(&out),
            "{\"a\": [1, \"é\u{2028}\"], \"b\": {\"c\": null}}\n"
        );
    }

    #[test]
    fn only_line_feeds_end_lines() {
        let mut input = &b"a\xe2\x80\xa8b\rc\r\nd"[..];
        let mut line = Vec::new();
        assert!(matches!(read_line(&mut input, &mut line), Ok(true)));
        assert_eq!(line, b"a\xe2\x80\xa8b\rc");
        assert!(matches!(read_line(&mut input, &mut line), Ok(true)));
        assert_eq!(line, b"d");
        assert!(matches!(read_line(&mut input, &mut line), Ok(false)));
    }
}
