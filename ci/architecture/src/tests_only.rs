//! What only tests see is taken out of a file before anybody looks at it.

use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, File, ItemEnum, ItemImpl, ItemMod, ItemTrait, Meta, Token};

/// Takes out of `file` what only tests see. False if that is all of it.
pub(crate) fn take_out(file: &mut File) -> bool {
    if file.attrs.iter().any(is_for_tests) {
        return false;
    }
    Without.visit_file_mut(file);
    true
}

struct Without;

impl VisitMut for Without {
    fn visit_file_mut(&mut self, file: &mut File) {
        file.items.retain(stays);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(stays);
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        item.items.retain(stays);
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_item_trait_mut(&mut self, item: &mut ItemTrait) {
        item.items.retain(stays);
        visit_mut::visit_item_trait_mut(self, item);
    }

    fn visit_item_enum_mut(&mut self, item: &mut ItemEnum) {
        item.variants.retain(|variant| stays(variant));
        visit_mut::visit_item_enum_mut(self, item);
    }

    fn visit_fields_named_mut(&mut self, fields: &mut syn::FieldsNamed) {
        fields.named.retain(|field| stays(field));
        visit_mut::visit_fields_named_mut(self, fields);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        block.stmts.retain(stays);
        visit_mut::visit_block_mut(self, block);
    }
}

/// Whether some part of a file is there without tests. Its attributes are read from its tokens, because every kind of
/// item and statement keeps them in a place of its own.
fn stays(part: &impl ToTokens) -> bool {
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<proc_macro2::TokenStream>()?;
        Ok(attributes)
    };
    let attributes = parser.parse2(part.to_token_stream());
    !attributes.is_ok_and(|attributes| attributes.iter().any(is_for_tests))
}

fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args().is_ok_and(|meta| needs_test(&meta))
        }
        _ => false,
    }
}

/// Whether a configuration can only hold in a test.
fn needs_test(meta: &Meta) -> bool {
    match meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => {
            let parts = list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .unwrap_or_default();
            if list.path.is_ident("all") {
                parts.iter().any(needs_test)
            } else {
                list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
            }
        }
        Meta::NameValue(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> String {
        let mut file = syn::parse_file(text).unwrap();
        assert!(take_out(&mut file));
        file.to_token_stream().to_string()
    }

    #[test]
    fn what_only_tests_see_is_taken_out() {
        let text = "
            #[cfg(test)] use a::B;
            #[cfg(all(test, unix))] mod c { }
            #[test] fn d() { }
            #[cfg(not(test))] use e::F;
            #[cfg(any(test, unix))] use g::H;
            impl I { #[cfg(test)] fn j() { } fn k() { #[cfg(test)] l(); m(); } }
        ";
        let expected = "
            #[cfg(not(test))] use e::F;
            #[cfg(any(test, unix))] use g::H;
            impl I { fn k() { m(); } }
        ";
        assert_eq!(left(text), left(expected));
    }

    #[test]
    fn a_file_can_be_for_tests_as_a_whole() {
        let mut file = syn::parse_file("#![cfg(test)] use a::B;").unwrap();
        assert!(!take_out(&mut file));
    }
}
