//! One XML document with the root element of the operation, and no element twice beside itself.

use roxmltree::{Document, Node, ParsingOptions};

use super::BadReply;

/// The most elements and texts of one document; STS's longest answer has some forty.
const MOST_NODES: u32 = 1_024;
/// The name of a list's entries, the one element that may stand beside others of its name.
const LIST_ENTRY: &str = "member";

/// Whether a body is an answer of STS that can be read in one way only.
pub fn check(body: &[u8], root: &str) -> Result<(), BadReply> {
    let text = std::str::from_utf8(body).map_err(|_| BadReply::NotUtf8)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options);
    let document = document.map_err(|_| BadReply::NotADocument)?;
    // The local name, whatever its namespace: that is how the SDK reads it.
    if document.root_element().tag_name().name() != root {
        return Err(BadReply::NotADocument);
    }
    let mut elements = document.descendants().filter(Node::is_element);
    elements.try_for_each(check_element)
}

/// An element holds elements of different names, or one text.
fn check_element(element: Node<'_, '_>) -> Result<(), BadReply> {
    let (mut names, mut others) = (Vec::new(), 0);
    for child in element.children() {
        if child.is_element() {
            names.push(child.tag_name().name());
        } else if !is_blank(child) {
            others += 1;
        }
    }
    // A comment in a text would cut it in two, and the SDK reads the first part.
    if others > 1 || (others > 0 && !names.is_empty()) {
        return Err(BadReply::NotADocument);
    }
    names.retain(|name| *name != LIST_ENTRY);
    names.sort_unstable();
    let doubled = names.windows(2).any(|pair| pair.first() == pair.last());
    if doubled {
        return Err(BadReply::Doubled);
    }
    Ok(())
}

fn is_blank(node: Node<'_, '_>) -> bool {
    node.is_text() && node.text().unwrap_or_default().trim().is_empty()
}
