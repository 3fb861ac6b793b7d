use super::*;

fn codes(policy: Policy, text: &str) -> Vec<&'static str> {
    codes_of(policy, text, None, None)
}

fn codes_of(policy: Policy, text: &str, email: Option<&str>, username: Option<&str>) -> Vec<&'static str> {
    let email = email.map(|email| Email::parse(email).unwrap());
    let username = username.map(|name| Username::parse(name).unwrap());
    let context = Context { email: email.as_ref(), username: username.as_ref() };
    let password = Password::parse(text).unwrap();
    policy.violations(&password, &context, BreachedFilter::built_in()).iter().map(Violation::code).collect()
}

#[test]
fn each_classic_rule_is_broken_by_itself() {
    let classic = Policy::classic(0);
    for (text, expected) in [
        ("Vq7#kLp2", &[][..]),
        ("Vq7#kLp", &["too_short"]),
        ("vq7#klp2xw", &["no_upper"]),
        ("VQ7#KLP2XW", &["no_lower"]),
        ("Vqz#kLpwxt", &["no_digit"]),
        ("Vq7zkLp2xw", &["no_special"]),
        ("vqzwklpnxt", &["no_upper", "no_digit", "no_special"]),
        ("Vq7 kLp2", &[]),
        ("\u{c4}\u{f6}7\u{20ac}kLp2vq", &[]),
    ] {
        assert_eq!(codes(classic, text), expected, "{text}");
    }
}

#[test]
fn eight_random_characters_are_enough_and_eight_guessable_ones_are_not() {
    assert_eq!(
        zxcvbn::zxcvbn("Vq7#kLp2", &[]).guesses(),
        100_000_001,
        "the border of score 3 is 100,000,005"
    );
    for text in ["Summer7!", "Abcdef1!", "Aa1!Aa1!", "Qwert12#"] {
        assert_eq!(codes(Policy::classic(0), text), ["too_guessable"], "{text}");
    }
}

#[test]
fn a_passphrase_waives_the_kinds_from_fifteen_characters_on() {
    let waiving = Policy::default();
    assert_eq!(codes(waiving, "velvet otter pylon"), [""; 0]);
    assert_eq!(codes(waiving, "vzt kqw mbx jy"), ["no_upper", "no_digit"], "14 characters");
    assert_eq!(codes(waiving, "vzt kqw mbx jyp"), [""; 0], "15 characters");
    assert_eq!(codes(Policy::classic(0), "velvet otter pylon"), ["no_upper", "no_digit"]);
}

#[test]
fn nist_asks_for_length_and_for_nothing_to_be_mixed() {
    let nist = Policy::nist();
    assert_eq!(codes(nist, "velvet otter py"), [""; 0]);
    assert_eq!(codes(nist, "Vq7#kLp2Xw9!mZ"), ["too_short"]);
    assert_eq!(codes(nist, "aaaaaaaaaaaaaaaaaaaa"), ["too_guessable"]);
    assert!(codes(nist, "1234567890123456").contains(&"too_guessable"));
}

#[test]
fn a_password_that_meets_every_classic_rule_and_is_on_every_list_is_refused() {
    for text in ["Password1!", "P@ssw0rd", "Qwerty123!"] {
        assert!(codes(Policy::default(), text).contains(&"too_guessable"), "{text}");
    }
    assert!(codes(Policy::default(), "Password1").contains(&"breached"));
    assert!(codes(Policy::default(), "PASSWORD123").contains(&"breached"), "in any case");
}

#[test]
fn the_owners_names_and_the_services_are_not_inside() {
    let policy = Policy::default();
    let email = Some("ann.other+films@example.org");
    for (text, expected) in [
        ("xk7#ANN.OTHER-vq2Z", "contains_email"),
        ("xk7#ann.other+films-vZ", "contains_email"),
        ("Zz9!kq7Vx-ann.other+films@example.org", "contains_email"),
        ("xk7#Wombat99vq2Z", "contains_username"),
        ("xk7#ScreenSort-vq2Z", "contains_service_name"),
    ] {
        assert_eq!(codes_of(policy, text, email, Some("wombat99")), [expected], "{text}");
    }
    assert_eq!(codes_of(policy, "xk7#Alvq2Zpwm", None, Some("al")), [""; 0], "two letters are chance");
}

#[test]
fn every_violation_has_its_own_code_and_a_sentence() {
    let all = [
        Violation::TooShort { min: 8 },
        Violation::NoUpper,
        Violation::NoLower,
        Violation::NoDigit,
        Violation::NoSpecial,
        Violation::ContainsEmail,
        Violation::ContainsUsername,
        Violation::ContainsServiceName,
        Violation::Breached,
        Violation::TooGuessable,
    ];
    let codes: std::collections::HashSet<_> = all.iter().map(Violation::code).collect();
    assert_eq!(codes.len(), all.len());
    for violation in all {
        assert!(violation.sentence().starts_with("The password ") && violation.sentence().ends_with('.'));
    }
    assert_eq!(Violation::TooShort { min: 8 }.sentence(), "The password must have at least 8 characters.");
}
