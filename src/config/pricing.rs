//! Prices: from the nearest table that gives them.
//!
//! A model's own price wins over its provider's table, and that over the plain one; a missing batch discount is taken
//! from the next table outwards.

use std::collections::BTreeMap;

use crate::domain::Usd;

use super::check::join;
use super::error::Fault;
use super::file::Node;
use super::read::Reader;
use super::settings::{Price, Pricing, ProviderName};

/// Reads the prices for a provider.
pub(super) fn read(reader: &mut Reader<'_>, provider: ProviderName) -> Pricing {
    let Some(plain) = reader.section("pricing") else {
        return Pricing::default();
    };
    let own = plain.get(provider.as_str());
    let own_key = join("pricing", provider.as_str());
    let discount = |node: Option<&Node>| {
        node.and_then(|n| n.get("batch_discount"))
            .and_then(Node::number)
    };
    let plain_discount = discount(Some(plain)).unwrap_or(1.0);
    let own_discount = discount(own).unwrap_or(plain_discount);
    let plain_price = table_price(reader, plain, "pricing", plain_discount);
    let own_price = own.and_then(|node| table_price(reader, node, &own_key, own_discount));
    let mut by_model = models(reader, Some(plain), plain_discount);
    by_model.extend(models(reader, own, own_discount));
    Pricing {
        default: own_price.or(plain_price),
        by_model,
    }
}

/// A table's own price; half a price is a problem.
fn table_price(reader: &mut Reader<'_>, node: &Node, key: &str, discount: f64) -> Option<Price> {
    let (input, output) = ("input_per_million", "output_per_million");
    let missing = match (node.get(input), node.get(output)) {
        (Some(_), None) => output,
        (None, Some(_)) => input,
        _ => return price(node, discount),
    };
    let expected = format!("a number, because its counterpart is given ({input} and {output})");
    reader.report(node.at, &join(key, missing), Fault::Missing { expected });
    None
}

fn price(node: &Node, discount: f64) -> Option<Price> {
    let dollars = |key: &str| {
        node.get(key)
            .and_then(Node::number)
            .and_then(Usd::from_dollars)
    };
    Some(Price {
        input_per_million: dollars("input_per_million")?,
        output_per_million: dollars("output_per_million")?,
        batch_discount: discount,
    })
}

fn models(reader: &Reader<'_>, table: Option<&Node>, discount: f64) -> BTreeMap<String, Price> {
    let models = table.and_then(|t| t.get("models"));
    let entries = models.map_or(&[][..], Node::entries).iter();
    let priced = entries.filter_map(|entry| {
        let own = entry.node.get("batch_discount").and_then(Node::number);
        let price = price(&entry.node, own.unwrap_or(discount))?;
        Some((reader.model_of(&entry.key).to_owned(), price))
    });
    priced.collect()
}
