//! The table itself. A new endpoint starts here: the tests then name every part that is still missing.

use http::Method;
use screensort_auth::Permission;

use crate::{Access, Area, Caching, Quota, Route};

macro_rules! routes {
    ($($name:ident: $method:ident $path:literal => $area:ident/$binary:literal, $access:ident $(($permission:ident))?, $quota:ident,
       $caching:ident, $summary:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($method), " ", $path, "`: ", $summary)]
            pub const $name: &Route = &Route {
                method: Method::$method,
                path: $path,
                binary: $binary,
                area: Area::$area,
                access: Access::$access $((Permission::$permission))?,
                quota: Quota::$quota,
                caching: Caching::$caching,
                summary: $summary,
            };
        )*

        /// Every route of the product.
        pub const TABLE: &[&Route] = &[$($name),*];
    };
}

routes! {
    REGISTER: POST "/register" => Accounts/"register", Anyone, Attempts, NoStore,
        "Make an account; a mail asks to verify the address.";
    REGISTER_VERIFY: POST "/register/verify" => Accounts/"register_verify", Anyone, Attempts, NoStore,
        "Verify the address with the mailed token.";
    REGISTER_RESEND: POST "/register/resend" => Accounts/"register_resend", Anyone, Attempts, NoStore,
        "Ask for the verification mail again.";
    LOGIN: POST "/login" => Accounts/"login", Anyone, Attempts, NoStore,
        "Sign in with name or address and password.";
    LOGIN_CHALLENGE: GET "/login/challenge" => Accounts/"login_challenge", Anyone, Attempts, NoStore,
        "A proof-of-work challenge (altcha) for a login that asks for one.";
    LOGIN_MFA: POST "/login/mfa" => Accounts/"login_mfa", Anyone, Attempts, NoStore,
        "Finish a login with the second factor.";
    LOGIN_MFA_SEND: POST "/login/mfa/send" => Accounts/"login_mfa_send", Anyone, Attempts, NoStore,
        "Have the one-time code of a login mailed.";
    TOKEN_REFRESH: POST "/token/refresh" => Accounts/"token_refresh", Anyone, Attempts, NoStore,
        "A new pair of tokens for a refresh token.";
    LOGOUT: POST "/logout" => Accounts/"logout", Member(SessionsEndOwn), Attempts, NoStore,
        "End this session, or all of one's own.";
    SESSION: GET "/session" => Accounts/"session", Anyone, Read, NoStore,
        "Who is signed in, and for how long.";
    SESSIONS: GET "/sessions" => Accounts/"sessions", Member(SessionsReadOwn), Read, NoStore,
        "One's own sessions.";
    SESSION_END: DELETE "/sessions/{id}" => Accounts/"session_end", Member(SessionsEndOwn), Attempts, NoStore,
        "End one of one's own sessions.";
    LOGINS: GET "/logins" => Accounts/"logins", Member(AccountReadOwn), Read, NoStore,
        "One's own logins, newest first.";
    PASSWORD_FORGOT: POST "/password/forgot" => Accounts/"password_forgot", Anyone, Attempts, NoStore,
        "Ask for a mail with which to set a new password.";
    PASSWORD_RESET: POST "/password/reset" => Accounts/"password_reset", Anyone, Attempts, NoStore,
        "Set a new password with the mailed token; every session ends.";
    PASSWORD: PUT "/password" => Accounts/"password", Member(AccountWriteOwn), Attempts, NoStore,
        "Change one's own password; other sessions end.";
    REAUTHENTICATE: POST "/reauthenticate" => Accounts/"reauthenticate", Member(AccountReadOwn), Attempts, NoStore,
        "Prove again who one is, for what asks for it.";
    CSRF: GET "/csrf" => Accounts/"csrf", Member(AccountReadOwn), Read, NoStore,
        "The token that a cookie session sends back with every unsafe call.";
    JWKS: GET "/.well-known/jwks.json" => Accounts/"jwks", Anyone, Free, Document,
        "The public keys of access tokens (RFC 7517).";
    MFA_TOTP_BEGIN: POST "/mfa/totp" => Accounts/"mfa_totp", Recent(AccountWriteOwn), Attempts, NoStore,
        "Begin to enrol an authenticator.";
    MFA_TOTP_CONFIRM: PUT "/mfa/totp" => Accounts/"mfa_totp", Member(AccountWriteOwn), Attempts, NoStore,
        "Confirm the authenticator with its first code; answers with recovery codes.";
    MFA_TOTP_REMOVE: DELETE "/mfa/totp" => Accounts/"mfa_totp", Recent(AccountWriteOwn), Attempts, NoStore,
        "Remove the authenticator.";
    MFA_RECOVERY_CODES: POST "/mfa/recovery_codes" => Accounts/"mfa_recovery_codes", Recent(AccountWriteOwn), Attempts, NoStore,
        "Ten new recovery codes in the place of all others.";
    MFA_EMAIL_ON: PUT "/mfa/email" => Accounts/"mfa_email", Recent(AccountWriteOwn), Attempts, NoStore,
        "Use one-time codes by mail as the second factor.";
    MFA_EMAIL_OFF: DELETE "/mfa/email" => Accounts/"mfa_email", Recent(AccountWriteOwn), Attempts, NoStore,
        "Stop using one-time codes by mail.";
    EMAIL: POST "/email" => Accounts/"email", Recent(AccountWriteOwn), Attempts, NoStore,
        "Change one's own address; the new one is asked to confirm.";
    EMAIL_CONFIRM: POST "/email/confirm" => Accounts/"email_confirm", Member(AccountWriteOwn), Attempts, NoStore,
        "Confirm the new address with the mailed token.";
    ADMIN_USERS: GET "/admin/users" => Admin/"admin_users", Member(UsersRead), Read, NoStore,
        "Accounts, with roles and state.";
    ADMIN_USER_CHANGE: PATCH "/admin/users/{id}" => Admin/"admin_user_change", Recent(UsersManage), Attempts, NoStore,
        "Change an account's roles, grants, denials or state.";
    ADD_MOVIE: POST "/admin/add_movie" => Admin/"add_movie", Recent(MoviesWrite), Write, NoStore,
        "Add a film, from TMDb or by hand.";
    ADMIN_MOVIE_CHANGE: PATCH "/admin/movies/{id}" => Admin/"admin_movie", Recent(MoviesUpdate), Write, NoStore,
        "Edit a film; the sync leaves edits alone.";
    ADMIN_MOVIE_DELETE: DELETE "/admin/movies/{id}" => Admin/"admin_movie", Recent(MoviesWrite), Write, NoStore,
        "Take a film out of the catalogue; it can be put back.";
    ADMIN_SYNC: GET "/admin/sync" => Admin/"admin_sync", Member(SyncRead), Read, NoStore,
        "The sync's last runs, and what waits.";
    ADMIN_SYNC_START: POST "/admin/sync" => Admin/"admin_sync", Recent(SyncRun), Write, NoStore,
        "Ask for a sync; it begins within a minute.";
    ADMIN_BLOCKLIST: GET "/admin/blocklist" => Admin/"admin_blocklist", Member(BlocklistRead), Read, NoStore,
        "The networks that are shut out.";
    ADMIN_BLOCK: PUT "/admin/blocklist/{cidr}" => Admin/"admin_block", Recent(BlocklistWrite), Write, NoStore,
        "Shut a network out.";
    ADMIN_UNBLOCK: DELETE "/admin/blocklist/{cidr}" => Admin/"admin_block", Recent(BlocklistWrite), Write, NoStore,
        "Let a network in again.";
    MOVIES: GET "/movies" => Movies/"movies", Anyone, Read, Catalogue,
        "Browse films by filters, in one of five orders.";
    MOVIE: GET "/movies/{id}" => Movies/"movie", Anyone, Read, Catalogue,
        "One film with everything known of it.";
    SIMILAR: GET "/movies/{id}/similar" => Movies/"similar", Anyone, Read, Catalogue,
        "Films with the same genres, keywords and people.";
    MOVIE_OPERATORS: GET "/movies/{id}/operators" => Movies/"movie_operators", Anyone, Read, Catalogue,
        "Who shows a film in a region, by mode.";
    TRENDING: GET "/trending" => Movies/"trending", Anyone, Read, Catalogue,
        "The films most looked at today or this week.";
    SEARCH: GET "/search" => Movies/"search", Anyone, Read, Catalogue,
        "Find films, people and operators by name, typing errors forgiven.";
    SUGGEST: GET "/search/suggest" => Movies/"suggest", Anyone, Read, Catalogue,
        "Up to eight completions of what is being typed.";
    GENRES: GET "/genres" => Movies/"genres", Anyone, Read, Catalogue,
        "The genres, age ratings, languages and regions that filters take.";
    PERSON: GET "/people/{id}" => Movies/"person", Anyone, Read, Catalogue,
        "A person and the films they made.";
    HEALTH: GET "/health" => System/"health", Anyone, Free, NoStore,
        "Whether the product is up.";
    ABOUT: GET "/about" => System/"about", Anyone, Free, Document,
        "Version and attribution.";
    OPENAPI: GET "/openapi.json" => System/"openapi", Anyone, Free, Document,
        "This reference as an OpenAPI 3.1 document.";
    DOCS: GET "/docs" => System/"docs", Anyone, Free, Document,
        "This reference as a page to read and try.";
    DOCS_ASSET: GET "/docs/{asset}" => System/"docs", Anyone, Free, Document,
        "A file of the reference page.";
    PROBLEM: GET "/problems/{code}" => System/"problem", Anyone, Free, Document,
        "What a problem's type means and what to do about it.";
    SECURITY_TXT: GET "/.well-known/security.txt" => System/"security_txt", Anyone, Free, Document,
        "Where to report a weakness (RFC 9116).";
}
