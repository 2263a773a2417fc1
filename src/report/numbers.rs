//! Numbers as people read them: shares in percent, differences in percentage points, p-values, money.

use crate::domain::text::thousands;

/// What stands for a number that does not exist.
pub const ABSENT: &str = "–";

/// A share from 0 to 1 in percent with two decimals, e.g. `93.40 %`.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| ABSENT.to_owned(), |s| format!("{:.2} %", s * 100.0))
}

/// A difference of shares in percentage points with its sign, e.g. `+0.68 pp`.
pub fn points(difference: Option<f64>) -> String {
    difference.map_or_else(
        || ABSENT.to_owned(),
        |d| format!("{} pp", signed(d * 100.0)),
    )
}

/// An interval of a difference, e.g. `-0.45 to +1.82 pp`.
pub fn interval(ends: Option<[f64; 2]>) -> String {
    ends.map_or_else(
        || ABSENT.to_owned(),
        |[low, high]| format!("{} to {} pp", signed(low * 100.0), signed(high * 100.0)),
    )
}

/// Two decimals with a sign; what rounds to zero has none.
pub fn signed(x: f64) -> String {
    let text = format!("{x:+.2}");
    match text.as_str() {
        "+0.00" | "-0.00" => "0.00".to_owned(),
        _ => text,
    }
}

/// A plain number with three decimals.
pub fn decimal(x: Option<f64>) -> String {
    x.map_or_else(
        || ABSENT.to_owned(),
        |x| {
            let text = format!("{x:.3}");
            if text == "-0.000" {
                "0.000".to_owned()
            } else {
                text
            }
        },
    )
}

/// A p-value: three decimals, four below 0.01, never `0`.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        None => ABSENT.to_owned(),
        Some(p) if p < 0.0001 => "< 0.0001".to_owned(),
        Some(p) if p < 0.01 => format!("{p:.4}"),
        Some(p) => format!("{p:.3}"),
    }
}

/// A p-value behind its letter, e.g. `p = 0.298`, `q < 0.0001`.
pub fn p_named(letter: &str, p: Option<f64>) -> String {
    let text = p_value(p);
    if text.starts_with('<') {
        format!("{letter} {text}")
    } else {
        format!("{letter} = {text}")
    }
}

/// Dollars: two decimals from ten dollars up, four below, more where that would show nothing; `unknown` without one.
pub fn usd(dollars: Option<f64>) -> String {
    match dollars {
        None => "unknown".to_owned(),
        Some(d) if d.abs() >= 10.0 => format!("${d:.2}"),
        Some(d) if d.abs() >= 0.001 || d.abs() <= 0.0 => format!("${d:.4}"),
        Some(d) => format!("${d:.2e}"),
    }
}

/// A share of counts in percent with one decimal.
pub fn part_of(part: u64, whole: u64) -> String {
    if whole == 0 {
        return ABSENT.to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    let share = part as f64 / whole as f64;
    format!("{:.1} %", share * 100.0)
}

/// A count with thousands separators.
pub fn count(n: u64) -> String {
    thousands(n)
}
