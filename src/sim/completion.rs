//! One chat completion in the shape that all dialects share.

use serde::Serialize;

use crate::domain::Digest;

/// A chat completion. Its fields are in the order of the wire.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Completion<'a> {
    /// `chatcmpl-` and a digest of what was asked, so that the same request gets the same bytes in every job.
    pub id: String,
    object: &'static str,
    /// Unix seconds, drawn from the same digest.
    pub created: u64,
    /// The model.
    pub model: &'a str,
    /// The answers.
    pub choices: Vec<Choice>,
    /// Tokens.
    pub usage: Usage,
}

/// One answer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Choice {
    index: u32,
    message: Answer,
    finish_reason: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Answer {
    role: &'static str,
    content: String,
}

/// Tokens used.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Usage {
    /// Input.
    pub prompt_tokens: u64,
    /// Output.
    pub completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: CachedTokens,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct CachedTokens {
    cached_tokens: u64,
}

/// Where answers end early.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    /// The most tokens of one answer.
    pub max_tokens: Option<u32>,
    /// Texts before which an answer ends.
    pub stop: &'a [String],
}

/// Tokens of a text: a quarter of its characters, rounded up, the usual estimate for English.
pub(super) fn tokens(characters: usize) -> u64 {
    (characters as u64).div_ceil(4)
}

impl<'a> Completion<'a> {
    /// Assembles the completion of one request from its answers.
    pub(super) fn new(
        asked: Digest,
        model: &'a str,
        answers: Vec<String>,
        prompt_tokens: u64,
        limits: Limits<'_>,
    ) -> Self {
        let mut completion_tokens = 0;
        let choices = (0..)
            .zip(answers)
            .map(|(index, answer)| {
                let (content, finish_reason) = finish(answer, limits);
                completion_tokens += tokens(content.chars().count());
                Choice {
                    index,
                    message: Answer {
                        role: "assistant",
                        content,
                    },
                    finish_reason,
                }
            })
            .collect();
        let [a, b, c, d, ..] = asked.bytes();
        Self {
            id: format!("chatcmpl-{}", &asked.to_string()[..24]),
            object: "chat.completion",
            created: 1_780_000_000 + u64::from(u32::from_le_bytes([a, b, c, d]) % 10_000_000),
            model,
            choices,
            usage: Usage {
                prompt_tokens,
                completion_tokens,
                total_tokens: prompt_tokens + completion_tokens,
                prompt_tokens_details: CachedTokens { cached_tokens: 0 },
            },
        }
    }
}

/// Cuts an answer at the first stop text and at the token limit, and says which it was.
fn finish(mut answer: String, limits: Limits<'_>) -> (String, &'static str) {
    let stop = limits
        .stop
        .iter()
        .filter(|s| !s.is_empty())
        .filter_map(|s| answer.find(s.as_str()))
        .min();
    if let Some(at) = stop {
        answer.truncate(at);
    }
    let most = limits.max_tokens.map_or(usize::MAX, |t| t as usize * 4);
    match answer.char_indices().nth(most) {
        Some((at, _)) => {
            answer.truncate(at);
            (answer, "length")
        }
        None => (answer, "stop"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_over_the_limit_is_cut_and_says_so() {
        let limits = |max_tokens, stop| Limits { max_tokens, stop };
        assert_eq!(
            finish("abcdefgh".to_owned(), limits(Some(2), &[])),
            ("abcdefgh".to_owned(), "stop")
        );
        assert_eq!(
            finish("abcdéfghi".to_owned(), limits(Some(2), &[])),
            ("abcdéfgh".to_owned(), "length")
        );
        assert_eq!(
            finish("ab\ncd".to_owned(), limits(None, &["\n".to_owned()])),
            ("ab".to_owned(), "stop")
        );
    }
}
