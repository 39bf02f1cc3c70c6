//! One JSON object and nothing else, no key of any object twice, no null in a list.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::BadReply;

/// The most objects in one reply. The longest real ones (a page of accounts, a trail's conditions)
/// have some hundred; of empty ones the SDK would make a hundred times the bytes that they are sent
/// in.
const MOST_OBJECTS: usize = 16_384;
/// Keys that are compared one by one; those of a larger object are hashed. AWS's largest has 20.
const FEW_KEYS: usize = 32;

/// Whether a body is one JSON object that can be read in one way only.
pub fn check(body: &[u8]) -> Result<(), BadReply> {
    if holds_too_many(body) {
        return Err(BadReply::TooMany(MOST_OBJECTS));
    }
    let text = std::str::from_utf8(body).map_err(|_| BadReply::NotUtf8)?;
    let flaw = Cell::new(BadReply::NotAnObject);
    let mut reader = serde_json::Deserializer::from_str(text);
    let walk = Walk {
        flaw: &flaw,
        in_list: false,
    };
    let read = reader.deserialize_map(walk);
    read.and_then(|()| reader.end()).map_err(|_| flaw.get())
}

/// Whether a body may hold more than [`MOST_OBJECTS`].
fn holds_too_many(body: &[u8]) -> bool {
    let mut objects = body.iter().filter(|byte| **byte == b'{');
    body.len() > MOST_OBJECTS && objects.nth(MOST_OBJECTS).is_some()
}

/// Reads a value and keeps nothing of it.
#[derive(Clone, Copy)]
struct Walk<'a> {
    /// What is wrong, where it is more than the syntax.
    flaw: &'a Cell<BadReply>,
    /// The value is an entry of a list.
    in_list: bool,
}

impl<'a> Walk<'a> {
    fn entry(self, in_list: bool) -> Walk<'a> {
        Walk { in_list, ..self }
    }

    fn fail<T, E: Error>(self, flaw: BadReply) -> Result<T, E> {
        self.flaw.set(flaw);
        Err(E::custom(flaw))
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    /// Null.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.in_list {
            return self.fail(BadReply::NullInList);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.entry(true))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut keys = Keys::default();
        while let Some(key) = object.next_key_seed(Key)? {
            if !keys.insert(key) {
                return self.fail(BadReply::Doubled);
            }
            object.next_value_seed(self.entry(false))?;
        }
        Ok(())
    }
}

/// The keys of one object.
#[derive(Default)]
struct Keys<'de> {
    few: SmallVec<[Cow<'de, str>; 16]>,
    further: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    /// Whether the key is new.
    fn insert(&mut self, key: Cow<'de, str>) -> bool {
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < FEW_KEYS {
            self.few.push(key);
            return true;
        }
        self.further.insert(key)
    }
}

/// Reads a key, without a copy where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
