//! Tokens come back as they went, or not at all.

use gupcheck_sync::LaneId;
use proptest::prelude::*;

use super::*;
use gupcheck_program::{Choice, Decision, Path};

fn schedules() -> impl Strategy<Value = Schedule> {
    let choice = (0..8_u8, 0..300_u32).prop_map(|(lane, back)| Choice { lane, back });
    let decision = prop_oneof![
        (0..5_u8).prop_map(Decision::Run),
        (0..7_u8).prop_map(Decision::Read),
        any::<bool>().prop_map(Decision::Spurious),
    ];
    let path = (0..4_u8, prop::collection::vec(decision, 0..60));
    prop_oneof![
        prop::collection::vec(choice, 0..60).prop_map(Schedule::Graph),
        path.prop_map(|(first, decisions)| Schedule::Loom(Path { first, decisions })),
        prop::collection::vec(0..8_u8, 0..60).prop_map(Schedule::Cpus),
    ]
}

fn fingerprints() -> impl Strategy<Value = Fingerprint> {
    prop::collection::vec((0..4_u8, "[a-z]{1,6}[0-9]\\.[a-z_]{3,9}"), 0..40).prop_map(|steps| {
        let mut all = Fingerprint::default();
        for (lane, word) in steps {
            all.push(LaneId(lane), word);
        }
        all
    })
}

fn names() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9-]{0,12}"
}

prop_compose! {
    fn tokens()(
        (family, name) in (names(), names()),
        (profile, engine, model) in (names(), names(), prop::option::of(names())),
        (cpus, pages) in (1..9_u32, 1..9_u32),
        knocked_out in prop::collection::vec(names(), 0..3),
        noise in prop::collection::vec(names(), 0..3),
        (broke, execution) in (".{0,40}", any::<u64>()),
        (schedule, fingerprint) in (schedules(), fingerprints()),
        source in prop::option::of(".{0,40}"),
    ) -> Token {
        Token {
            source,
            named: Named {
                race: format!("{family}/{name}"),
                profile,
                engine,
                model,
                cpus,
                pages,
                knocked_out,
                noise,
            },
            version: schedule.version().to_owned(),
            broke,
            execution,
            schedule,
            fingerprint,
        }
    }
}

proptest! {
    #[test]
    fn a_token_is_read_as_it_was_written(token in tokens()) {
        prop_assert_eq!(token.to_string().parse(), Ok(token));
    }

    #[test]
    fn a_changed_character_is_noticed(token in tokens(), at in any::<prop::sample::Index>(), to in "[ -~]") {
        let text = token.to_string();
        let at = at.index(text.len());
        prop_assume!(text[at..=at] != to);
        let changed = format!("{}{to}{}", &text[..at], &text[at + 1..]);
        let parsed = changed.parse::<Token>();
        // A blank at either end is no change: nobody copies without it.
        prop_assert!(parsed.is_err(), "{changed}");
    }

    #[test]
    fn a_token_without_its_end_says_so(token in tokens(), keep in any::<prop::sample::Index>()) {
        let text = token.to_string();
        let keep = FORM.len() + 1 + keep.index(text.len() - FORM.len() - 1);
        prop_assert_eq!(text[..keep].parse::<Token>(), Err(TokenError::CutShort(keep)));
    }

    #[test]
    fn nothing_makes_the_parser_panic(text in "\\PC*") {
        prop_assert!(text.parse::<Token>().is_err());
    }

    #[test]
    fn what_has_a_checksum_may_still_be_nonsense(middle in "[!-~]{0,80}") {
        let text = format!("{FORM}:{middle}");
        let sealed = format!("{text}.{}", checksum(&text));
        let parsed = sealed.parse::<Token>();
        prop_assert!(matches!(parsed, Err(TokenError::Field { .. })), "{parsed:?}");
    }
}

#[test]
fn each_mistake_has_its_words() {
    let said = |text: &str| text.parse::<Token>().unwrap_err().to_string();
    assert_eq!(
        said("R02"),
        "this is not a token: a token begins with `gup1:`, this with \"R02\""
    );
    assert_eq!(
        said("gup2:a/b"),
        "a token of the form \"gup2\"; this version of gupcheck reads \"gup1\""
    );
    assert_eq!(
        said("gup1:a/b:arm\n64"),
        "the token is broken at character 13 by white space: copy it as one line"
    );
    assert_eq!(
        said("gup1:a/b:arm64:graph"),
        "the token is cut short: after 20 characters it should end with a dot and 8 hexadecimal digits"
    );
    assert_eq!(
        said("gup1:a/b:arm64.00000000"),
        "the token was changed on its way: its checksum is 724a0323, and should be 00000000"
    );
}
