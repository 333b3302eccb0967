//! Schemas of account details, made from what the marketplaces declare, so that the document permits exactly what
//! connecting takes.

use std::sync::LazyLock;

use robnu_marketplace::code::{MARKETPLACE_CODES, MarketplaceCode};
use robnu_marketplace::details::{Credentials, DetailsSpec, FieldSpec};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, KnownFormat, Object, ObjectBuilder, OneOfBuilder, Schema,
    SchemaFormat, Type,
};

use crate::fields::label_schema;

/// Used only to describe details, so it needs no marketplace's URL.
static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    Registry::new(&MarketplaceConfig::default()).expect("a configuration without URLs is valid")
});

/// The details of any marketplace.
pub fn any_details() -> Schema {
    let all = MARKETPLACE_CODES.iter().flat_map(|code| variants(spec(*code)));
    Schema::AnyOf(all.fold(AnyOfBuilder::new(), AnyOfBuilder::item).build())
}

/// An object with `others`, a marketplace's code and that marketplace's details: one variant for each.
pub fn with_details(others: &[(&str, RefOr<Schema>)]) -> Schema {
    let one = MARKETPLACE_CODES.iter().fold(OneOfBuilder::new(), |one, code| {
        let marketplace = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([code.as_str()]));
        let details = variants(spec(*code)).into_iter();
        let details = details.fold(OneOfBuilder::new(), OneOfBuilder::item);
        let object = closed().title(Some(code.as_str()));
        let object = object.property("marketplace", marketplace).required("marketplace");
        let object = object.property("details", details).required("details");
        one.item(
            others.iter().fold(object, |object, (name, schema)| {
                object.property(*name, schema.clone()).required(*name)
            }),
        )
    });
    Schema::OneOf(one.build())
}

/// The account to connect by consent: a new account at a marketplace that has a consent page, with its id unless the
/// marketplace supplies it, or an existing account.
pub fn to_authorize<const MAX_ID: usize, const MAX_NAME: usize>() -> Schema {
    let known = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    let id = ObjectBuilder::new().schema_type(Type::String).format(Some(known));
    let again = closed().title(Some("AGAIN")).property("account_id", id).required("account_id");
    let new = MARKETPLACE_CODES.iter().filter_map(|code| {
        let oauth = REGISTRY.adapter(*code).oauth()?;
        let marketplace = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([code.as_str()]));
        let object = closed().title(Some(code.as_str()));
        let object = object.property("marketplace", marketplace).required("marketplace");
        let object = object.property("display_name", label_schema::<MAX_NAME>()).required("display_name");
        Some(if oauth.names_account() {
            object
        } else {
            object.property("external_account_id", label_schema::<MAX_ID>()).required("external_account_id")
        })
    });
    Schema::OneOf(new.fold(OneOfBuilder::new().item(again), OneOfBuilder::item).build())
}

fn spec(code: MarketplaceCode) -> &'static DetailsSpec {
    REGISTRY.adapter(code).details()
}

/// The shapes that a marketplace's details may have: one for each set of optional fields that its rule allows together.
fn variants(spec: &DetailsSpec) -> Vec<Object> {
    let optional: Vec<&FieldSpec> =
        spec.fields.iter().filter(|field| !field.presence.is_asked_for()).collect();
    let sets = (0..1_u32 << optional.len()).map(|set| {
        let chosen = optional.iter().enumerate().filter(move |(place, _)| set >> place & 1 == 1);
        chosen.map(|(_, field)| field.name).collect::<Vec<_>>()
    });
    sets.filter(|present| stands(spec, present)).map(|present| variant(spec, &present)).collect()
}

/// Whether details with these optional fields are complete.
fn stands(spec: &DetailsSpec, present: &[&str]) -> bool {
    let given = spec.fields.iter().filter(|field| is_there(field, present));
    let mut credentials = Credentials::default();
    for field in given {
        credentials.set(field.name, "x".to_owned().into());
    }
    (spec.rule)(&credentials).is_ok()
}

fn variant(spec: &DetailsSpec, present: &[&str]) -> Object {
    let object = spec.fields.iter().fold(closed(), |object, field| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        if is_there(field, present) {
            let text = text.min_length(Some(1)).max_length(Some(field.max_len));
            object.property(field.name, text.pattern(Some(field.form.pattern()))).required(field.name)
        } else {
            // An empty value counts as absent.
            object.property(field.name, text.max_length(Some(0)))
        }
    });
    object.build()
}

fn is_there(field: &FieldSpec, present: &[&str]) -> bool {
    field.presence.is_asked_for() || present.contains(&field.name)
}

fn closed() -> ObjectBuilder {
    let object = ObjectBuilder::new().schema_type(Type::Object);
    object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
}
