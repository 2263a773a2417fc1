//! What a failed call means, decided once for every service: the table of `batch-apis.md`, section 8.
//!
//! Also the one place where a server's words become ours: secrets out, control characters shown, length cut.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::ProviderErrorKind;
use crate::domain::text;

/// Longest message of a server that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;

/// What it would mean to make a call twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: a look, or a call whose second time is refused or changes nothing.
    Repeatable,
    /// A second job. Never repeated below the engine, and any doubt about its outcome is `Uncertain`.
    Creates,
}

/// Where a call broke without an answer that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// No byte of the request left: name, connection or TLS.
    BeforeSend,
    /// The request left, or may have: timeout, reset, cut answer.
    AfterSend,
    /// An answer came whole, but not as agreed.
    Garbled,
}

impl Effect {
    /// The kind of a call that broke.
    pub fn of_break(self, at: Break) -> ProviderErrorKind {
        match (self, at) {
            (_, Break::BeforeSend) | (Self::Repeatable, Break::AfterSend) => {
                ProviderErrorKind::Transient
            }
            (Self::Repeatable, Break::Garbled) => ProviderErrorKind::Garbled,
            (Self::Creates, Break::AfterSend | Break::Garbled) => ProviderErrorKind::Uncertain,
        }
    }

    /// The kind of an answer that is not a success.
    ///
    /// 1. A message about the number of jobs is a full queue, whatever its status (Fireworks, batch-apis 2.6).
    /// 2. 429 and 529 say that nothing was done.
    /// 3. 408 and 5xx say nothing about what was done; neither does a redirect after a create.
    /// 4. 401, 402, 403 and 412 need a person.
    /// 5. Everything else in the 400s is our fault and stays so.
    pub fn of_status(self, status: u16, message: &str) -> ProviderErrorKind {
        let unclear = match self {
            Self::Repeatable => ProviderErrorKind::Transient,
            Self::Creates => ProviderErrorKind::Uncertain,
        };
        match status {
            400..=499 if message.contains("job-submission-count") => ProviderErrorKind::QueueFull,
            429 | 529 => ProviderErrorKind::Transient,
            408 | 500..=599 => unclear,
            401 | 402 | 403 | 412 => ProviderErrorKind::Account,
            400..=499 => ProviderErrorKind::Rejected,
            300..=399 if self == Self::Repeatable => ProviderErrorKind::Rejected,
            _ => self.of_break(Break::Garbled),
        }
    }
}

/// Makes a server's words fit to be kept and shown; knows the secret that must not be among them.
#[derive(Clone)]
pub struct Censor {
    secret: SecretString,
}

impl Censor {
    /// A censor of one secret.
    pub fn new(secret: SecretString) -> Self {
        Self { secret }
    }

    /// The text without the secret, with control characters shown as `<U+XXXX>`, cut to 500 characters.
    pub fn clean(&self, words: &str) -> String {
        // The secret goes first: a cut through its middle would leave half of it.
        let secret = self.secret.expose_secret();
        let words = if secret.is_empty() || !words.contains(secret) {
            words.to_owned()
        } else {
            words.replace(secret, "<key>")
        };
        text::shorten(text::printable(words.trim()).trim(), LONGEST_MESSAGE)
    }
}

impl fmt::Debug for Censor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Censor")
    }
}

#[cfg(test)]
mod tests {
    use super::ProviderErrorKind as Kind;
    use super::*;

    #[test]
    fn every_status_has_its_kind() {
        let table: &[(&[u16], Kind, Kind)] = &[
            // Statuses, kind for looks, kind for creates.
            (
                &[408, 500, 502, 503, 504, 520, 599],
                Kind::Transient,
                Kind::Uncertain,
            ),
            (&[429, 529], Kind::Transient, Kind::Transient),
            (&[401, 402, 403, 412], Kind::Account, Kind::Account),
            (
                &[400, 404, 405, 409, 410, 413, 418, 422],
                Kind::Rejected,
                Kind::Rejected,
            ),
            (&[301, 302, 303, 307, 308], Kind::Rejected, Kind::Uncertain),
            (&[101, 600, 999], Kind::Garbled, Kind::Uncertain),
        ];
        for (statuses, look, create) in table {
            for status in *statuses {
                assert_eq!(Effect::Repeatable.of_status(*status, ""), *look, "{status}");
                assert_eq!(Effect::Creates.of_status(*status, ""), *create, "{status}");
            }
        }
    }

    #[test]
    fn a_full_queue_is_known_by_its_message() {
        let message = "quota exceeded for global--batch-job-submission-count";
        for status in [400, 403, 429] {
            assert_eq!(Effect::Creates.of_status(status, message), Kind::QueueFull);
        }
        assert_eq!(Effect::Creates.of_status(500, message), Kind::Uncertain);
    }

    #[test]
    fn only_a_request_that_never_left_is_certain() {
        assert_eq!(Effect::Creates.of_break(Break::BeforeSend), Kind::Transient);
        assert_eq!(Effect::Creates.of_break(Break::AfterSend), Kind::Uncertain);
        assert_eq!(Effect::Creates.of_break(Break::Garbled), Kind::Uncertain);
        assert_eq!(
            Effect::Repeatable.of_break(Break::AfterSend),
            Kind::Transient
        );
    }

    #[test]
    fn no_part_of_the_key_survives_a_cut() {
        let censor = Censor::new(SecretString::from("fw_0123456789abcdef"));
        let echo = format!(
            "{}fw_0123456789abcdef and \u{1b}[2J{}",
            "x".repeat(490),
            "y".repeat(900)
        );
        let clean = censor.clean(&echo);
        assert!(clean.chars().count() <= 500);
        assert!(!clean.contains("fw_0"), "{clean}");
        assert_eq!(
            censor.clean("bad key fw_0123456789abcdef\u{1b}[2J\n"),
            "bad key <key><U+001B>[2J"
        );
        assert_eq!(format!("{censor:?}"), "Censor");
    }
}
