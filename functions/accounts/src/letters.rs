//! What letters say, as text and as HTML. Whatever comes from outside is escaped, even where its type is narrow
//! enough that it need not be.

/// What is to be written into a letter.
#[derive(Debug, Default)]
pub(crate) struct Facts<'f> {
    /// The user name.
    pub name: &'f str,
    /// A token or a code, if the letter carries one.
    pub token: Option<&'f str>,
    /// Where the link leads, without the token.
    pub app_url: &'f str,
    /// What the letter is about, such as a device in words.
    pub about: &'f str,
}

/// A letter, written.
#[derive(Debug)]
pub(crate) struct Written {
    pub subject: &'static str,
    pub text: String,
    pub html: String,
}

/// What a kind of letter says: its subject, its sentences, and what its link does. `None` for a kind that is
/// never sent.
fn says(kind: &str) -> Option<(&'static str, &'static str, Option<&'static str>)> {
    Some(match kind {
        "verify" => (
            "Verify your address",
            "Somebody, you we hope, made a ScreenSort account with this address. To use it, follow the link \
             within 24 hours. If it was not you, do nothing: without the link the account cannot be used.",
            Some("verify_email"),
        ),
        "already_registered" => (
            "You already have an account",
            "Somebody tried to register a ScreenSort account with this address, which has one. If it was you, \
             sign in, or ask for a new password. If not, there is nothing to do: nothing was changed.",
            None,
        ),
        "claim" => (
            "Finish your registration",
            "A ScreenSort account was registered with this address more than once, and nobody has shown yet that \
             the address is theirs. If it is yours and you want the account, set its password with the link \
             within one hour: whatever was chosen before no longer counts. If not, do nothing: the account goes \
             by itself.",
            Some("reset_password"),
        ),
        "reset" => (
            "Set a new password",
            "Somebody asked for a new password for your ScreenSort account. To set one, follow the link within \
             one hour. If it was not you, do nothing: your password stays as it is.",
            Some("reset_password"),
        ),
        "email_confirm" => (
            "Confirm your new address",
            "This address was named as the new one of a ScreenSort account. To confirm it, sign in and follow \
             the link within one hour. If you know nothing of it, do nothing.",
            Some("confirm_email"),
        ),
        "code" => (
            "Your sign-in code",
            "Type this code to finish signing in. It works once, for ten minutes. If you are not signing in, \
             somebody knows your password: change it.",
            Some(""),
        ),
        "password_changed" => (
            "Your password was changed",
            "The password of your ScreenSort account was changed and your other sessions were ended. If it was \
             not you, ask for a new password at once.",
            None,
        ),
        "email_named" => (
            "A new address for your account",
            "A new address was named for your ScreenSort account; it counts once it is confirmed there. If it \
             was not you, change your password at once.",
            None,
        ),
        "email_changed" => (
            "Your address was changed",
            "Your ScreenSort account has another address now; this one no longer gets mail about it. If it was \
             not you, write to us at once.",
            None,
        ),
        "mfa_enabled" => (
            "A second factor was turned on",
            "From now on signing in to your ScreenSort account asks for a second factor. If it was not you, ask \
             for a new password at once.",
            None,
        ),
        "mfa_disabled" => (
            "A second factor was turned off",
            "Signing in to your ScreenSort account no longer asks for that second factor. If it was not you, \
             change your password at once.",
            None,
        ),
        "recovery_renewed" => (
            "New recovery codes",
            "Your ScreenSort account has new recovery codes; the old ones no longer work. If it was not you, \
             change your password at once.",
            None,
        ),
        "recovery_used" => (
            "A recovery code was used",
            "Somebody signed in to your ScreenSort account with one of its recovery codes. If it was not you, \
             change your password at once.",
            None,
        ),
        "link_asked" => (
            "Is this account yours too?",
            "The owner of another ScreenSort account says that this one is theirs too, and asks to read parts of \
             it from there. If both are yours, sign in to the account with this address and confirm with the \
             token within 30 minutes. If not, do nothing: nobody reads anything.",
            Some("confirm_link"),
        ),
        "link_wanted" => (
            "You asked for a link",
            "From your ScreenSort account another one was asked for a link to it. If it was not you, change your \
             password at once and end the link.",
            None,
        ),
        "link_confirmed" => (
            "Two accounts are linked",
            "Your ScreenSort account is linked to another one now. Either of them can end that at any time. If \
             it was not you, end the link and change your password at once.",
            None,
        ),
        "link_ended" => (
            "A link has ended",
            "A link between your ScreenSort account and another one has ended: nothing is read through it any \
             more.",
            None,
        ),
        "api_key_made" => (
            "A new API key",
            "An API key was made in your ScreenSort account. If it was not you, revoke it and change your \
             password at once.",
            None,
        ),
        "new_device" => (
            "A new sign-in",
            "Your ScreenSort account was signed in to on a device that we had not seen before. If it was you, \
             there is nothing to do. If not, somebody knows your password: follow the link and ask for a new one. \
             Setting it ends all sessions, that one too. If you are signed in, you can end them at once by signing \
             out everywhere.",
            Some("forgot_password"),
        ),
        "roles_dormant" => (
            "Do you still need your roles?",
            "Your ScreenSort account may do more than others, and nobody has signed in to it for long. If you still \
             need that, sign in. If not, there is nothing to do: what it may do more than others is taken from it in \
             some weeks, and an administrator can give it back.",
            None,
        ),
        "roles_suspended" => (
            "Your roles were taken back",
            "Nobody has signed in to your ScreenSort account for long, so that it may no longer do more than others. \
             The account itself is as it was. If you need your roles again, ask an administrator.",
            None,
        ),
        "api_key_dormant" => (
            "Do you still need this API key?",
            "An API key of your ScreenSort account has not been used for long. If you still need it, use it. If not, \
             revoke it, or do nothing: it is revoked in some weeks.",
            None,
        ),
        "api_key_lapsed" => (
            "An API key was revoked",
            "An API key of your ScreenSort account was revoked because nobody had used it for long. If you need one, \
             make a new one.",
            None,
        ),
        "token_reused" => (
            "A session was ended",
            "A sign-in of your ScreenSort account was used from a copy of its key, which happens when somebody \
             stole it, and seldom by a fault of an app. We ended that session; other sessions go on. Sign in \
             again. If it happens once more, or you do not know the device, follow the link and ask for a new \
             password: setting it ends all sessions.",
            Some("forgot_password"),
        ),
        "deleted" => (
            "Your account is deleted",
            "Your ScreenSort account and everything in it are deleted, as you asked. This is the last mail: we do \
             not have your address any more.",
            None,
        ),
        _ => return None,
    })
}

