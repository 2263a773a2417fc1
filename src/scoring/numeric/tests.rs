use super::rational::Rational;
use super::*;

fn number(top: i128, bottom: i128) -> Option<Value> {
    Rational::new(top, bottom).map(Value::Number)
}

/// Text, numerator, denominator.
const NUMBERS: &[(&str, i128, i128)] = &[
    ("18", 18, 1),
    ("18.", 18, 1),
    ("18.00", 18, 1),
    ("It is 1,234.", 1234, 1),
    ("1,234,567.5 km", 2_469_135, 2),
    ("1,23", 23, 1),
    ("12,3456", 3456, 1),
    ("1{,}234", 1234, 1),
    ("1\\,234", 1234, 1),
    ("1,\\!234", 1234, 1),
    ("70\u{202f}000", 70_000, 1),
    ("-5", -5, 1),
    ("−5", -5, 1),
    ("-$5.50", -11, 2),
    ("$-5.50", -11, 2),
    ("−€3", -3, 1),
    ("+7", 7, 1),
    ("5-3", 3, 1),
    ("5–10", 10, 1),
    ("x - 5", 5, 1),
    ("\\$18", 18, 1),
    ("50%", 50, 1),
    ("50\\%", 50, 1),
    (".5", 1, 2),
    ("0.5 of it", 1, 2),
    ("3/4", 3, 4),
    ("3 / 4", 3, 4),
    ("6/8", 3, 4),
    ("1,000/3", 1000, 3),
    ("on 3/4/2020", 2020, 1),
    ("7/0", 0, 1),
    ("\\frac{3}{4}", 3, 4),
    ("-\\frac{3}{4}", -3, 4),
    ("\\dfrac{-3}{4}", -3, 4),
    ("\\tfrac12", 1, 2),
    ("\\frac{1{,}000}{3}", 1000, 3),
    ("\\frac{x}{2}", 2, 1),
    ("2 1/2", 5, 2),
    ("-2 1/2", -5, 2),
    ("2\\frac{1}{2}", 5, 2),
    ("2 \\, \\dfrac{1}{2}", 5, 2),
    ("2½", 5, 2),
    ("¾ cup", 3, 4),
    ("2 7/3", 7, 3),
    ("1e3", 1000, 1),
    ("1.5E-3", 3, 2000),
    ("1.5 \\times 10^{3}", 1500, 1),
    ("1.5 × 10^3 m", 1500, 1),
    ("2 x 10^-2", 1, 50),
    ("10^6", 1_000_000, 1),
    ("2^{10}", 1024, 1),
    ("25 m^2", 25, 1),
    ("25 \\text{ m}^{2}", 25, 1),
    ("8 from x_1", 8, 1),
    ("8 from x_{12}", 8, 1),
    ("_5_", 5, 1),
    ("**12**", 12, 1),
    ("5kg", 5, 1),
    ("the 20th", 20, 1),
    ("a 3:2 split", 2, 1),
    ("version 1.2.3", 3, 1),
    ("1.2e", 6, 5),
    ("7eggs", 7, 1),
];

#[test]
fn the_number_of_an_answer_is_read_as_people_read_it() {
    for (text, top, bottom) in NUMBERS {
        assert_eq!(numeric_answer(text), number(*top, *bottom), "{text}");
    }
}

#[test]
fn the_last_closed_box_decides() {
    for (text, top) in [
        ("\\boxed{3} and then 99", 3),
        ("\\boxed{3} or \\boxed{4}", 4),
        ("\\boxed {4} 5", 4),
        (
            "\\boxed{\\text{about } 12 \\text{ months of 30 days}} 7",
            12,
        ),
        ("\\boxed{\\text{12 apples}}", 12),
        ("\\boxed{5 \\times 3 = 15}", 15),
        ("\\boxed{x = \\$1{,}500}", 1500),
        ("\\boxed{25\\text{ cm}^2}", 25),
        ("\\boxed{\\mathrm{min}\\{3, 4\\}}", 4),
        ("\\boxed{9} then cut \\boxed{1", 9),
        ("cut \\boxed{17", 17),
    ] {
        assert_eq!(numeric_answer(text), number(top, 1), "{text}");
    }
    assert_eq!(numeric_answer("5 \\boxed{\\text{none}}"), None);
    assert_eq!(numeric_answer("5 \\boxed{}"), None);
}

#[test]
fn a_time_equals_only_a_time() {
    assert_eq!(numeric_answer("at 5:30"), Some(Value::Time(19_800)));
    assert_eq!(numeric_answer("5:30:10 h"), Some(Value::Time(19_810)));
    assert_ne!(numeric_answer("5:30"), number(30, 1));
    assert_eq!(numeric_answer("5:75"), number(75, 1));
}

#[test]
fn what_is_no_number_equals_nothing() {
    for text in [
        "",
        "none",
        "-",
        ".",
        "\\frac{}{}",
        "e5x",
        "x^2",
        &"9".repeat(40),
        &format!("1e{}", "9".repeat(9)),
    ] {
        let value = numeric_answer(text);
        assert!(value.is_none() || text == "e5x", "{text} {value:?}");
    }
    let huge = format!("7 and {}", "9".repeat(60));
    assert_eq!(numeric_answer(&huge), None);
}

#[test]
fn no_text_makes_the_scanner_stumble() {
    for text in [
        "\\boxed{\\é}",
        "\\boxed{\\text{é} \\",
        "^é",
        "_é",
        "a_",
        "^",
        "1^",
        "1^{",
        "1/",
        "1/é",
        "\\frac",
        "\\frac{1}",
        "1:é",
        "1:5é",
        "12:3\u{e9}",
        "1e",
        "1e+",
        "10^",
        "1×10^",
        "−",
        "-$",
        "½½",
        "1 ½é",
        "\\boxed",
        "\\boxed{",
        "1,é",
        "\u{2009}1\u{2009}",
    ] {
        let value = numeric_answer(text);
        assert_eq!(value, numeric_answer(text), "{text}");
    }
}

#[test]
fn gold_answers_are_read_like_responses() {
    let scratch = &mut Normalized::default();
    let gold = GoldNumbers::new(&["1,000".to_owned(), "blue".to_owned()], scratch);
    for (text, right) in [
        ("so 1000.0", true),
        ("$1,000", true),
        ("100", false),
        ("Blue.", true),
        ("red", false),
    ] {
        assert_eq!(gold.accept(text, &Normalized::of(text)), right, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_mixture_of_signs_stops_the_scanner(
        text in r"([0-9]{1,4}|[-−+$€,.:/^_ {}()é½]|\\frac|\\text\{|\\boxed\{|\\times|\\,|10\^|e){0,24}"
    ) {
        let value = numeric_answer(&text);
        proptest::prop_assert_eq!(value, numeric_answer(&text));
    }
}
