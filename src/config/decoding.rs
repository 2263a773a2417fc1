//! Decoding settings of trials: output limits in all their spellings, and the combinations of a sweep.

use crate::domain::MaxNewTokens;

use super::file::{Node, Tree};
use super::read::{number, whole};

/// Decoding settings that a sweep combines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoding {
    /// Nucleus sampling threshold.
    pub(super) top_p: f64,
    /// Top-k sampling.
    pub(super) top_k: Option<u32>,
    /// Output limits.
    pub(super) max_new_tokens: MaxNewTokens,
}

/// A value or a list of values.
fn each(node: &Node) -> Vec<&Node> {
    let Tree::List(items) = &node.value else {
        return vec![node];
    };
    items.iter().collect()
}

/// Every combination of the decoding settings of a sweep, over the plain ones.
pub(super) fn decodings(sweep: Option<&Node>, root: &Node) -> Vec<Decoding> {
    let swept = |key: &str| sweep.and_then(|s| s.get(key));
    let top_ps = swept("top_p").map_or_else(
        || vec![number(Some(root), "top_p")],
        |node| each(node).into_iter().filter_map(Node::number).collect(),
    );
    let top_ks: Vec<Option<u32>> = swept("top_k").map_or_else(
        || vec![root.get("top_k").and_then(Node::whole)],
        |node| each(node).into_iter().map(Node::whole).collect(),
    );
    let limits = swept("max_new_tokens")
        .map_or_else(|| vec![limits(root.get("max_new_tokens"))], swept_limits);
    let mut all = Vec::new();
    for &top_p in &top_ps {
        for &top_k in &top_ks {
            all.extend(limits.iter().map(|&max_new_tokens| Decoding {
                top_p,
                top_k,
                max_new_tokens,
            }));
        }
    }
    all
}

/// One limit for both types, or one for each.
pub(super) fn limits(node: Option<&Node>) -> MaxNewTokens {
    let both = node.and_then(Node::whole);
    MaxNewTokens {
        closed_book: both.unwrap_or_else(|| whole(node, "closed_book")),
        open_book: both.unwrap_or_else(|| whole(node, "open_book")),
    }
}

/// A list of limits, or a map of lists, as the predecessor has it: every combination.
fn swept_limits(node: &Node) -> Vec<MaxNewTokens> {
    let Tree::Map(_) = &node.value else {
        return each(node).into_iter().map(|n| limits(Some(n))).collect();
    };
    let list = |key: &str| -> Vec<u32> {
        let values = node.get(key).map(each).unwrap_or_default();
        values.into_iter().filter_map(Node::whole).collect()
    };
    let mut all = Vec::new();
    for closed_book in list("closed_book") {
        all.extend(list("open_book").into_iter().map(|open_book| MaxNewTokens {
            closed_book,
            open_book,
        }));
    }
    all
}
