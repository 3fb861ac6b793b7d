use screensort_crypto::{MacKey, Tag};

use super::*;
use crate::password::SaltPlace;

/// The pepper of the tests: a MAC, as the key service's is.
fn pepper(message: &[u8]) -> [u8; 32] {
    let tag: Tag = MacKey::new([5; 32]).tag("pepper", &[message]);
    *tag.as_bytes()
}

fn hasher() -> Hasher {
    Hasher::new(Cost::TEST, KeyId::new("p1").unwrap())
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

fn stored(text: &str) -> StoredPassword {
    let pending = hasher().hash(&password(text)).unwrap();
    let tag = pepper(pending.message());
    pending.finish(&tag).unwrap()
}

fn check(hasher: &Hasher, text: &str, stored: &StoredPassword) -> Verdict {
    let pending = hasher.verify(&password(text), stored).unwrap();
    let tag = pepper(pending.message());
    pending.finish(&tag).unwrap()
}

fn import(legacy: &LegacyHash) -> StoredPassword {
    let pending = hasher().import(legacy).unwrap();
    let tag = pepper(pending.message());
    let wrapped = pending.finish(&tag).unwrap();
    // Through its text, as the store does it.
    wrapped.to_string().parse().unwrap()
}

#[test]
fn argon2id_agrees_with_the_reference_implementation() {
    // From the test suite of the reference implementation (phc-winner-argon2, src/test.c): m = 2^16, t = 2.
    let mut out = [0; 32];
    let params = Params::new(65_536, 2, 1, Some(32)).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(b"password", b"somesalt", &mut out)
        .unwrap();
    let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
}

#[test]
fn the_right_password_verifies_and_no_other() {
    let stored = stored("correct horse battery staple");
    assert_eq!(
        check(&hasher(), "correct horse battery staple", &stored),
        Verdict::Right { needs_rehash: false }
    );
    for wrong in
        ["correct horse battery stapl", "correct horse battery staple ", "Correct horse battery staple"]
    {
        assert_eq!(check(&hasher(), wrong, &stored), Verdict::Wrong);
    }
}

#[test]
fn the_last_of_128_characters_counts() {
    let long = "x".repeat(127);
    let stored = stored(&format!("{long}y"));
    assert_eq!(check(&hasher(), &format!("{long}z"), &stored), Verdict::Wrong);
    assert_eq!(check(&hasher(), &format!("{long}y"), &stored), Verdict::Right { needs_rehash: false });
}

#[test]
fn without_the_pepper_the_right_password_is_wrong() {
    let stored = stored("correct horse");
    let pending = hasher().verify(&password("correct horse"), &stored).unwrap();
    assert_eq!(pending.finish(&[0; 32]).unwrap(), Verdict::Wrong);
}

#[test]
fn equal_passwords_look_different_to_the_table_and_to_the_key_service() {
    let hasher = hasher();
    let (a, b) = (hasher.hash(&password("same")).unwrap(), hasher.hash(&password("same")).unwrap());
    assert_ne!(a.message(), b.message());
    assert_ne!(stored("same").phc(), stored("same").phc());
}

#[test]
fn a_stored_hash_is_a_phc_string_and_comes_back_from_its_text() {
    let stored = stored("correct horse");
    assert!(stored.phc().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", stored.phc());
    let text = stored.to_string();
    let again: StoredPassword = text.parse().unwrap();
    assert_eq!(again, stored);
    assert!(!format!("{stored:?}").contains("$argon2id"));
}

#[test]
fn another_cost_or_pepper_asks_for_a_new_hash() {
    let stored = stored("correct horse");
    let dearer = Hasher::new(Cost { memory_kib: 16, ..Cost::TEST }, KeyId::new("p1").unwrap());
    assert_eq!(check(&dearer, "correct horse", &stored), Verdict::Right { needs_rehash: true });
    let newer = Hasher::new(Cost::TEST, KeyId::new("p2").unwrap());
    assert_eq!(check(&newer, "correct horse", &stored), Verdict::Right { needs_rehash: true });
    assert_eq!(check(&newer, "wrong", &stored), Verdict::Wrong);
}

#[test]
fn an_unknown_account_costs_the_same_and_never_verifies() {
    let pending = hasher().verify_unknown(&password("correct horse")).unwrap();
    assert_eq!(pending.cost, Cost::TEST);
    assert_eq!(pending.message().len(), 32);
    let tag = pepper(pending.message());
    assert_eq!(pending.finish(&tag).unwrap(), Verdict::Wrong);
}

#[test]
fn an_imported_bcrypt_hash_verifies_and_asks_to_be_replaced() {
    // From the test vectors of jBCrypt.
    let legacy = LegacyHash::bcrypt("$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe").unwrap();
    let stored = import(&legacy);
    assert!(stored.is_imported());
    assert!(!stored.to_string().contains("3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"), "the weak hash is not kept");
    assert_eq!(check(&hasher(), "a", &stored), Verdict::Right { needs_rehash: true });
    assert_eq!(check(&hasher(), "b", &stored), Verdict::Wrong);
}

#[test]
fn an_imported_bcrypt_hash_of_a_long_password_verifies_as_it_did_there() {
    let long = "0123456789".repeat(10);
    let made = bcrypt::hash_with_salt(&long, 4, [9; 16]).unwrap().format_for_version(bcrypt::Version::TwoY);
    let stored = import(&LegacyHash::bcrypt(&made).unwrap());
    assert_eq!(check(&hasher(), &long, &stored), Verdict::Right { needs_rehash: true });
}

#[test]
fn an_imported_salted_sha256_hash_verifies_with_the_salt_on_its_side() {
    // printf 'saltpassword' | sha256sum; printf 'passwordsalt' | sha256sum
    let before = "13601bda4ea78e55a07b98866d2be6be0744e3866f13c00c811cab608a28f322";
    let after = "7a37b85c8918eac19a9089c0fa5a2ab4dce3f90528dcdeec108b23ddf3607b99";
    for (hex, place) in [(before, SaltPlace::Before), (after, SaltPlace::After)] {
        let stored = import(&LegacyHash::salted_sha256(&hex.to_uppercase(), b"salt", place).unwrap());
        assert_eq!(check(&hasher(), "password", &stored), Verdict::Right { needs_rehash: true });
        assert_eq!(check(&hasher(), "passworD", &stored), Verdict::Wrong);
    }
}

#[test]
fn an_imported_hash_of_a_password_that_normalising_changes_verifies() {
    let typed = "caf\u{65}\u{301}-\u{fb01}lm";
    let mut salted = b"salt".to_vec();
    salted.extend_from_slice(typed.as_bytes());
    let hex: String = sha256(&salted).iter().map(|byte| format!("{byte:02x}")).collect();
    let stored = import(&LegacyHash::salted_sha256(&hex, b"salt", SaltPlace::Before).unwrap());
    assert_eq!(check(&hasher(), typed, &stored), Verdict::Right { needs_rehash: true });
}

#[test]
fn damaged_and_oversized_hashes_are_refused() {
    let good = stored("x").to_string();
    let bad = [
        String::new(),
        good.replace('|', ""),
        good.replace("p1|", "../p|"),
        good.replace("argon2id", "argon2i"),
        good.replace("argon2id", "scrypt"),
        good.replace("v=19", "v=16"),
        good.replace("m=8", "m=4294967295"),
        good.replace("t=1", "t=1000000"),
        good.replace("|-|", "|bcrypt:31:AAAAAAAAAAAAAAAAAAAAAA|"),
        good.replace("|-|", "|md5:AAAA|"),
        good[..good.len() - 10].to_owned(),
        format!("{good}{}", "A".repeat(400)),
    ];
    for text in bad {
        assert!(text.parse::<StoredPassword>().is_err(), "{text}");
    }
    for text in ["", "$2x$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "\u{e9}"] {
        assert!(LegacyHash::bcrypt(text).is_err());
    }
    let dear = "$2a$15$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
    assert!(LegacyHash::bcrypt(dear).is_err());
    assert!(LegacyHash::salted_sha256("abc", b"", SaltPlace::Before).is_err());
}

#[test]
fn a_cost_under_the_floor_can_not_be_configured() {
    assert_eq!(Cost::new(64 * 1024, 3, 1).unwrap(), Cost::DEFAULT);
    assert_eq!(Cost::new(19 * 1024, 2, 1).unwrap(), Cost::FLOOR);
    for (memory, passes, lanes) in
        [(19 * 1024 - 1, 2, 1), (19 * 1024, 1, 1), (19 * 1024, 2, 0), (u32::MAX, 3, 1)]
    {
        assert!(matches!(Cost::new(memory, passes, lanes), Err(Error::CostOutOfBounds(_))));
    }
}

#[test]
fn a_hash_in_an_import_file_says_what_it_is() {
    let digest = "a".repeat(64);
    for good in [format!("sha256-before$00ff${digest}"), format!("sha256-after$${digest}")] {
        assert!(good.parse::<LegacyHash>().is_ok(), "{good}");
    }
    assert!("$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe".parse::<LegacyHash>().is_ok());
    for bad in [
        String::new(),
        digest.clone(),
        format!("sha256${digest}"),
        format!("sha256-before$0${digest}"),
        format!("sha256-before$zz${digest}"),
        format!("sha256-before$\u{e9}\u{e9}${digest}"),
        format!("sha256-before$00${digest}$"),
        format!("sha256-before${}${digest}", "00".repeat(65)),
        "sha256-before$00$short".to_owned(),
        "$2x$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe".to_owned(),
    ] {
        assert!(bad.parse::<LegacyHash>().is_err(), "{bad}");
    }
}
