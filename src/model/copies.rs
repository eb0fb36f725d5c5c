//! Which copies of files a drill plays: a plan says what is done, a scenario says whether that is what is played.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use super::{
    plan::{ServicePlan, SyncRule},
    scenario::Scenario,
};

/// The word for the plan's own rules.
const AS_PLANNED: &str = "as-planned";

/// Copies made by rule: the plan's, or a list of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copies {
    /// Those of the service's `backup.sync`.
    AsPlanned,
    /// These instead.
    Listed(Vec<SyncRule>),
}

impl Scenario {
    /// The rules by which files of a service are copied in its drill; none where the reference pipeline makes
    /// generations, which it does unless `history.sync` says otherwise.
    pub fn copies<'s>(&'s self, service: &'s ServicePlan) -> &'s [SyncRule] {
        match &self.history.sync {
            None => &[],
            Some(Copies::AsPlanned) => &service.backup.sync,
            Some(Copies::Listed(rules)) => rules,
        }
    }
}

impl Serialize for Copies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Copies::AsPlanned => AS_PLANNED.serialize(serializer),
            Copies::Listed(rules) => rules.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Copies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Given;
        impl<'de> Visitor<'de> for Given {
            type Value = Copies;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{AS_PLANNED}`, or a list of rules")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<Copies, E> {
                (word == AS_PLANNED).then_some(Copies::AsPlanned).ok_or_else(|| E::unknown_variant(word, &[AS_PLANNED]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, rules: A) -> Result<Copies, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(rules)).map(Copies::Listed)
            }
        }
        deserializer.deserialize_any(Given)
    }
}

impl JsonSchema for Copies {
    fn schema_name() -> Cow<'static, str> {
        "Copies".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rules = generator.subschema_for::<Vec<SyncRule>>();
        schemars::json_schema!({"oneOf": [{"type": "string", "const": AS_PLANNED}, rules]})
    }
}
