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
    CSRF: GET "/csrf" => Accounts/"csrf", Anyone, Read, NoStore,
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
    MFA_SMS_BEGIN: POST "/mfa/sms" => Accounts/"mfa_sms", Recent(AccountWriteOwn), Attempts, NoStore,
        "Begin to use one-time codes by text message as the second factor: texts one to the number.";
    MFA_SMS_CONFIRM: PUT "/mfa/sms" => Accounts/"mfa_sms", Member(AccountWriteOwn), Attempts, NoStore,
        "Confirm the number with the code that was texted to it; answers with recovery codes.";
    MFA_SMS_OFF: DELETE "/mfa/sms" => Accounts/"mfa_sms", Recent(AccountWriteOwn), Attempts, NoStore,
        "Stop using one-time codes by text message, and forget the number.";
    EMAIL: POST "/email" => Accounts/"email", Recent(AccountWriteOwn), Attempts, NoStore,
        "Change one's own address; the new one is asked to confirm.";
    EMAIL_CONFIRM: POST "/email/confirm" => Accounts/"email_confirm", Member(AccountWriteOwn), Attempts, NoStore,
        "Confirm the new address with the mailed token.";
    ADMIN_USERS: GET "/admin/users" => Admin/"admin_users", Member(UsersRead), Read, NoStore,
        "Accounts, with roles and state.";
    ADMIN_USER_CHANGE: PATCH "/admin/users/{id}" => Admin/"admin_user_change", Recent(UsersManage), Attempts, NoStore,
        "Change an account's roles, grants, denials or state.";
    ADMIN_OPERATOR: PUT "/admin/operators/{id}" => Admin/"admin_operator", Recent(OperatorsWrite), Write, NoStore,
        "Add an operator to the directory, or change one; the sync leaves it as it is then.";
    ADMIN_OPERATOR_REMOVE: DELETE "/admin/operators/{id}" => Admin/"admin_operator", Recent(OperatorsWrite), Write, NoStore,
        "Take an operator out of the directory; the sync does not bring it back.";
    OPERATORS: GET "/operators" => Operators/"operators", Caller(OperatorsRead), Read, NoStore,
        "The operator directory: who shows films or moves people.";
    OPERATOR: GET "/operators/{id}" => Operators/"operator", Caller(OperatorsRead), Read, NoStore,
        "One operator.";
    MODES: GET "/modes" => Operators/"modes", Caller(OperatorsRead), Read, NoStore,
        "The ways in which operators show films or move people.";
    QUERIES: GET "/queries" => Operators/"queries", Member(QueriesReadOwn), Read, NoStore,
        "What one asked the directory, newest first, if one wants that kept.";
    QUERIES_KEEP: PUT "/queries" => Operators/"queries", Member(PreferencesWriteOwn), Write, NoStore,
        "Say whether what one asks the directory is kept.";
    QUERIES_CLEAR: DELETE "/queries" => Operators/"queries", Member(QueriesDeleteOwn), Write, NoStore,
        "Delete one's own query history.";
    FAVOURITES: GET "/favourites" => Operators/"favourites", Member(FavouritesReadOwn), Read, NoStore,
        "One's own favourite operators.";
    FAVOURITE_ADD: PUT "/favourites/{operator_id}" => Operators/"favourite", Member(FavouritesWriteOwn), Write, NoStore,
        "Make an operator a favourite.";
    FAVOURITE_REMOVE: DELETE "/favourites/{operator_id}" => Operators/"favourite", Member(FavouritesWriteOwn), Write, NoStore,
        "Make an operator a favourite no more.";
    API_KEYS: GET "/api_keys" => Operators/"api_keys", Member(ApiKeysReadOwn), Read, NoStore,
        "One's own API keys, without the keys.";
    API_KEY_MAKE: POST "/api_keys" => Operators/"api_keys", Recent(ApiKeysWriteOwn), Attempts, NoStore,
        "Make an API key for a service client; it is shown this once.";
    API_KEY_REVOKE: DELETE "/api_keys/{id}" => Operators/"api_key", Member(ApiKeysWriteOwn), Attempts, NoStore,
        "Revoke an API key, at once.";
    TOKEN: POST "/token" => Operators/"token", Anyone, Attempts, NoStore,
        "A short service token for an API key (OAuth 2.0 client credentials).";
    LINKS: GET "/links" => Links/"links", Member(LinksReadOwn), Read, NoStore,
        "One's own links to other accounts.";
    LINK_ASK: POST "/links" => Links/"links", Recent(LinksWriteOwn), Write, NoStore,
        "Ask the account at an address, which is one's own too, for a link; a mail asks it to confirm.";
    LINK_END: DELETE "/links/{id}" => Links/"link", Member(LinksWriteOwn), Write, NoStore,
        "End a link, from either side, at once.";
    LINK_HISTORY: GET "/links/{id}/history" => Links/"link_history", Member(LinksReadShared), Read, NoStore,
        "What a linked account watched, newest first.";
    LINK_RATINGS: GET "/links/{id}/ratings" => Links/"link_ratings", Member(LinksReadShared), Read, NoStore,
        "The films that a linked account rated, newest first.";
    LINK_WATCHLIST: GET "/links/{id}/watchlist" => Links/"link_watchlist", Member(LinksReadShared), Read, NoStore,
        "The films that a linked account wants to watch, newest first.";
    LINK_CONFIRM: POST "/links/confirm" => Links/"link_confirm", Recent(LinksWriteOwn), Attempts, NoStore,
        "Confirm a link with the mailed token, signed in to the account that was mailed to.";
    ADMIN_AUDIT: GET "/admin/audit" => Admin/"admin_audit", Member(AuditRead), Read, NoStore,
        "What happened on a day, newest first, and whether the record still is what it was.";
    ADMIN_ACCESS_REVIEW: GET "/admin/access_review" => Admin/"admin_access_review", Member(AccessReviewRead), Read, NoStore,
        "The last review of who may do what.";
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
        "Films that go with a film, by what people like or by genres, keywords and people.";
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
    RECOMMENDATION: GET "/recommendation" => Recommendations/"recommendation", Member(RecommendationsReadOwn), Read, NoStore,
        "Films for who asks, with reasons; a thumb given a moment ago already counts.";
    RECOMMENDATION_WHY: GET "/recommendation/{movie_id}/why" => Recommendations/"recommendation_why", Member(RecommendationsReadOwn), Read, NoStore,
        "Why a film has its score: reasons that add up to it.";
    RECOMMENDATION_TUNE: POST "/recommendation/{movie_id}/why" => Recommendations/"recommendation_why", Member(RecommendationsTuneOwn), Write, NoStore,
        "Ask for more or less of a reason.";
    ADMIN_RECOMMENDATIONS: GET "/admin/recommendations/{user_id}" => Recommendations/"admin_recommendations", Member(RecommendationsReadAll), Read, NoStore,
        "What somebody is recommended; looking leaves a trace.";
    THUMBS_ACTION: POST "/thumbs_action" => Library/"thumbs_action", Member(ThumbsWriteOwn), Write, NoStore,
        "Give a film a thumb, or take it back.";
    THUMBS: GET "/thumbs" => Library/"thumbs", Member(ThumbsReadOwn), Read, NoStore,
        "The films that one gave a thumb, newest first.";
    RATE: PUT "/movies/{id}/rating" => Library/"movie_rating", Member(RatingsWriteOwn), Write, NoStore,
        "Rate a film.";
    UNRATE: DELETE "/movies/{id}/rating" => Library/"movie_rating", Member(RatingsWriteOwn), Write, NoStore,
        "Take a rating back.";
    RATINGS: GET "/ratings" => Library/"ratings", Member(RatingsReadOwn), Read, NoStore,
        "The films that one rated, newest first.";
    HIDE: PUT "/movies/{id}/hidden" => Library/"movie_hidden", Member(HiddenWriteOwn), Write, NoStore,
        "Say that a film is of no interest.";
    UNHIDE: DELETE "/movies/{id}/hidden" => Library/"movie_hidden", Member(HiddenWriteOwn), Write, NoStore,
        "Take back that a film is of no interest.";
    HIDDEN: GET "/hidden" => Library/"hidden", Member(HiddenReadOwn), Read, NoStore,
        "The films that are of no interest, newest first.";
    HISTORY: GET "/history" => Library/"history", Member(HistoryReadOwn), Read, NoStore,
        "What one watched, newest first.";
    HISTORY_ADD: POST "/history" => Library/"history", Member(HistoryWriteOwn), Write, NoStore,
        "Write down that a film was watched.";
    HISTORY_CHANGE: PATCH "/history/{hid}" => Library/"history_entry", Member(HistoryWriteOwn), Write, NoStore,
        "Correct one time that a film was watched.";
    HISTORY_REMOVE: DELETE "/history/{hid}" => Library/"history_entry", Member(HistoryWriteOwn), Write, NoStore,
        "Take back one time that a film was watched.";
    WATCHLIST: GET "/watchlist" => Library/"watchlist", Member(WatchlistReadOwn), Read, NoStore,
        "The films that one wants to watch, newest first.";
    WATCHLIST_ADD: PUT "/watchlist/{movie_id}" => Library/"watchlist_entry", Member(WatchlistWriteOwn), Write, NoStore,
        "Put a film on the watchlist.";
    WATCHLIST_REMOVE: DELETE "/watchlist/{movie_id}" => Library/"watchlist_entry", Member(WatchlistWriteOwn), Write, NoStore,
        "Take a film off the watchlist.";
    MOVIE_REVIEWS: GET "/movies/{id}/reviews" => Reviews/"movie_reviews", Anyone, Read, NoStore,
        "A film's published reviews, newest first.";
    REVIEW_WRITE: PUT "/movies/{id}/review" => Reviews/"movie_review", Member(ReviewsWriteOwn), Write, NoStore,
        "Write one's review of a film, or change it.";
    REVIEW_DELETE: DELETE "/movies/{id}/review" => Reviews/"movie_review", Member(ReviewsWriteOwn), Write, NoStore,
        "Take one's review of a film back.";
    REVIEWS: GET "/reviews" => Reviews/"reviews", Member(ReviewsWriteOwn), Read, NoStore,
        "One's own reviews, newest first, in every state.";
    REVIEW_REPORT: POST "/reviews/{rid}/report" => Reviews/"review_report", Member(ReviewsReport), Write, NoStore,
        "Report a review to the editors.";
    MODERATION_REVIEWS: GET "/moderation/reviews" => Reviews/"moderation_reviews", Member(ReviewsModerate), Read, NoStore,
        "Reviews that wait for an editor, newest first.";
    MODERATION_REVIEW: POST "/moderation/reviews/{rid}" => Reviews/"moderation_review", Recent(ReviewsModerate), Write, NoStore,
        "Publish a review, or remove it.";
    PROFILE: GET "/profile" => Profile/"profile", Member(ProfileReadOwn), Read, NoStore,
        "What one says of oneself.";
    PROFILE_CHANGE: PATCH "/profile" => Profile/"profile", Member(ProfileWriteOwn), Write, NoStore,
        "Change what one says of oneself.";
    PROFILE_DELETE: DELETE "/profile" => Accounts/"profile_delete", Member(ProfileDeleteOwn), Attempts, NoStore,
        "Be forgotten: everything personal goes, and cannot be brought back.";
    PROFILE_EXPORT: POST "/profile/export" => Profile/"profile_export", Member(ProfileExportOwn), Write, NoStore,
        "Have everything of one's own put into a file.";
    PROFILE_EXPORT_STATUS: GET "/profile/export/{id}" => Profile/"profile_export_status", Member(ProfileExportOwn), Read, NoStore,
        "How far an export is, and a link to it that lives 15 minutes.";
    IMPORTS: POST "/imports" => Library/"imports", Member(ImportsWriteOwn), Write, NoStore,
        "Bring a library along from elsewhere.";
    IMPORT: GET "/imports/{id}" => Library/"import", Member(ImportsWriteOwn), Read, NoStore,
        "How far an import is, and what became of each row.";
    PREFERENCES: GET "/preferences" => Profile/"preferences", Member(PreferencesReadOwn), Read, NoStore,
        "What one wants to see.";
    PREFERENCES_SET: PUT "/preferences" => Profile/"preferences", Member(PreferencesWriteOwn), Write, NoStore,
        "Say what one wants to see.";
    SECURITY: GET "/security" => Accounts/"security", Member(AccountReadOwn), Read, NoStore,
        "How safe one's account is: password, second factor, sessions, logins.";
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