/// Writes a letter of `kind`; `None` for a kind that is never sent.
pub(crate) fn write(kind: &str, facts: &Facts<'_>) -> Option<Written> {
    let (subject, sentence, action) = says(kind)?;
    let about = if facts.about.is_empty() { String::new() } else { format!(" It was {}.", facts.about) };
    let mut text = format!("Hello {},\n\n{sentence}{about}\n", facts.name);
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{subject}</title><p>Hello {},</p><p>{sentence}{}</p>",
        escape(facts.name),
        escape(&about)
    );
    match (action, facts.token) {
        (Some(""), Some(code)) => {
            text.push_str(&format!("\nCode: {code}\n"));
            html.push_str(&format!("<p>Code: <strong>{}</strong></p>", escape(code)));
        }
        // The token stands after `#`: browsers send it to nobody, so it lands in no log.
        (Some(action), Some(token)) => {
            let link = format!("{}#{action}={token}", facts.app_url);
            text.push_str(&format!("\n{link}\n\nToken: {token}\n"));
            html.push_str(&format!(
                "<p><a href=\"{0}\">{0}</a></p><p>Token: <code>{1}</code></p>",
                escape(&link),
                escape(token)
            ));
        }
        // A page where something can be asked for: whoever reads this mail gets nothing by the link alone.
        (Some(page), None) if !page.is_empty() => {
            let link = format!("{}#{page}", facts.app_url);
            text.push_str(&format!("\n{link}\n"));
            html.push_str(&format!("<p><a href=\"{0}\">{0}</a></p>", escape(&link)));
        }
        _ => {}
    }
    html.push_str("</html>");
    Some(Written { subject, text, html })
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_carries_its_link_as_text_and_as_html() {
        let facts = Facts { name: "ann", token: Some("tok-1"), app_url: "https://app.example/a", about: "" };
        let written = write("reset", &facts).unwrap();
        assert!(written.text.contains("https://app.example/a#reset_password=tok-1\n\nToken: tok-1\n"));
        assert!(written.html.contains("href=\"https://app.example/a#reset_password=tok-1\""));
    }

    #[test]
    fn a_letter_about_a_stranger_says_how_all_sessions_end_and_carries_no_secret() {
        let facts =
            Facts { name: "ann", app_url: "https://app.example/a", about: "Firefox", ..Facts::default() };
        for kind in ["new_device", "token_reused"] {
            let written = write(kind, &facts).unwrap();
            for text in [&written.text, &written.html] {
                assert!(
                    text.contains("https://app.example/a#forgot_password") && text.contains("all sessions")
                );
                assert!(text.contains("It was Firefox.") && !text.contains("Token"), "{text}");
            }
        }
    }

    #[test]
    fn markup_in_a_name_stays_text() {
        let facts = Facts { name: "<b>\"&'", about: "<i>", ..Facts::default() };
        let html = write("new_device", &facts).unwrap().html;
        assert!(html.contains("&lt;b&gt;&quot;&amp;&#39;") && html.contains("&lt;i&gt;"));
        assert!(!html.contains("<b>") && !html.contains("<i>"));
    }

    #[test]
    fn in_no_kind_of_letter_does_anything_from_outside_become_markup_or_a_header() {
        let planted = "\"><img src=x onerror=alert(1)>'&\r\nBcc: x";
        let kinds = [
            "verify",
            "already_registered",
            "reset",
            "email_confirm",
            "code",
            "password_changed",
            "email_named",
            "email_changed",
            "mfa_enabled",
            "mfa_disabled",
            "recovery_renewed",
            "recovery_used",
            "link_asked",
            "link_wanted",
            "link_confirmed",
            "link_ended",
            "api_key_made",
            "new_device",
            "deleted",
        ];
        let with = |text| Facts { name: text, token: Some(text), app_url: text, about: text };
        for kind in kinds {
            let (plain, written) = (write(kind, &with("x")).unwrap(), write(kind, &with(planted)).unwrap());
            assert_eq!(written.subject, plain.subject, "{kind}: nothing gets into the head");
            assert!(!written.subject.contains(['\r', '\n', '<', '>']), "{kind}");
            for mark in ['<', '>', '"', '\''] {
                let count = |html: &str| html.matches(mark).count();
                assert_eq!(count(&written.html), count(&plain.html), "{kind}: {}", written.html);
            }
        }
    }

    #[test]
    fn what_must_not_be_sent_is_not_written() {
        assert!(write("none", &Facts::default()).is_none());
    }
}
