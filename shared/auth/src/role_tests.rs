use proptest::prelude::*;

use super::*;
use crate::Permission;

fn standing(roles: &[Role]) -> Standing {
    Standing { roles: roles.to_vec(), grants: Permissions::NONE, denials: Permissions::NONE, disabled: false }
}

fn change<'a>(before: &'a Standing, after: Option<&'a Standing>, others: u64) -> Change<'a> {
    Change {
        actor: "01ADMIN",
        actor_permissions: Role::Admin.permissions(),
        actor_administers: true,
        target: "01ANN",
        before,
        after,
        verified: true,
        actor_denials: Permissions::NONE,
        other_administrators: others,
    }
}

#[test]
fn who_is_denied_something_gives_it_to_nobody() {
    let (plain, admin) = (standing(&[Role::User]), standing(&[Role::User, Role::Admin]));
    let denied: Permissions = [P::AuditRead].into_iter().collect();
    let permissions = Role::Admin.permissions().without(denied);
    let by = |after| Change {
        actor_denials: denied,
        actor_permissions: permissions,
        ..change(&plain, Some(after), 1)
    };
    assert_eq!(check_change(&by(&admin)), Err(RoleChangeFault::NotOwned));
    let as_denied = Standing { denials: denied, ..admin.clone() };
    assert_eq!(check_change(&by(&as_denied)), Ok(()), "an administrator who may no more than they do");
}

#[test]
fn an_account_that_may_lapse_gets_no_role() {
    let (plain, editor) = (standing(&[Role::User]), standing(&[Role::User, Role::Editor]));
    let of = |after| Change { verified: false, ..change(&plain, Some(after), 1) };
    assert_eq!(check_change(&of(&editor)), Err(RoleChangeFault::NotVerified));
    let closed = Standing { disabled: true, ..plain.clone() };
    assert_eq!(check_change(&of(&closed)), Ok(()));
}

#[test]
fn who_manages_accounts_by_a_grant_alone_makes_nobody_more_than_they_are() {
    let helper = Role::User.permissions().union([P::UsersRead, P::UsersManage].into_iter().collect());
    let by_grant = |before, after| {
        let change = change(before, Some(after), 1);
        check_change(&Change { actor_permissions: helper, actor_administers: false, ..change })
    };
    let plain = standing(&[Role::User]);
    let admin = standing(&[Role::User, Role::Admin]);
    assert_eq!(by_grant(&plain, &admin), Err(RoleChangeFault::NotAdministrator));
    assert_eq!(by_grant(&admin, &plain), Err(RoleChangeFault::NotAdministrator));
    let denied =
        Standing { denials: [P::UsersManage, P::RatingsWriteOwn].into_iter().collect(), ..admin.clone() };
    let lifted = Standing { denials: [P::UsersManage].into_iter().collect(), ..admin.clone() };
    assert_eq!(by_grant(&denied, &lifted), Ok(()), "what one may do oneself");
    let auditor = Standing { denials: [P::AuditRead].into_iter().collect(), ..admin.clone() };
    assert_eq!(by_grant(&auditor, &admin), Err(RoleChangeFault::NotOwned), "a lifted denial gives");
    let closed = Standing { disabled: true, ..plain.clone() };
    assert_eq!(by_grant(&plain, &closed), Ok(()), "what the grant is for");
    let hollowed = [
        Standing { disabled: true, ..admin.clone() },
        Standing { denials: [P::AuditRead].into_iter().collect(), ..admin.clone() },
    ];
    for hollowed in &hollowed {
        assert_eq!(
            by_grant(&admin, hollowed),
            Err(RoleChangeFault::NotAdministrator),
            "not of who has a role"
        );
    }
    assert_eq!(
        check_change(&change(&plain, Some(&admin), 1)),
        Ok(()),
        "an administrator makes administrators"
    );
}

#[test]
fn no_role_may_do_everything() {
    let all: Permissions = Permission::ALL.iter().copied().collect();
    for role in Role::ALL {
        assert!(role.permissions() != all, "{role}");
    }
    let somebody_may = Role::ALL.iter().fold(Permissions::NONE, |set, role| set.union(role.permissions()));
    assert_eq!(somebody_may, all, "a permission that no role has is dead");
}

#[test]
fn roles_permit_what_the_requirements_say() {
    for (role, permission, may) in [
        (Role::Guest, P::MoviesReadPublic, true),
        (Role::Guest, P::RatingsWriteOwn, false),
        (Role::Guest, P::RecommendationsReadOwn, false),
        (Role::Guest, P::OperatorsRead, false),
        (Role::User, P::MoviesRead, true),
        (Role::User, P::RatingsWriteOwn, true),
        (Role::User, P::RecommendationsReadOwn, true),
        (Role::User, P::OperatorsRead, true),
        (Role::User, P::MoviesWrite, false),
        (Role::User, P::ReviewsModerate, false),
        (Role::Editor, P::MoviesUpdate, true),
        (Role::Editor, P::ReviewsModerate, true),
        (Role::Editor, P::MoviesWrite, false),
        (Role::Editor, P::UsersManage, false),
        (Role::Admin, P::MoviesWrite, true),
        (Role::Admin, P::UsersManage, true),
        (Role::Admin, P::RecommendationsReadAll, true),
        (Role::Admin, P::AuditRead, true),
        (Role::Service, P::OperatorsRead, true),
        (Role::Service, P::OperatorsWrite, false),
        (Role::Service, P::RatingsWriteOwn, false),
    ] {
        assert_eq!(role.permissions().contains(permission), may, "{role} {permission}");
    }
}

