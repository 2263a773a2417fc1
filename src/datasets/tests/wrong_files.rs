//! Wrong files: one error that names the file, what it is and what to do.

use super::*;

fn refusal(format: DatasetFormat, input: &[u8]) -> String {
    match rows(&spec(format), input) {
        Ok(rows) => panic!("{format:?} took {rows:?}"),
        Err(error) => error.to_string(),
    }
}

fn assert_mentions(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is missing in: {message}");
    }
    assert!(message.starts_with("data/file: "), "{message}");
}

#[test]
fn what_is_no_text_is_named() {
    let utf16: Vec<u8> = "{\"id\": 1}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let cases: [(&[u8], &str); 7] = [
        (&[b"\xff\xfe", &utf16[..]].concat(), "UTF-16"),
        (&utf16, "UTF-16 without its mark"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"PAR1rest", "binary table"),
        (b"{\"id\"\0\0: 1}", "binary file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    ];
    for format in DatasetFormat::ALL {
        for (input, found) in cases {
            assert_mentions(&refusal(format, input), &[found, "UTF-8", "line 1"]);
        }
    }
}

#[test]
fn an_empty_file_is_refused() {
    for format in DatasetFormat::ALL {
        assert_mentions(&refusal(format, b""), &["no rows"]);
    }
    assert_mentions(&refusal(DatasetFormat::Jsonl, b"\n\n"), &["no rows"]);
    assert_mentions(
        &refusal(DatasetFormat::Csv, b"id,question,answers\n"),
        &["no rows"],
    );
    assert_mentions(
        &refusal(DatasetFormat::Squad, b"{\"data\": []}"),
        &["no rows"],
    );
}

#[test]
fn html_is_told_from_data() {
    for format in DatasetFormat::ALL {
        let message = refusal(format, b"\n <!DOCTYPE html>\n<html>404</html>\n");
        assert_mentions(&message, &["line 2", "HTML", "raw file"]);
    }
}

#[test]
fn squad_given_as_lines_is_recognised() {
    let squad = br#"{"version": "v2.0", "data": [{"title": "T", "paragraphs": []}]}"#;
    for format in [
        DatasetFormat::Jsonl,
        DatasetFormat::NqOpen,
        DatasetFormat::Gsm8k,
    ] {
        assert_mentions(&refusal(format, squad), &["line 1", "format: squad"]);
    }
    let pretty = b"{\n  \"version\": \"v2.0\",\n  \"data\": []\n}\n";
    assert_mentions(
        &refusal(DatasetFormat::Jsonl, pretty),
        &["several lines", "squad"],
    );
}

#[test]
fn lines_given_as_a_tree_are_recognised() {
    let lines = b"{\"id\": 1, \"question\": \"q\", \"answers\": [\"x\"]}\n{\"id\": 2}\n";
    for format in [DatasetFormat::Squad, DatasetFormat::TriviaQa] {
        let message = refusal(format, lines);
        assert_mentions(
            &message,
            &["\"id\", \"question\", \"answers\"", "format: jsonl"],
        );
    }
}

#[test]
fn the_official_line_formats_are_told_apart() {
    let nq = b"{\"question\": \"q\", \"answer\": [\"x\"]}\n";
    let gsm = b"{\"question\": \"q\", \"answer\": \"1 #### 1\"}\n";
    assert_mentions(&refusal(DatasetFormat::Gsm8k, nq), &["format: nq_open"]);
    assert_mentions(&refusal(DatasetFormat::NqOpen, gsm), &["format: gsm8k"]);
    assert_mentions(&refusal(DatasetFormat::Jsonl, gsm), &["format: gsm8k"]);
}

#[test]
fn lists_and_tables_are_told_from_lines() {
    assert_mentions(
        &refusal(DatasetFormat::Jsonl, b"[{\"id\": 1}]"),
        &["JSON list", "jq"],
    );
    assert_mentions(
        &refusal(DatasetFormat::Csv, b"{\"id\": 1}\n"),
        &["format: jsonl"],
    );
    let table = b"id,question,answers\n1,q,x\n";
    assert_mentions(
        &refusal(DatasetFormat::Jsonl, table),
        &["id,question", "format: csv"],
    );
    assert_mentions(
        &refusal(DatasetFormat::Squad, b"hello\x1b[2J"),
        &["hello<U+001B>"],
    );
}

#[test]
fn a_field_that_no_row_has_is_named_once_with_its_neighbour() {
    let text = "{\"id\": 1, \"Question\": \"q\", \"answers\": \"x\"}\n".repeat(1000);
    let message = refusal(DatasetFormat::Jsonl, text.as_bytes());
    assert_mentions(
        &message,
        &[
            "first 100 rows",
            "\"question\"",
            "did you mean \"Question\"?",
        ],
    );
}

#[test]
fn an_optional_field_named_on_purpose_must_exist() {
    let mut spec = spec(DatasetFormat::Jsonl);
    spec.fields.context = "pasage".to_owned();
    let text = b"{\"id\": 1, \"question\": \"q\", \"answers\": \"x\", \"passage\": \"p\"}\n";
    let message = rows(&spec, text).unwrap_err().to_string();
    assert_mentions(
        &message,
        &["fields.context", "\"pasage\"", "did you mean \"passage\"?"],
    );
    spec.format = DatasetFormat::Csv;
    let message = rows(&spec, b"id,question,answers,passage\n1,q,x,p\n")
        .unwrap_err()
        .to_string();
    assert_mentions(&message, &["fields.context", "did you mean \"passage\"?"]);
}

#[test]
fn a_csv_header_without_a_needed_column_is_named_with_those_that_are_there() {
    let message = refusal(DatasetFormat::Csv, b"id,questions,answers\n1,q,x\n");
    assert_mentions(
        &message,
        &[
            "\"question\"",
            "\"id\", \"questions\", \"answers\"",
            "did you mean \"questions\"?",
        ],
    );
    let message = refusal(DatasetFormat::Csv, b"id;question;answers\n1;q;x\n");
    assert_mentions(&message, &["\"id;question;answers\""]);
    let message = refusal(DatasetFormat::Csv, b"id,question,answers,id\n1,q,x,2\n");
    assert_mentions(&message, &["\"id\" more than once"]);
}

#[test]
fn broken_json_of_a_tree_is_placed() {
    let cut = b"{\"data\": [\n{\"title\": \"T\", \"paragraphs\": [{\"context\": \"c\", \"qas\": [{\"id\": \"1\"";
    assert_mentions(&refusal(DatasetFormat::Squad, cut), &["line 2", "broken"]);
    assert_mentions(
        &refusal(DatasetFormat::Squad, b"{\"data\": {}}"),
        &["line 1", "a list under"],
    );
    let tail = br#"{"Data": [{"QuestionId": "1", "Question": "q", "Answer": {"Value": "x"}}]} {}"#;
    assert_mentions(
        &refusal(DatasetFormat::TriviaQa, tail),
        &["column", "broken"],
    );
}
