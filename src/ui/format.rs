//! Numbers, times and cut texts as the screens write them. Every width is in terminal cells.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::Usd;

/// Cuts a text to `width` cells, the last of them `…` where something was cut.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > width {
            break;
        }
        used += w;
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Cuts a name in its middle, because names of one run differ at both ends.
pub fn cut_middle(text: &str, width: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    // Names are ASCII; in any other text a character may take two cells or none.
    if chars.len() <= width || width < 5 || text.width() != chars.len() {
        return cut(text, width);
    }
    let head = (width - 1).div_ceil(2);
    let tail = width - 1 - head;
    let end: String = chars[chars.len() - tail..].iter().collect();
    let start: String = chars[..head].iter().collect();
    format!("{start}…{end}")
}

/// Leaves out the ending that all names share, at a `-`, because it tells none from another.
pub fn short_names(names: &[&str]) -> Vec<String> {
    let Some(first) = names.first() else {
        return Vec::new();
    };
    let ends = first.match_indices('-').map(|(at, _)| &first[at..]);
    let shared = ends
        .filter(|_| names.len() > 1)
        .find(|end| names.iter().all(|n| n.ends_with(end)))
        .map_or(0, str::len);
    names
        .iter()
        .map(|n| n[..n.len() - shared].to_owned())
        .collect()
}

/// Cuts and pads a text to exactly `width` cells, flush left.
pub fn left(text: &str, width: usize) -> String {
    let mut out = cut(text, width);
    let used = out.width();
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    out
}

/// Cuts and pads a text to exactly `width` cells, flush right.
pub fn right(text: &str, width: usize) -> String {
    let cut = cut(text, width);
    let mut out = " ".repeat(width.saturating_sub(cut.width()));
    out.push_str(&cut);
    out
}

/// A time of day, `14:03:27`.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    let t = at.to_zoned(zone.clone()).time();
    format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
}

/// A time of day to the minute, `14:03`.
pub fn minute_of_day(at: Timestamp, zone: &TimeZone) -> String {
    let t = at.to_zoned(zone.clone()).time();
    format!("{:02}:{:02}", t.hour(), t.minute())
}

/// A day and a time, `2026-11-21 14:03`.
pub fn day_and_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// Milliseconds between two instants, 0 where the second is earlier.
pub fn since(from: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

/// A duration like a clock: `9:02`, `1:04:10`, `3d 04h`.
pub fn clock_span(ms: u64) -> String {
    let s = ms / 1000;
    let (d, h, m) = (s / 86_400, s / 3600 % 24, s / 60 % 60);
    if d > 0 {
        format!("{d}d {h:02}h")
    } else if h > 0 {
        format!("{h}:{m:02}:{:02}", s % 60)
    } else {
        format!("{m}:{:02}", s % 60)
    }
}

/// A duration in one or two units: `340 ms`, `12 s`, `18 m`, `1 h 37 m`, `3 d 4 h`.
pub fn rough_span(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0 => format!("{ms} ms"),
        1..60 => format!("{s} s"),
        60..600 if !s.is_multiple_of(60) => format!("{} m {:02} s", s / 60, s % 60),
        60..3600 => format!("{} m", s / 60),
        3600..86_400 => format!("{} h {:02} m", s / 3600, s / 60 % 60),
        _ => format!("{} d {} h", s / 86_400, s / 3600 % 24),
    }
}

/// A count in three digits: `812`, `14.2k`, `18.2M`.
pub fn compact(n: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let x = n as f64;
    match n {
        0..1_000 => n.to_string(),
        1_000..100_000 => format!("{:.1}k", x / 1e3),
        100_000..1_000_000 => format!("{}k", n / 1_000),
        1_000_000..100_000_000 => format!("{:.1}M", x / 1e6),
        100_000_000..1_000_000_000 => format!("{}M", n / 1_000_000),
        _ => format!("{:.1}G", x / 1e9),
    }
}

/// The share in percent, rounded down, so that 100 means all of it.
pub fn percent(done: u64, all: u64) -> u64 {
    (u128::from(done.min(all)) * 100)
        .checked_div(u128::from(all))
        .and_then(|p| u64::try_from(p).ok())
        .unwrap_or(0)
}

/// An amount without the currency sign and with two decimals, for columns.
pub fn money(amount: Usd) -> String {
    format!("{:.2}", amount.dollars())
}

/// `1 part`, `2 parts`.
pub fn count(n: u64, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {noun}{s}", crate::domain::text::thousands(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_never_exceeds_its_width() {
        for width in 0..12 {
            for text in ["", "abc", "abcdefghijklmnop", "日本語のテキスト", "é̂é̂é̂é̂é̂é̂é̂"]
            {
                assert!(cut(text, width).width() <= width, "{text} {width}");
                assert!(cut_middle(text, width).width() <= width, "{text} {width}");
                assert_eq!(left(text, width).width(), width, "{text} {width}");
                assert_eq!(right(text, width).width(), width, "{text} {width}");
            }
        }
        assert_eq!(cut_middle("gpt-oss-120b-structure", 11), "gpt-o…cture");
    }

    #[test]
    fn names_lose_the_ending_they_share() {
        assert_eq!(
            short_names(&["m-a-tp1-tk50", "m-b-tp1-tk50"]),
            ["m-a", "m-b"]
        );
        assert_eq!(short_names(&["m-a-tp1", "m-b-tp2"]), ["m-a-tp1", "m-b-tp2"]);
        assert_eq!(short_names(&["m-a-tp1"]), ["m-a-tp1"]);
        assert_eq!(short_names(&["x-a", "y-a"]), ["x", "y"]);
        assert!(short_names(&[]).is_empty());
    }

    #[test]
    fn a_hundred_percent_means_all() {
        assert_eq!(percent(999, 1000), 99);
        assert_eq!(percent(1000, 1000), 100);
        assert_eq!(percent(0, 0), 0);
    }

    #[test]
    fn spans_keep_their_shape() {
        assert_eq!(clock_span(542_000), "9:02");
        assert_eq!(clock_span(3_850_000), "1:04:10");
        assert_eq!(rough_span(340), "340 ms");
        assert_eq!(rough_span(5_820_000), "1 h 37 m");
        assert_eq!(compact(14_210), "14.2k");
    }
}
