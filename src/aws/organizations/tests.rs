use aws_sdk_organizations::types::{AccountState, AccountStatus};

use super::*;

fn account(id: &str) -> aws_sdk_organizations::types::builders::AccountBuilder {
    Account::builder().id(id).name("audit")
}

fn taken(accounts: &[Account]) -> Result<Vec<String>, Failed> {
    let mut members = Members::new();
    take(Some(accounts), Some("ou-1"), &mut members)?;
    Ok(members.keys().map(ToString::to_string).collect())
}

#[test]
fn only_active_accounts_are_members() {
    let accounts = [
        account("000000000001").state(AccountState::Active).build(),
        account("000000000002")
            .state(AccountState::Suspended)
            .build(),
        account("000000000003").state("NEW_STATE".into()).build(),
    ];
    assert_eq!(taken(&accounts), Ok(vec!["000000000001".to_owned()]));
}

#[test]
#[allow(deprecated, reason = "emulators still answer with Status")]
fn state_is_believed_before_status() {
    let accounts = [
        account("000000000001")
            .status(AccountStatus::Active)
            .build(),
        account("000000000002")
            .state(AccountState::Closed)
            .status(AccountStatus::Active)
            .build(),
        account("000000000003")
            .state(AccountState::Active)
            .status(AccountStatus::Suspended)
            .build(),
    ];
    assert_eq!(
        taken(&accounts),
        Ok(vec!["000000000001".to_owned(), "000000000003".to_owned()])
    );
}

#[test]
fn an_account_that_cannot_be_read_fails_the_listing() {
    let no_state = account("000000000001").build();
    assert!(taken(&[no_state]).is_err());
    let no_id = account("1").state(AccountState::Active).build();
    assert!(taken(&[no_id]).is_err());
    assert!(take(None, None, &mut Members::new()).is_err());
}

#[test]
fn a_member_has_the_parent_it_was_found_under() {
    let found = member(&account("000000000001").build(), Some("ou-1")).expect("an id");
    assert_eq!(found.organizational_unit.as_deref(), Some("ou-1"));
    let nameless = account("000000000001").name("").build();
    assert_eq!(member(&nameless, None).expect("an id").name, None);
}