#[test]
fn texts_come_back_and_unknown_ones_do_not() {
    for permission in Permission::ALL {
        assert_eq!(permission.as_str().parse::<Permission>().unwrap(), *permission);
    }
    for role in Role::ALL {
        assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
    }
    assert_eq!("viewer".parse::<Role>().unwrap(), Role::User);
    for text in ["*", "movies:*", "", "Movies:read", "root"] {
        assert!(text.parse::<Permission>().is_err() && text.parse::<Role>().is_err());
    }
    let mut texts: Vec<_> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Permission::ALL.len());
}

#[test]
fn a_denial_wins_over_role_and_grant() {
    let rate = Permissions::of(&[P::RatingsWriteOwn]);
    assert!(!Permissions::effective(&[Role::User], rate, rate).contains(P::RatingsWriteOwn));
    let grant = Permissions::of(&[P::ReviewsModerate]);
    assert!(Permissions::effective(&[Role::User], grant, Permissions::NONE).contains(P::ReviewsModerate));
}

#[test]
fn without_a_second_factor_an_admin_is_a_user() {
    let grants = Permissions::of(&[P::AuditRead]);
    let bare = Permissions::without_second_factor(&[Role::User, Role::Admin], grants, Permissions::NONE);
    assert_eq!(bare, Role::User.permissions());
}

#[test]
fn nobody_changes_their_own_roles_or_state() {
    let before = standing(&[Role::User, Role::Admin]);
    for after in [standing(&[Role::User]), Standing { disabled: true, ..before.clone() }] {
        let own = Change { target: "01ADMIN", ..change(&before, Some(&after), 5) };
        assert_eq!(check_change(&own), Err(RoleChangeFault::OwnRoles));
    }
    let unchanged = Change { target: "01ADMIN", ..change(&before, Some(&before), 5) };
    assert_eq!(check_change(&unchanged), Ok(()));
}

#[test]
fn the_last_administrator_stays_however_one_tries() {
    let before = standing(&[Role::User, Role::Admin]);
    let demoted = standing(&[Role::User]);
    let disabled = Standing { disabled: true, ..before.clone() };
    let denied = Standing { denials: Permissions::of(&[P::UsersManage]), ..before.clone() };
    for after in [Some(&demoted), Some(&disabled), Some(&denied), None] {
        assert_eq!(check_change(&change(&before, after, 0)), Err(RoleChangeFault::LastAdministrator));
        assert_eq!(check_change(&change(&before, after, 1)), Ok(()));
    }
    assert_eq!(check_last_administrator(&before, None, 0), Err(RoleChangeFault::LastAdministrator));
    assert_eq!(check_last_administrator(&demoted, None, 0), Ok(()));
}

#[test]
fn nobody_grants_what_they_do_not_have_or_gives_a_person_a_programs_role() {
    let before = standing(&[Role::User]);
    let moderating = Standing { grants: Permissions::of(&[P::ReviewsModerate]), ..before.clone() };
    assert_eq!(check_change(&change(&before, Some(&moderating), 1)), Err(RoleChangeFault::NotOwned));
    assert_eq!(check_change(&change(&moderating, Some(&moderating), 1)), Ok(()), "it was there before");
    for roles in [&[Role::User, Role::Service][..], &[Role::Guest], &[], &[Role::Admin]] {
        let after = standing(roles);
        assert_eq!(check_change(&change(&before, Some(&after), 1)), Err(RoleChangeFault::NotForPeople));
    }
    let editor =
        Change { actor_permissions: Role::Editor.permissions(), ..change(&before, Some(&before), 1) };
    assert_eq!(check_change(&editor), Err(RoleChangeFault::NotPermitted));
}

#[test]
fn a_disabled_account_may_do_nothing() {
    let closed = Standing { disabled: true, ..standing(&[Role::User, Role::Admin]) };
    assert!(closed.permissions().is_empty());
}

proptest! {
    #[test]
    fn sets_come_back_from_scope_and_json(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let set: Permissions = picks.iter().map(|pick| *pick.get(Permission::ALL)).collect();
        prop_assert_eq!(Permissions::from_scope(&set.to_scope()).unwrap(), set);
        let json = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(serde_json::from_str::<Permissions>(&json).unwrap(), set);
        prop_assert_eq!(set.iter().count(), set.len());
    }

    #[test]
    fn nothing_that_is_denied_is_ever_permitted(
        grants in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
        denials in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
    ) {
        let set = |picks: &[prop::sample::Index]| -> Permissions {
            picks.iter().map(|pick| *pick.get(Permission::ALL)).collect()
        };
        let (grants, denials) = (set(&grants), set(&denials));
        let may = Permissions::effective(&Role::ALL, grants, denials);
        prop_assert!(may.intersection(denials).is_empty());
        prop_assert!(may.contains_all(grants.without(denials)));
    }
}
